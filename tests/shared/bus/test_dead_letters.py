"""Dead letters on the real broker: counted, looked at without harm, handed over once more."""

import asyncio

import aio_pika
import pytest

from shared.bus.dead_letters import RabbitDeadLetters
from shared.bus.rabbit import rabbit_bus
from shared.contracts.base import Reply
from shared.contracts.messaging import GetCredits
from shared.errors import NotFoundError
from tests.eventually import eventually

QUEUE = "messaging.queries.v1"


@pytest.fixture
async def letters(rabbit: str) -> RabbitDeadLetters:
    """One message that cannot be understood lies in the queue of dead letters."""
    async with rabbit_bus(rabbit, service="messaging") as bus:
        bus.on(GetCredits, _never)
        async with bus.consuming():
            connection = await aio_pika.connect(rabbit)
            async with connection:
                channel = await connection.channel()
                poison = aio_pika.Message(b"{", type=GetCredits.message_type, message_id="msg_poison")
                await channel.default_exchange.publish(poison, QUEUE)
                dead = RabbitDeadLetters(rabbit)

                async def is_dead() -> bool:
                    return (await dead.count())[QUEUE] == 1

                await eventually(is_dead)
    return dead


async def _never(_query: GetCredits) -> Reply:
    raise AssertionError("it cannot be understood, so nobody is given it")


async def test_they_are_counted_by_the_queue_that_gave_them_up(letters: RabbitDeadLetters) -> None:
    counts = await letters.count()

    assert counts[QUEUE] == 1
    assert sum(counts.values()) == 1


async def test_looking_at_them_leaves_them_where_they_are(letters: RabbitDeadLetters) -> None:
    first = await letters.look(QUEUE, 20)
    again = await letters.look(QUEUE, 20)

    assert [(each.message_id, each.type) for each in first] == [("msg_poison", GetCredits.message_type)]
    assert first[0].reason == "rejected"
    assert [each.message_id for each in again] == ["msg_poison"]
    assert (await letters.count())[QUEUE] == 1


async def test_a_replayed_message_goes_back_to_its_queue_under_its_id(letters: RabbitDeadLetters, rabbit: str) -> None:
    replayed = await letters.replay(QUEUE)

    connection = await aio_pika.connect(rabbit)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(QUEUE, passive=True)
        message = await asyncio.wait_for(queue.get(), 30)
        assert message is not None
        await message.ack()
    assert (replayed, message.message_id, message.headers["wa-attempt"]) == (1, "msg_poison", 0)
    assert (await letters.count())[QUEUE] == 0


async def test_they_can_be_forgotten(letters: RabbitDeadLetters) -> None:
    assert await letters.drop(QUEUE) == 1
    assert await letters.look(QUEUE, 20) == []


async def test_a_queue_that_is_none_of_ours_is_not_found(letters: RabbitDeadLetters) -> None:
    with pytest.raises(NotFoundError):
        await letters.replay("amq.gen")
