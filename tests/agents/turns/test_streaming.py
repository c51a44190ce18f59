"""Who watches a web chat sees the answer grow; nobody else does."""

import asyncio

from shared.contracts.turns import GetTurn, TextDelta, TurnText
from tests.agents.turns.messaging import Thread
from tests.agents.turns.stage import DEBOUNCE_SECONDS, Stage
from tests.eventually import eventually

SESSION = "session_4vWQ2yTzXKpLmN8RcHs9Ab"


def open_chat(stage: Stage) -> Thread:
    return stage.messaging.open(channel="webchat", sender=SESSION)


async def turn_of(stage: Stage, session_id: str = SESSION) -> TurnText:
    return await stage.bus.request(GetTurn(session_id=session_id), timeout_seconds=30)


async def test_the_pieces_of_an_answer_make_its_beginning(stage: Stage) -> None:
    thread = open_chat(stage)
    await stage.switch(chunk_ms=60, answer_characters=200)

    answer = await stage.talk(thread, "Hello")

    deltas = [delta for topic, delta in stage.stream.published if topic == SESSION]
    assert len(deltas) > 1
    assert answer.startswith(whole(deltas))
    assert len({delta.turn_id for delta in deltas}) == 1


async def test_who_joins_late_is_told_what_was_written_and_goes_on_from_there(stage: Stage) -> None:
    thread = open_chat(stage)
    await stage.switch(chunk_ms=60, answer_characters=400)
    await stage.say(thread, "Hello")
    stage.clock.pass_time(DEBOUNCE_SECONDS)
    work = asyncio.create_task(stage.work())
    await eventually(lambda: len(stage.stream.published) >= 2)

    async with stage.stream.listening(SESSION) as deltas:
        so_far = await turn_of(stage)
        await work

    later = [deltas.get_nowait() for _ in range(deltas.qsize())]
    text = so_far.text
    for delta in later:
        if delta.offset == len(text):
            text += delta.text
    assert so_far.text
    assert stage.messaging.texts(thread)[0].startswith(text)
    assert len(text) > len(so_far.text)


async def test_nobody_answers_when_nothing_was_asked(stage: Stage) -> None:
    thread = open_chat(stage)
    before = await turn_of(stage)
    await stage.talk(thread, "Hello")

    assert before == await turn_of(stage) == TurnText()


async def test_a_turn_is_there_as_soon_as_somebody_has_written(stage: Stage) -> None:
    thread = open_chat(stage)

    await stage.say(thread, "Hello")
    gathering = await turn_of(stage)
    await stage.answer()

    [command] = stage.messaging.sent.values()
    assert gathering.turn_id is not None
    assert gathering.text == ""
    assert command.to == SESSION


async def test_an_answer_on_whatsapp_is_not_streamed(stage: Stage) -> None:
    await stage.switch(chunk_ms=60, answer_characters=200)

    await stage.talk(stage.messaging.open(), "Hello")

    assert stage.stream.published == []


def whole(deltas: list[TextDelta]) -> str:
    text = ""
    for delta in deltas:
        assert delta.offset == len(text)
        text += delta.text
    return text
