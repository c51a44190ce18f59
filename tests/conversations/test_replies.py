"""Answers into conversations: an agent's only while it is not outdated, a person's takes over."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.content import MediaContent, TextContent
from shared.contracts.conversations import HandOverConversation
from shared.contracts.messaging import MessageOutcome, SendMessage
from shared.errors import ConflictError, InvalidInputError, NotFoundError
from tests.conversations.stage import AGENT, PHONE, Stage, meta_message
from tests.messaging.doubles import NOON
from tests.messaging.meta import cut
from tests.messaging.stage import message_id, text


async def answer(stage: Stage, number: int = 1, **changes: Any) -> SendMessage:
    """An agent's answer to everything that was written so far."""
    thread = await stage.thread()
    fields: dict[str, Any] = {
        "source": "agent",
        "conversation_id": thread["_id"],
        "based_on_sequence": thread["sequence"],
        "response_id": f"resp_{number}",
        "to": PHONE,
        "at": stage.clock(),
    }
    return text(number, **(fields | changes))


async def by_hand(stage: Stage, number: int = 90, **changes: Any) -> SendMessage:
    """A person's answer."""
    thread = await stage.thread()
    known: dict[str, Any] = {"source": "conversation", "conversation_id": thread["_id"]}
    return text(number, **(known | changes))


async def send(stage: Stage, command: SendMessage) -> MessageOutcome:
    return await stage.bus.request(command, timeout_seconds=30)


async def test_an_answer_to_the_newest_message_is_sent_and_its_response_kept(stage: Stage) -> None:
    await stage.hear(meta_message())

    outcome = await send(stage, await answer(stage))

    thread = await stage.thread()
    assert (outcome.status, outcome.conversation_id) == ("sent", thread["_id"])
    assert (thread["response_id"], thread["sequence"]) == ("resp_1", 1)
    assert [call.body["text"]["body"] for call in stage.whole.meta.calls] == ["hello 1"]


async def test_the_parts_of_one_answer_do_not_outdate_each_other(stage: Stage) -> None:
    await stage.hear(meta_message())

    outcomes = [await send(stage, await answer(stage, number)) for number in (1, 2, 3)]

    assert [outcome.status for outcome in outcomes] == ["sent"] * 3


async def test_an_answer_of_which_only_meta_knows_does_not_keep_its_conversation_waiting(stage: Stage) -> None:
    await stage.hear(meta_message())
    said = await answer(stage)
    stage.whole.meta.will(cut)
    await stage.bus.send(said)

    outcome = await send(stage, said)

    assert outcome.status == "queued"
    assert await stage.whole.states() == ["UNKNOWN"]
    assert len(stage.whole.meta.calls) == 1


async def test_a_message_that_came_meanwhile_outdates_the_answer(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    stale = await answer(stage)
    await stage.hear(meta_message(2))

    with pytest.raises(ConflictError) as refused:
        await send(stage, stale)

    assert refused.value.code == "outdated"
    assert stage.whole.meta.calls == []
    assert await stage.whole.states() == []


async def test_a_persons_reply_outdates_the_answer_and_takes_over(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    stale = await answer(stage)

    outcome = await send(stage, await by_hand(stage))
    with pytest.raises(ConflictError) as refused:
        await send(stage, stale)

    assert outcome.status == "sent"
    assert refused.value.code == "outdated"
    assert [call.body["text"]["body"] for call in stage.whole.meta.calls] == ["hello 90"]
    (change,) = stage.handling()
    assert (change.handled_by, change.by) == ("human", "human_reply")


async def test_a_second_reply_of_a_persons_is_no_second_hand_over(stage: Stage) -> None:
    await stage.hear(meta_message(1))

    await send(stage, await by_hand(stage, 90))
    await send(stage, await by_hand(stage, 90))
    await send(stage, await by_hand(stage, 91))

    assert len(stage.handling()) == 1
    assert (await stage.thread())["sequence"] == 3
    assert len(stage.whole.meta.calls) == 2


async def test_an_answer_let_through_before_is_told_its_outcome_whatever_has_come_since(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    command = await answer(stage)
    first = await send(stage, command)
    await stage.hear(meta_message(2))

    again = await send(stage, command)

    assert again == first
    assert len(stage.whole.meta.calls) == 1


async def test_an_answer_in_a_conversation_that_a_person_handles_is_refused(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    thread = await stage.thread()
    hand_over = HandOverConversation(
        conversation_id=thread["_id"], handled_by="human", by="agent", note="Wants a refund"
    )
    await stage.bus.request(hand_over, timeout_seconds=30)

    with pytest.raises(ConflictError) as refused:
        await send(stage, await answer(stage))

    assert refused.value.code == "outdated"


async def test_handing_over_and_back_is_told_once_each_and_outdates_answers(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    thread_id = (await stage.thread())["_id"]

    for to in ("human", "human", "agent", "agent", "human"):
        command = HandOverConversation(conversation_id=thread_id, handled_by=to, by="api")
        await stage.bus.request(command, timeout_seconds=30)

    assert [change.handled_by for change in stage.handling()] == ["human", "agent", "human"]
    assert [change.id for change in stage.handling()] == [
        f"conversation.handed_over:{thread_id}:2",
        f"conversation.handed_back:{thread_id}:3",
        f"conversation.handed_over:{thread_id}:4",
    ]
    assert "changes" not in await stage.thread()


async def test_a_hand_over_that_could_not_be_told_is_told_later(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    stage.bus.is_away = True
    command = HandOverConversation(conversation_id=(await stage.thread())["_id"], handled_by="human", by="api")
    await stage.bus.request(command, timeout_seconds=30)

    stage.bus.is_away = False
    await stage.conversing.handling.sweep()
    await stage.conversing.handling.sweep()

    assert [change.handled_by for change in stage.handling()] == ["human"]


async def test_no_answer_is_sent_after_the_window_has_closed(stage: Stage) -> None:
    await stage.hear(meta_message(1, at=NOON - timedelta(hours=25)))

    with pytest.raises(ConflictError) as refused:
        await send(stage, await answer(stage))

    assert refused.value.code == "window_closed"


async def test_no_answer_is_sent_to_somebody_who_opted_out(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    waiting = await answer(stage)
    await stage.opt_out()

    with pytest.raises(ConflictError) as refused:
        await send(stage, waiting)

    assert refused.value.code == "opted_out"


async def test_an_outdated_answer_that_nobody_waits_for_leaves_nothing(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    stale = await answer(stage)
    await stage.hear(meta_message(2))

    await stage.bus.send(stale)

    assert await stage.whole.states() == []
    assert stage.whole.failed() == []


@pytest.mark.parametrize("change", [{"user_id": "usr_2"}, {"to": "+919999999999"}, {"conversation_id": "0" * 24}])
async def test_a_reply_into_a_conversation_that_is_not_theirs_is_not_found(
    stage: Stage, change: dict[str, Any]
) -> None:
    await stage.hear(meta_message(1))

    with pytest.raises(NotFoundError):
        await send(stage, await by_hand(stage, **change))


async def test_a_customer_without_a_number_is_answered_by_the_scoped_id(stage: Stage) -> None:
    await stage.hear(meta_message(1, sender=None, sender_user_id="IN.134912"))

    outcome = await send(stage, await answer(stage, to="IN.134912"))

    (call,) = stage.whole.meta.calls
    assert outcome.status == "sent"
    assert (call.body["recipient"], "to" in call.body) == ("IN.134912", False)
    assert await stage.database["contacts"].count_documents({}) == 1


async def instagram(stage: Stage) -> None:
    """Have somebody write on Instagram."""
    await stage.add_number("pn_ig", platform="instagram", meta_phone_number_id="1784")
    await stage.hear(meta_message(1, channel="instagram", meta_phone_number_id="1784", sender="12544"))


async def test_on_instagram_an_answer_goes_to_the_scoped_id_without_our_data(stage: Stage) -> None:
    await instagram(stage)

    outcome = await send(stage, await answer(stage, phone_number_id="pn_ig", to="12544"))

    (call,) = stage.whole.meta.calls
    assert (call.meta_phone_number_id, call.body) == (
        "1784",
        {"recipient": {"id": "12544"}, "message": {"text": "hello 1"}},
    )
    assert (outcome.status, outcome.wa_message_id) == ("sent", "wamid.1")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (MediaContent(type="image", url="https://example.com/a.png"), "text_only"),
        (TextContent(text="ক" * 334), "text_too_long"),
    ],
)
async def test_on_instagram_what_it_does_not_take_is_refused(stage: Stage, content: Any, code: str) -> None:
    await instagram(stage)

    with pytest.raises(InvalidInputError) as refused:
        await send(stage, await answer(stage, phone_number_id="pn_ig", to="12544", content=content))

    assert refused.value.code == code


async def test_what_came_after_a_hand_back_is_the_agents_again(stage: Stage) -> None:
    await stage.hear(meta_message(1))
    thread_id = (await stage.thread())["_id"]
    for to in ("human", "agent"):
        command = HandOverConversation(conversation_id=thread_id, handled_by=to, by="api")
        await stage.bus.request(command, timeout_seconds=30)

    await stage.hear(meta_message(2))

    assert [item.agent_id for item in stage.received()] == [AGENT, AGENT]


async def test_messages_by_the_api_take_nobody_over(stage: Stage) -> None:
    await stage.hear(meta_message(1))

    await send(stage, text(5, PHONE))

    thread = await stage.thread()
    assert (thread["handled_by"], thread["sequence"]) == ("agent", 1)
    assert (await stage.whole.document(5))["_id"] == message_id(5)
