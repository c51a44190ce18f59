"""A process of agents dies between any two steps; another one finishes, and the customer gets one text, once."""

from collections.abc import Iterator
from typing import NoReturn

import pytest

from shared.crashpoints import arm
from tests.agents.turns.messaging import Thread
from tests.agents.turns.stage import DEBOUNCE_SECONDS, Stage

LEASE_SECONDS = 16
POINTS = ("received", "claimed", "answered", "sent", "closed")
LONG = "sim_long_9000"


class Died(BaseException):
    """The process is gone: no handler of ordinary errors sees it."""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm(None)


def die_at(point: str) -> None:
    def die(exit_status: int) -> NoReturn:
        raise Died

    arm(f"agents.{point}", die=die)


async def dying(stage: Stage, thread: Thread, text: str) -> None:
    """A customer writes, and the process dies on the way to the answer."""
    event = stage.messaging.written(thread, text)
    try:
        await stage.bus.publish(event)
    except Died:
        await stage.bus.publish(event)  # not acknowledged, so it comes again
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    await stage.work()


@pytest.mark.parametrize("point", POINTS)
async def test_another_process_finishes_with_the_same_text(stage: Stage, point: str) -> None:
    thread = stage.messaging.open()
    die_at(point)

    await dying(stage, thread, "Hello")
    told = stage.messaging.texts(thread)
    await stage.switch(answer="Something else.")
    stage.clock.pass_time(LEASE_SECONDS)
    await stage.work()

    [only] = stage.messaging.texts(thread)
    stored = point in {"answered", "sent", "closed"} or bool(told)
    assert only == ("You wrote: Hello" if stored or point == "received" else "Something else.")
    assert await stage.state_of(thread) == "resting"


@pytest.mark.parametrize("point", POINTS)
async def test_the_conversation_goes_on_afterwards(stage: Stage, point: str) -> None:
    thread = stage.messaging.open()
    die_at(point)
    await dying(stage, thread, "Hello")
    stage.clock.pass_time(LEASE_SECONDS)
    await stage.work()

    assert await stage.talk(thread, "And now?") == "You wrote: And now?"


async def test_a_long_answer_whose_second_part_was_not_sent_is_completed(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.switch(answer_characters=9_000)
    await stage.say(thread, "Tell me everything")
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    stage.messaging.loses_from = 2

    await stage.work()
    stage.messaging.loses_from = None
    stage.clock.pass_time(LEASE_SECONDS)
    await stage.work()

    parts = stage.messaging.texts(thread)
    assert [len(part) <= 4_096 for part in parts] == [True, True, True]
    assert len(" ".join(parts)) >= 8_990


@pytest.mark.parametrize("step", range(1, 4))
async def test_a_reply_that_was_lost_makes_no_second_message(stage: Stage, step: int) -> None:
    thread = stage.messaging.open()
    await stage.switch(answer_characters=9_000)
    await stage.say(thread, "Tell me everything")
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    stage.messaging.loses_reply_of = step

    await stage.work()
    stage.clock.pass_time(LEASE_SECONDS)
    await stage.work()

    assert len(stage.messaging.texts(thread)) == 3
    assert len(await stage.asked()) == 1
    assert await stage.state_of(thread) == "resting"
