"""Whatever moves the conversation on stops the answer in the making, and nothing stale is sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.agents.answering import OutdatedError
from shared.contracts.contacts import ConsentChange, ConsentsChanged
from shared.errors import BusUnavailableError, ConflictError
from tests.agents.turns.messaging import Thread
from tests.agents.turns.stage import DEBOUNCE_SECONDS, Stage
from tests.eventually import eventually

Event = Callable[[Stage, Thread], Awaitable[None]]


@asynccontextmanager
async def thinking(stage: Stage, thread: Thread) -> AsyncIterator[None]:
    """The model is at work on an answer to "Hello" while the block lasts; afterwards nobody works any more."""
    await stage.switch(behaviour="hang")
    await stage.say(thread, "Hello")
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    work = asyncio.create_task(stage.work())
    await eventually(lambda: is_asked(stage))
    await stage.switch(behaviour="answer")
    yield
    await work


async def is_asked(stage: Stage) -> bool:
    return await stage.outcomes() == ["open"]


async def is_cancelled(stage: Stage) -> bool:
    return (await stage.outcomes())[0] == "cancelled"


async def opt_out(stage: Stage, thread: Thread) -> None:
    change = ConsentChange(
        id="contact.opted_out:1",
        user_id="usr_1",
        contact_id=thread.contact_id,
        phone=thread.sender,
        opted_out=True,
        proof="keyword",
        at=stage.clock(),
    )
    await stage.bus.publish(ConsentsChanged(items=(change,)))


async def hand_over(stage: Stage, thread: Thread) -> None:
    await stage.messaging.change_handling(thread, "human")


async def reply_as_a_person(stage: Stage, thread: Thread) -> None:
    await stage.messaging.human_replies(thread, "I am here.")


@pytest.mark.parametrize("event", [opt_out, hand_over, reply_as_a_person], ids=lambda event: str(event.__name__))
async def test_the_model_is_stopped_and_nothing_is_sent(stage: Stage, event: Event) -> None:
    thread = stage.messaging.open()

    async with thinking(stage, thread):
        await event(stage, thread)

    await eventually(lambda: is_cancelled(stage))
    assert stage.messaging.texts(thread) == []
    assert await stage.state_of(thread) == "resting"


async def test_a_newer_message_stops_the_model_and_is_answered_together_with_the_older(stage: Stage) -> None:
    thread = stage.messaging.open()

    async with thinking(stage, thread):
        await stage.say(thread, "How are you?")
    await eventually(lambda: is_cancelled(stage))
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: Hello / How are you?"]


async def test_a_message_that_only_messaging_knows_yet_makes_the_answer_outdated(stage: Stage) -> None:
    thread = stage.messaging.open()
    stage.messaging.refuses = ConflictError("the conversation has moved on", code="outdated")
    await stage.talk_in_vain(thread, "One")
    stage.messaging.refuses = None
    late = stage.messaging.written(thread, "Two")

    await stage.bus.publish(late)
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: One / Two"]


async def test_an_answer_refused_for_an_event_of_no_words_is_thought_of_again(stage: Stage) -> None:
    thread = stage.messaging.open()
    stage.messaging.refuses = ConflictError("the conversation has moved on", code="outdated")
    await stage.talk_in_vain(thread, "One")
    stage.messaging.refuses = None

    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: One"]


@pytest.mark.parametrize("code", ["window_closed", "opted_out"])
async def test_an_answer_that_may_not_be_sent_is_dropped(stage: Stage, code: str) -> None:
    thread = stage.messaging.open()
    stage.messaging.refuses = ConflictError("not now", code=code)

    await stage.talk_in_vain(thread, "One")
    stage.messaging.refuses = None
    await stage.answer(after_seconds=60)

    assert stage.messaging.texts(thread) == []
    assert (await stage.agent()).last_error is None


async def test_a_message_that_comes_while_the_answer_is_sent_has_the_next_turn(stage: Stage) -> None:
    thread = stage.messaging.open()
    stage.messaging.refuses = BusUnavailableError("no broker")
    await stage.talk_in_vain(thread, "One")
    await stage.say(thread, "Two")
    stage.messaging.refuses = None

    await stage.answer(after_seconds=5)
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: One / Two"]


async def test_a_message_that_comes_after_the_answer_was_accepted_has_the_next_turn(stage: Stage) -> None:
    thread = stage.messaging.open()
    stage.messaging.after_accepting = lambda: stage.say(thread, "Two")

    await stage.talk(thread, "One")
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: One", "You wrote: Two"]


async def test_a_repetition_while_the_model_thinks_does_not_stop_it(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.switch(latency_ms=300)
    event = stage.messaging.written(thread, "Hello")
    await stage.bus.publish(event)
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    work = asyncio.create_task(stage.work())
    await eventually(lambda: is_asked(stage))

    await stage.bus.publish(event)
    await work

    assert await stage.outcomes() == ["completed"]
    assert stage.messaging.texts(thread) == ["You wrote: Hello"]


async def test_no_model_is_asked_once_a_person_handles_the_conversation_though_nobody_has_told_us(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.say(thread, "Hello")
    thread.handled_by = "human"

    await stage.answer()

    assert await stage.asked() == []
    assert await stage.state_of(thread) == "resting"


async def test_a_worker_whose_turn_another_has_finished_sends_nothing(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.say(thread, "Hello")
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    mine = await stage.turning.handlers.turns.claim()
    assert mine is not None
    stage.clock.pass_time(60)
    await stage.work()

    with pytest.raises(OutdatedError):
        await stage.turning.runner.answering.give_up(mine)

    assert stage.messaging.texts(thread) == ["You wrote: Hello"]


async def test_a_late_hand_over_does_not_end_what_was_asked_after_it(stage: Stage) -> None:
    thread = stage.messaging.open()
    await hand_over(stage, thread)
    [handed_over] = [event for event in stage.bus.published if event.message_type.endswith("handling_changed.v1")]
    stage.clock.pass_time(60)
    await stage.messaging.change_handling(thread, "agent")
    await stage.say(thread, "Hello again")

    await stage.bus.publish(handed_over)
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: Hello again"]


async def test_another_process_stops_the_model_within_a_renewal(stage: Stage) -> None:
    thread = stage.messaging.open()

    async with thinking(stage, thread), stage.another() as other:
        await other.handlers.turns.cancel_of_conversation(thread.conversation_id, stage.clock())

    await eventually(lambda: is_cancelled(stage))
    assert stage.messaging.texts(thread) == []


async def test_a_process_that_stops_leaves_its_turn_to_another(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.say(thread, "Hello")
    await stage.switch(latency_ms=60_000)
    stage.clock.pass_time(DEBOUNCE_SECONDS)

    async with stage.turning.runner.running():
        await eventually(lambda: is_asked(stage))
    await stage.switch(latency_ms=0)
    await stage.work()

    assert stage.messaging.texts(thread) == ["You wrote: Hello"]


async def test_the_text_of_a_turn_that_was_taken_away_is_not_stored(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.say(thread, "Hello")
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    turns = stage.turning.handlers.turns
    mine = await turns.claim()
    assert mine is not None
    stage.clock.pass_time(timedelta(minutes=1).total_seconds())

    theirs = await turns.claim()

    assert theirs is not None
    assert theirs.turn_id == mine.turn_id
    assert not await turns.renew(mine)
    assert not await turns.save_text(mine, "stale")
