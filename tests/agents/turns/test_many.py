"""Many conversations at once, as the service runs: each answered once and in order, by two processes side by side."""

import asyncio
from functools import partial

from tests.agents.turns.messaging import MessagingStandIn, Thread
from tests.agents.turns.stage import Stage
from tests.eventually import eventually

CONVERSATIONS = 40
ROUNDS = 3


async def test_every_conversation_is_answered_in_its_order(stage: Stage) -> None:
    await stage.agents.change("agt_1", {"debounce_ms": 0})
    threads = [stage.messaging.open(number) for number in range(CONVERSATIONS)]

    async with stage.another() as other, stage.turning.runner.running(), other.runner.running():
        for number in range(ROUNDS):
            await asyncio.gather(*(stage.say(thread, f"Question {number}") for thread in threads))
            await eventually(partial(all_answered, stage.messaging, threads, number + 1), 30)

    for thread in threads:
        assert stage.messaging.texts(thread) == [f"You wrote: Question {number}" for number in range(ROUNDS)]
    assert len(await stage.asked()) == CONVERSATIONS * ROUNDS


async def test_bursts_in_many_conversations_get_one_answer_each(stage: Stage) -> None:
    threads = [stage.messaging.open(number) for number in range(CONVERSATIONS)]
    for text in ("One", "Two", "Three"):
        await asyncio.gather(*(stage.say(thread, text) for thread in threads))
    stage.clock.pass_time(1.5)

    async with stage.another() as other:
        await asyncio.gather(stage.work(), other.runner.take_due())
        await other.runner.idle()
        await stage.work()

    assert [stage.messaging.texts(thread) for thread in threads] == [["You wrote: One / Two / Three"]] * CONVERSATIONS


def all_answered(messaging: MessagingStandIn, threads: list[Thread], count: int) -> bool:
    return all(len(messaging.texts(thread)) == count for thread in threads)
