"""Deltas reach those who listen, over memory and RabbitMQ alike, and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from shared.bus.stream import WAITING_DELTAS, Deltas, MemoryStream, RabbitStream, Stream, rabbit_stream
from shared.contracts.turns import TextDelta
from tests.eventually import eventually


@dataclass(frozen=True, slots=True)
class Ends:
    """Where deltas go in and where they come out."""

    telling: Stream
    hearing: Stream


@pytest.fixture(params=["memory", pytest.param("rabbit", marks=pytest.mark.rabbit)])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    """The same test on both."""
    if request.param == "memory":
        stream = MemoryStream()
        yield Ends(stream, stream)
        return
    url: str = request.getfixturevalue("rabbit")
    async with rabbit_stream(url, service="agents") as telling, rabbit_stream(url, service="gateway") as hearing:
        yield Ends(telling, hearing)


def delta(offset: int, text: str) -> TextDelta:
    return TextDelta(turn_id="turn_1", offset=offset, text=text)


async def next_of(deltas: Deltas) -> TextDelta:
    async with asyncio.timeout(30):
        return await deltas.get()


async def test_a_listener_hears_the_deltas_of_its_topic_in_order(ends: Ends) -> None:
    async with ends.hearing.listening("session_1") as deltas:
        await ends.telling.publish("session_1", delta(0, "Good "))
        await ends.telling.publish("session_1", delta(5, "morning"))

        assert await next_of(deltas) == delta(0, "Good ")
        assert await next_of(deltas) == delta(5, "morning")


async def test_a_session_never_hears_another_one(ends: Ends) -> None:
    async with ends.hearing.listening("session_1") as mine, ends.hearing.listening("session_2") as theirs:
        await ends.telling.publish("session_1", delta(0, "for one"))
        await ends.telling.publish("session_2", delta(0, "for two"))

        assert await next_of(theirs) == delta(0, "for two")
        assert await next_of(mine) == delta(0, "for one")
        assert mine.empty()


async def test_two_listeners_of_a_session_hear_the_same(ends: Ends) -> None:
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(ends.hearing.listening("session_1")) for _ in range(2)]
        await ends.telling.publish("session_1", delta(0, "Hello"))

        assert [await next_of(deltas) for deltas in both] == [delta(0, "Hello"), delta(0, "Hello")]


async def test_one_listener_that_leaves_takes_nothing_from_the_others(ends: Ends) -> None:
    async with ends.hearing.listening("session_1") as staying:
        async with ends.hearing.listening("session_1"):
            pass
        await ends.telling.publish("session_1", delta(0, "Still here?"))

        assert await next_of(staying) == delta(0, "Still here?")


async def test_who_listens_again_hears_only_what_comes_from_then_on(ends: Ends) -> None:
    async with ends.hearing.listening("session_1"):
        pass
    async with ends.hearing.listening(
        "session_2"
    ) as other:  # what comes after it on the same way has overtaken nothing
        await ends.telling.publish("session_1", delta(0, "missed"))
        await ends.telling.publish("session_2", delta(0, "later"))
        await next_of(other)

    async with ends.hearing.listening("session_1") as deltas:
        await ends.telling.publish("session_1", delta(6, "heard"))

        assert await next_of(deltas) == delta(6, "heard")


async def test_a_listener_that_takes_nothing_loses_deltas_instead_of_memory(ends: Ends) -> None:
    async with ends.hearing.listening("session_1") as idle, ends.hearing.listening("session_2") as other:
        for offset in range(WAITING_DELTAS + 10):
            await ends.telling.publish("session_1", delta(offset, "x"))
        await ends.telling.publish("session_2", delta(0, "last"))
        await next_of(other)

        assert idle.qsize() == WAITING_DELTAS


async def test_listeners_hear_again_after_the_connection_was_lost(open_streams: Ends) -> None:
    async with open_streams.hearing.listening("session_1") as deltas:
        await lose_connection(open_streams.hearing)

        async def heard_again() -> bool:
            await open_streams.telling.publish("session_1", delta(0, "again"))
            return not deltas.empty()

        await eventually(heard_again)


@pytest.fixture
async def open_streams(rabbit: str) -> AsyncIterator[Ends]:
    """Two processes' streams over RabbitMQ."""
    async with rabbit_stream(rabbit, service="agents") as telling, rabbit_stream(rabbit, service="gateway") as hearing:
        yield Ends(telling, hearing)


async def lose_connection(stream: Stream) -> None:
    assert isinstance(stream, RabbitStream)
    channel = stream._link.present
    assert channel is not None
    await channel.connection.close()
