"""A customer writes, the agent answers once, knowing what was said before."""

import base64
from typing import Any

from shared.contracts.conversations import MessagesReceived
from shared.contracts.threads import FetchMedia, MediaInfo, MediaPiece, ReadMedia
from tests.agents.turns.messaging import AGENT, Thread
from tests.agents.turns.stage import DEBOUNCE_SECONDS, Stage


def said(request: dict[str, Any]) -> list[tuple[str, Any]]:
    """Who said what in a request to the model."""
    return [(item["role"], item["content"]) for item in request["input"]]


async def test_a_message_is_answered(stage: Stage) -> None:
    thread = stage.messaging.open()

    answer = await stage.talk(thread, "Where is my order?")

    assert answer == "You wrote: Where is my order?"
    assert await stage.state_of(thread) == "resting"


async def test_the_customer_sees_that_somebody_reads_and_types(stage: Stage) -> None:
    thread = stage.messaging.open()

    await stage.talk(thread, "Hello")

    assert stage.messaging.shown == [(thread.conversation_id, True)]


async def test_messages_in_quick_succession_get_one_answer(stage: Stage) -> None:
    thread = stage.messaging.open()

    for text in ("Hello", "I ordered a book", "Where is it?"):
        await stage.say(thread, text)
        await stage.answer(after_seconds=DEBOUNCE_SECONDS / 2)
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: Hello / I ordered a book / Where is it?"]


async def test_who_never_stops_writing_is_answered_all_the_same(stage: Stage) -> None:
    thread = stage.messaging.open()

    for number in range(12):
        await stage.say(thread, f"And {number}")
        await stage.answer(after_seconds=DEBOUNCE_SECONDS / 2)

    assert stage.messaging.texts(thread)


async def test_an_agent_gathers_as_long_as_it_was_told_to(stage: Stage) -> None:
    await stage.agents.change(AGENT, {"debounce_ms": 0})
    thread = stage.messaging.open()

    await stage.say(thread, "Hello")
    await stage.answer(after_seconds=0)

    assert stage.messaging.texts(thread) == ["You wrote: Hello"]


async def test_five_repetitions_in_any_order_get_one_answer(stage: Stage) -> None:
    thread = stage.messaging.open()
    events = [stage.messaging.written(thread, text) for text in ("One", "Two", "Three")]

    for event in [*reversed(events), *events, *reversed(events), *events, *events]:
        await stage.bus.publish(event)
    await stage.answer()
    for event in events:
        await stage.bus.publish(event)
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: One / Two / Three"]


async def test_the_next_question_goes_on_from_the_answer_before(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.talk(thread, "One")

    await stage.talk(thread, "Two")

    first, second = await stage.asked()
    sent = list(stage.messaging.sent.values())
    assert "previous_response_id" not in first
    assert second["previous_response_id"] == sent[0].response_id
    assert said(second) == [("user", "Two")]


async def test_a_chain_that_is_gone_is_rebuilt_from_what_was_said(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.talk(thread, "One")
    await stage.switch(forget_responses=True)

    answer = await stage.talk(thread, "Two")

    rebuilt = (await stage.asked())[-1]
    assert answer == "You wrote: Two"
    assert said(rebuilt) == [("user", "One"), ("assistant", "You wrote: One"), ("user", "Two")]
    assert (await stage.agent()).last_error is None


async def test_the_template_that_the_customer_was_sent_is_known(stage: Stage) -> None:
    thread = stage.messaging.open()
    stage.messaging.business_sent(thread, "Ana, your order 17 has been shipped.")

    await stage.talk(thread, "When will it be here?")

    [request] = await stage.asked()
    assert said(request) == [
        ("developer", "The business sent the customer this message: Ana, your order 17 has been shipped."),
        ("user", "When will it be here?"),
    ]


async def test_after_a_hand_back_the_model_knows_what_happened_in_between(stage: Stage) -> None:
    thread = stage.messaging.open()
    await stage.talk(thread, "One")
    await stage.messaging.human_replies(thread, "I am Bea, let me look.")
    await stage.say(thread, "Thanks, Bea")
    await stage.messaging.change_handling(thread, "agent")

    await stage.talk(thread, "Are you a robot?")

    assert said((await stage.asked())[-1]) == [
        ("developer", "A colleague wrote to the customer: I am Bea, let me look."),
        ("user", "Thanks, Bea"),
        ("user", "Are you a robot?"),
    ]


async def test_nothing_is_answered_while_a_person_handles_the_conversation(stage: Stage) -> None:
    thread, other = stage.messaging.open(1), stage.messaging.open(2)
    await stage.messaging.change_handling(thread, "human")

    await stage.say(thread, "Hello?")
    await stage.talk(other, "Hello!")

    assert stage.messaging.texts(thread) == []


async def test_a_reaction_is_no_question(stage: Stage) -> None:
    thread = stage.messaging.open()

    await stage.bus.publish(stage.messaging.written(thread, "👍", kind="reaction"))
    await stage.answer()

    assert await stage.state_of(thread) == "none"


async def test_a_picture_is_shown_to_the_model(stage: Stage) -> None:
    thread = stage.messaging.open()
    keep_picture(stage, b"\x89PNG and so on", "image/png")

    await stage.bus.publish(picture(stage, thread))
    await stage.answer()

    [request] = await stage.asked()
    data = base64.b64encode(b"\x89PNG and so on").decode()
    assert said(request)[0][1][1] == {
        "type": "input_image",
        "image_url": f"data:image/png;base64,{data}",
        "detail": "auto",
    }
    assert stage.messaging.texts(thread) == ["You wrote: Is this the right size? (with 1 picture)"]


async def test_a_picture_that_no_model_takes_is_left_out(stage: Stage) -> None:
    thread = stage.messaging.open()
    keep_picture(stage, b"II*", "image/tiff")

    await stage.bus.publish(picture(stage, thread))
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: Is this the right size?"]


def picture(stage: Stage, thread: Thread) -> MessagesReceived:
    return stage.messaging.written(thread, "Is this the right size?", kind="image", media_id="media_1")


def keep_picture(stage: Stage, content: bytes, mime_type: str) -> None:
    """Messaging has the picture, and gives it in pieces of five bytes."""

    async def fetch(command: FetchMedia) -> MediaInfo:
        return MediaInfo(
            media_id=command.media_id, user_id="usr_1", mime_type=mime_type, size=len(content), sha256="0" * 64
        )

    async def read(query: ReadMedia) -> MediaPiece:
        return MediaPiece(data=base64.b64encode(content[query.offset : query.offset + 5]).decode())

    stage.bus.on(FetchMedia, fetch)
    stage.bus.on(ReadMedia, read)
