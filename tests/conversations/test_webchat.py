"""Web chats: what visitors write and what they are answered, in one order, without Meta."""

import asyncio
from typing import Any

import pytest

from shared.contracts.conversations import HandOverConversation
from shared.contracts.messaging import MessageOutcome
from shared.contracts.webchat import (
    GetWebchatTranscript,
    ReceivedWebchatMessage,
    ReceiveWebchatMessage,
    VisitorInput,
    WebchatTranscript,
)
from shared.errors import NotFoundError
from tests.conversations.stage import AGENT, Stage
from tests.messaging.stage import USER, text

CHANNEL, SESSION = "pn_webchat_1", "ses_1"


@pytest.fixture
async def chat(stage: Stage) -> Stage:
    """A stage with a web chat that an agent answers."""
    await stage.add_number(CHANNEL, platform="webchat", meta_phone_number_id=CHANNEL)
    await stage.database["phone_numbers"].update_one({"_id": CHANNEL}, {"$set": {"agent_id": AGENT}})
    return stage


async def say(chat: Stage, client_id: str = "c1", words: str = "hello", **changes: Any) -> ReceivedWebchatMessage:
    fields: dict[str, Any] = {
        "phone_number_id": CHANNEL,
        "session_id": SESSION,
        "client_message_id": client_id,
        "text": words,
    }
    return await chat.bus.request(ReceiveWebchatMessage(**(fields | changes)), timeout_seconds=30)


async def transcript(chat: Stage, **changes: Any) -> WebchatTranscript:
    fields = {"phone_number_id": CHANNEL, "session_id": SESSION}
    return await chat.bus.request(GetWebchatTranscript(**(fields | changes)), timeout_seconds=30)


async def reply(chat: Stage, number: int, source: str = "agent", **changes: Any) -> MessageOutcome:
    (thread,) = await chat.database["conversations"].find({"channel": "webchat"}).to_list()
    known: dict[str, Any] = {"conversation_id": thread["_id"], "phone_number_id": CHANNEL, "to": SESSION}
    if source == "agent":
        known["based_on_sequence"] = thread["sequence"]
    return await chat.bus.request(text(number, source=source, **(known | changes)), timeout_seconds=30)


async def test_what_a_visitor_writes_is_told_like_any_other_message(chat: Stage) -> None:
    told = await say(chat)

    (item,) = chat.received()
    assert (item.message_id, item.conversation_id) == (told.message_id, told.conversation_id)
    assert (item.channel, item.sender, item.user_id, item.text) == ("webchat", SESSION, USER, "hello")
    assert (item.agent_id, item.wa_message_id, told.position) == (AGENT, None, 1)


async def test_the_same_message_again_is_the_first_one(chat: Stage) -> None:
    first = await say(chat, "c1", "hello")
    chat.clock.pass_time(60)

    again = await say(chat, "c1", "hello, edited")

    assert again == first
    assert [item.text for item in chat.received()] == ["hello"]
    assert [entry.text for entry in (await transcript(chat)).items] == ["hello"]


async def test_answers_are_kept_and_announced_without_a_call_to_meta(chat: Stage) -> None:
    await say(chat)

    outcome = await reply(chat, 1)

    (sent,) = chat.whole.sent()
    assert (outcome.status, sent.message_id, sent.to, sent.source) == ("sent", outcome.message_id, SESSION, "agent")
    assert chat.whole.meta.calls == []
    assert await chat.whole.states() == ["SENT"]
    assert "wake_at" not in await chat.whole.document(1)


async def test_a_transcript_has_both_sides_and_notices_in_their_order(chat: Stage) -> None:
    first = await say(chat, "c1", "one")
    await reply(chat, 1)
    await say(chat, "c2", "two")
    await reply(chat, 2, "conversation")
    back = HandOverConversation(conversation_id=first.conversation_id, handled_by="agent", by="api")
    await chat.bus.request(back, timeout_seconds=30)

    found = await transcript(chat)

    assert [(each.position, each.kind, each.author or each.handled_by, each.text) for each in found.items] == [
        (1, "message", "visitor", "one"),
        (2, "message", "agent", "hello 1"),
        (3, "message", "visitor", "two"),
        (4, "notice", "human", None),
        (5, "message", "human", "hello 2"),
        (6, "notice", "agent", None),
    ]
    assert (found.last_position, found.handled_by) == (6, "agent")
    assert [each.client_message_id for each in found.items] == ["c1", None, "c2", None, None, None]


async def test_a_transcript_is_read_from_a_place_or_from_its_end(chat: Stage) -> None:
    for number in range(1, 6):
        await say(chat, f"c{number}", str(number))

    after = await transcript(chat, after=3)
    last = await transcript(chat, last=True, limit=2)
    before = await transcript(chat, last=True, before=4, limit=2)

    assert [entry.text for entry in after.items] == ["4", "5"]
    assert [entry.text for entry in last.items] == ["4", "5"]
    assert [entry.text for entry in before.items] == ["2", "3"]


async def test_a_session_that_has_said_nothing_has_an_empty_transcript(chat: Stage) -> None:
    assert await transcript(chat) == WebchatTranscript()


async def test_lines_stored_at_the_same_moment_have_places_without_gaps(chat: Stage) -> None:
    told = await asyncio.gather(*(say(chat, f"c{number}", str(number)) for number in range(8)))

    assert sorted(each.position for each in told) == list(range(1, 9))
    assert [entry.position for entry in (await transcript(chat)).items] == list(range(1, 9))


async def test_an_answer_whose_storing_was_cut_short_is_stored_once_and_announced(chat: Stage) -> None:
    await say(chat)
    chat.bus.is_away = True
    await reply(chat, 1)
    chat.bus.is_away = False
    await say(chat, "c2", "and then?")  # the answer was given: what is said now does not take it back

    again = await reply(chat, 1, based_on_sequence=1)
    chat.clock.pass_time(6)
    await chat.whole.sweep()

    assert again.status == "sent"
    assert {item.message_id for item in chat.whole.sent()} == {again.message_id}
    assert [entry.author for entry in (await transcript(chat)).items] == ["visitor", "agent", "visitor"]


async def test_two_visitors_never_see_each_other(chat: Stage) -> None:
    mine = await say(chat, "c1", "mine")
    theirs = await say(chat, "c1", "theirs", session_id="ses_2")

    assert mine.message_id != theirs.message_id
    assert [entry.text for entry in (await transcript(chat)).items] == ["mine"]
    assert [entry.text for entry in (await transcript(chat, session_id="ses_2")).items] == ["theirs"]


async def test_what_a_site_has_proven_of_a_visitor_is_kept(chat: Stage) -> None:
    await say(chat, visitor=VisitorInput(name="Asha", email="asha@example.com"))
    await say(chat, "c2")

    contact = await chat.contact()
    assert (contact["name"], contact["email"], "phone" in contact) == ("Asha", "asha@example.com", False)


@pytest.mark.parametrize("number", ["pn_webchat_unknown", "pn_1"])
async def test_a_message_to_no_web_chat_is_not_found(chat: Stage, number: str) -> None:
    with pytest.raises(NotFoundError):
        await say(chat, phone_number_id=number)
