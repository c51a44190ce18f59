"""Every payload that Meta documents, from the bytes that Meta posts to the state that it ends in."""

import json
from typing import Any

import pytest

from services.webhooks.domain.meta_updates import MetaUpdates, parse_updates
from shared.contracts.base import Event
from shared.contracts.contacts import ConsentsChanged
from shared.contracts.conversations import NumberQualityChanged
from shared.contracts.inbound import MetaMessagesReceived, MetaNoticesReceived, MetaPreferencesReceived
from shared.contracts.messaging import SendMessage
from shared.contracts.webhooks import MetaStatusesReceived
from tests.conversations.payloads import ACCOUNT, IG_USER, MESSAGES, NOTICES, OTHERS, change, instagram, preference
from tests.conversations.stage import AGENT, PHONE, SENDER, Stage, meta_message
from tests.messaging.doubles import NOON
from tests.messaging.stage import META_ID, NUMBER, text


def read(post: Any) -> MetaUpdates:
    return parse_updates(json.dumps(post).encode(), NOON)


async def hear(stage: Stage, *posts: Any) -> None:
    """Have posts come in, as webhooks would tell of them."""
    for updates in map(read, posts):
        events: list[tuple[type[Event], Any]] = [
            (MetaMessagesReceived, updates.messages),
            (MetaPreferencesReceived, updates.preferences),
            (MetaNoticesReceived, updates.notices),
            (MetaStatusesReceived, updates.statuses),
        ]
        await stage.bus.publish(*(kind.model_validate({"items": items}) for kind, items in events if items))


async def opted_out(stage: Stage) -> list[bool]:
    """Every change of consent that was announced, in order; a repetition has the same id."""
    told = [item for event in stage.bus.published if isinstance(event, ConsentsChanged) for item in event.items]
    return list({item.id: item.opted_out for item in told}.values())


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_message_ends_in_its_conversation_however_often_it_comes(stage: Stage, name: str) -> None:
    await stage.add_number("pn_ig", platform="instagram", meta_phone_number_id=ACCOUNT)
    post, kind, words, is_answered = MESSAGES[name]

    await hear(stage, post, post)

    (item,) = stage.received()
    assert (item.type, item.text, item.agent_id) == (kind, words, AGENT if is_answered else None)
    assert item.sender == (IG_USER if name.startswith("instagram") else PHONE)
    assert read(post).is_fully_told
    assert await stage.database["inbound_messages"].count_documents({"wake_at": {"$exists": False}}) == (
        0 if name in {"button", "button_reply", "list_reply"} else 1  # a tap waits for the message that had the button
    )


@pytest.mark.parametrize("name", ["image", "video", "voice", "document", "sticker", "instagram_image"])
async def test_a_message_with_a_file_names_it(stage: Stage, name: str) -> None:
    await stage.add_number("pn_ig", platform="instagram", meta_phone_number_id=ACCOUNT)

    await hear(stage, MESSAGES[name][0])

    (item,) = stage.received()
    assert item.media_id == f"media_{item.message_id}"


@pytest.mark.parametrize(
    ("name", "key"),
    [("from_an_ad", "referral"), ("forwarded", "context"), ("unsupported", "errors"), ("identity_changed", "identity")],
)
async def test_what_stands_beside_a_messages_own_part_is_kept(stage: Stage, name: str, key: str) -> None:
    await hear(stage, MESSAGES[name][0])

    assert key in stage.received()[0].content


@pytest.mark.parametrize("name", NOTICES)
async def test_a_notice_is_kept_shown_and_told_once(stage: Stage, name: str) -> None:
    post, word, is_told, rating, limit = NOTICES[name]

    await hear(stage, post, post)

    (kept,) = await stage.database["meta_notices"].find().to_list()
    told = [each for event in stage.bus.published if isinstance(event, NumberQualityChanged) for each in event.items]
    number = await stage.database["phone_numbers"].find_one({"_id": NUMBER}) or {}
    assert (kept["event"], [each.event for each in told]) == (word, [word] if is_told else [])
    assert (number.get("quality_rating"), number.get("messaging_limit")) == (rating, limit)


async def test_an_older_notice_that_comes_late_changes_nothing_that_is_shown(stage: Stage) -> None:
    flagged, unflagged = NOTICES["flagged"][0], NOTICES["unflagged"][0]
    unflagged["entry"][0]["time"] = 1739399999

    await hear(stage, unflagged, flagged)

    assert (await stage.database["phone_numbers"].find_one({"_id": NUMBER}) or {})["quality_rating"] == "GREEN"


async def test_a_preference_stops_marketing_and_resumes_it(stage: Stage) -> None:
    await hear(stage, preference("stop", 100), preference("stop", 100), preference("resume", 200))

    assert await opted_out(stage) == [True, False]
    assert (await stage.contact())["consent"]["proof"] == "meta_preference"


async def test_preferences_that_change_places_on_their_way_end_the_same(stage: Stage) -> None:
    await hear(stage, preference("resume", 200), preference("stop", 100))

    assert (await stage.contact())["consent"]["marketing"] == "opted_in"


@pytest.mark.parametrize("name", OTHERS)
async def test_what_means_nothing_to_us_is_counted_and_told_nobody(stage: Stage, name: str) -> None:
    updates = read(OTHERS[name])

    await hear(stage, OTHERS[name])

    assert stage.bus.published == []
    assert sum(updates.kinds.values()) == 1
    assert updates.is_fully_told == (name == "instagram_echo")


async def test_a_read_receipt_of_instagram_is_a_status_of_our_message(stage: Stage) -> None:
    await stage.add_number("pn_ig", platform="instagram", meta_phone_number_id=ACCOUNT)
    await hear(stage, instagram(message={"mid": "aWd", "text": "hi"}))
    thread = await stage.thread()
    command = text(
        1, IG_USER, phone_number_id="pn_ig", source="conversation", conversation_id=thread["_id"], at=stage.clock()
    )
    await stage.bus.request(command, timeout_seconds=30)

    await hear(stage, instagram(read={"mid": "wamid.1"}))

    assert [change.status for change in stage.whole.changes()] == ["read"]


async def test_a_customer_who_hides_the_number_is_known_by_the_scoped_id_alone(stage: Stage) -> None:
    person = {"profile": {"name": "Pablo", "username": "@pablo"}, "user_id": "US.13491208655302741918"}
    inbound = {"id": "wamid.h", "from_user_id": "US.13491208655302741918", "timestamp": "1749416383", "type": "text"}
    value = {
        "metadata": {"phone_number_id": META_ID},
        "contacts": [person],
        "messages": [inbound | {"text": {"body": "Hola"}}],
    }

    await hear(stage, change("messages", value))

    (item,) = stage.received()
    contact = await stage.contact()
    assert (item.sender, item.text, item.agent_id) == ("US.13491208655302741918", "Hola", AGENT)
    assert (contact["username"], contact["name"], "phone" in contact) == ("@pablo", "Pablo", False)


STOPS = ["STOP", " stop. ", "Unsubscribe!", "BAJA", "arrêt", "बंद करो", "إيقاف", "বন্ধ", "Abmelden"]


@pytest.mark.parametrize("words", STOPS)
async def test_a_stop_word_alone_opts_out_is_confirmed_and_silences_the_agent(stage: Stage, words: str) -> None:
    await stage.hear(meta_message(1, text=words))
    await stage.hear(meta_message(1, text=words), meta_message(2, text="Are you there?"))

    (confirmation,) = [each for each in stage.bus.sent if isinstance(each, SendMessage)][:1]
    assert await opted_out(stage) == [True]
    assert (confirmation.to, confirmation.source) == (PHONE, "system")
    assert [item.agent_id for item in stage.received()] == [None, None]
    assert len(stage.whole.meta.calls) == 1
    assert (await stage.contact())["consent"]["proof"] == "keyword"


@pytest.mark.parametrize("words", ["Please stop calling", "stop it", "start", "cancel", "Is there a bus stop?", ""])
async def test_other_words_change_nothing(stage: Stage, words: str) -> None:
    await stage.hear(meta_message(1, text=words))

    assert await opted_out(stage) == []
    assert [item.agent_id for item in stage.received()] == [AGENT]
    assert stage.whole.meta.calls == []


async def test_a_start_word_from_somebody_who_opted_out_brings_everything_back(stage: Stage) -> None:
    await stage.hear(meta_message(1, text="STOP"))
    stage.clock.pass_time(60)
    await stage.hear(meta_message(2, text="START", at=stage.clock()))

    await stage.hear(meta_message(3, text="Where is my order?", at=stage.clock()))

    assert await opted_out(stage) == [True, False]
    assert [item.agent_id for item in stage.received()] == [None, None, AGENT]
    assert [call.body["text"]["body"].split()[-1] for call in stage.whole.meta.calls] == ["again.", "them."]


async def test_a_templates_opt_out_button_opts_out(stage: Stage) -> None:
    content = {"payload": "Stop promotions", "text": "Stop promotions"}

    await stage.hear(meta_message(1, type="button", text="Stop promotions", content=content, context_id="wamid.out"))

    assert await opted_out(stage) == [True]
    assert (await stage.contact())["consent"]["proof"] == "button"


def test_senders_are_who_the_payloads_say() -> None:
    assert {item.sender for post, *_ in MESSAGES.values() for item in read(post).messages} == {SENDER, IG_USER}
