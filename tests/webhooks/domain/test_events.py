"""The events vendors subscribe to: their names, who hears them, and what is told of each cause."""

from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import orjson
import pytest

from services.webhooks.domain import telling
from services.webhooks.domain.catalogue import event_types, example_event
from services.webhooks.domain.events import EVENT_NAMES, VendorEvent, checked_event_names, is_heard
from shared.contracts.campaigns import CampaignChange
from shared.contracts.messaging import FailedMessage, MessageStatusChange, MetaError, SentMessage
from shared.contracts.subscriptions import EventType
from shared.contracts.webhooks import Subscription
from shared.errors import InvalidInputError

AT = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
MESSAGE = SentMessage(
    id="message.sent:6789abcdef1234567890abcd",
    message_id="6789abcdef1234567890abcd",
    wa_message_id="wamid.HBgL...",
    conversation_id="6789abcdef1234567890aaaa",
    user_id="usr_1",
    phone_number_id="pn_1",
    to="+919876543210",
    type="text",
    source="external_api",
    sent_at=AT,
)
COMMON: dict[str, Any] = MESSAGE.model_dump(exclude={"id", "sent_at", "wa_message_id", "held"})


def status(name: str, error: MetaError | None = None) -> MessageStatusChange:
    fields = {"id": "x", "wa_message_id": "wamid.1", "status": name, "error": error, "at": AT}
    return MessageStatusChange.model_validate(COMMON | fields)


def subscription(**changes: Any) -> Subscription:
    fields = {"webhook_id": "wh_1", "user_id": "usr_1", "url": "https://a.example", "events": ("*",)}
    rest = {"status": "active", "description": None, "created_at": AT}
    return Subscription.model_validate(fields | rest | changes)


def told(event: VendorEvent | None) -> dict[str, Any]:
    assert event is not None
    body: dict[str, Any] = orjson.loads(event.body)
    return body


def test_message_sent_has_the_documented_keys_in_their_order_then_ours() -> None:
    event = telling.message_sent(MESSAGE)

    assert event.body == (
        b'{"event":"message.sent","message_id":"6789abcdef1234567890abcd","wa_message_id":"wamid.HBgL...",'
        b'"conversation_id":"6789abcdef1234567890aaaa","to":"+919876543210","type":"text","status":"sent",'
        b'"timestamp":"2026-03-05T10:30:00.000Z","event_id":"message.sent:6789abcdef1234567890abcd",'
        b'"source":"external_api"}'
    )
    assert (event.name, event.event_id, event.user_id) == ("message.sent", MESSAGE.id, "usr_1")


def test_a_message_without_conversation_says_null() -> None:
    body = telling.message_sent(MESSAGE.model_copy(update={"conversation_id": None})).body

    assert b'"conversation_id":null' in body


@pytest.mark.parametrize("kind", event_types(), ids=lambda kind: kind.name)
def test_the_example_of_every_event_is_flat_and_fulfils_its_schema(kind: EventType) -> None:
    jsonschema_rs.validator_for(kind.body_schema).validate(kind.example)

    assert kind.example["event"] == kind.name
    assert {"event", "event_id", "timestamp"} <= kind.example.keys()
    assert not {"data", "payload_object"} & kind.example.keys()
    assert kind.description.endswith(".")


def test_the_catalogue_knows_every_event_that_can_be_subscribed_to() -> None:
    assert [kind.name for kind in event_types()] == list(EVENT_NAMES)


def test_played_and_read_are_one_event_so_that_it_is_told_once() -> None:
    read, played = (telling.message_status_changed(status(name)) for name in ("read", "played"))

    assert told(read)["event_id"] == told(played)["event_id"] == "message.read:6789abcdef1234567890abcd"


def test_that_a_message_was_sent_is_told_by_its_own_event_alone() -> None:
    assert telling.message_status_changed(status("sent")) is None


def test_a_failure_on_the_way_and_one_before_it_are_the_same_event() -> None:
    error = MetaError(message="Undeliverable", code=131026, details="Not on WhatsApp")
    failed = FailedMessage(id="x", failure="meta_131026", error=error, failed_at=AT, **COMMON)

    before, after = told(telling.message_failed(failed)), told(telling.message_status_changed(status("failed", error)))

    assert before["event_id"] == after["event_id"] == "message.failed:6789abcdef1234567890abcd"
    assert (after["failure"], after["error_code"], after["error_details"]) == ("meta_131026", 131026, "Not on WhatsApp")
    assert (before["wa_message_id"], after["wa_message_id"]) == (None, "wamid.1")


def test_a_failure_that_meta_does_not_explain_has_a_name_all_the_same() -> None:
    assert told(telling.message_status_changed(status("failed")))["failure"] == "meta_unexplained"


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ("RUNNING", "campaign.started"),
        ("PAUSED", "campaign.paused"),
        ("COMPLETED", "campaign.completed"),
        ("FAILED", "campaign.failed"),
        ("CANCELLED", None),
        ("SCHEDULED", None),
        ("DRAFT", None),
    ],
)
def test_a_campaigns_counters_stand_flat_beside_it(state: str, name: str | None) -> None:
    change = CampaignChange.model_validate(
        {
            "id": f"campaign.x:camp_1:{state}",
            "campaign_id": "camp_1",
            "user_id": "usr_1",
            "phone_number_id": "pn_1",
            "template_id": "tpl_1",
            "name": "Spring",
            "status": state,
            "counters": {"sent_count": 5, "recipient_stats": {"sent": 5}, "status": "overwritten"},
            "at": AT,
        }
    )

    event = telling.campaign_changed(change)

    assert (event.name if event else None) == name
    if event is not None:
        body = told(event)
        assert (body["sent_count"], body["status"], "recipient_stats" in body) == (5, state, False)


def test_event_names_are_kept_in_order_and_once() -> None:
    names = ["message.sent", "webhook.disabled", "message.sent", "*"]

    assert checked_event_names(names) == ("message.sent", "webhook.disabled", "*")


@pytest.mark.parametrize(
    ("names", "field", "words"),
    [
        ([], "events", "at least one"),
        (["message.sent", "message.send"], "events[1]", "did you mean 'message.sent'"),
        ([""], "events[0]", "is not an event"),
        (["Message.Sent"], "events[0]", "is not an event"),
        (["x" * 5000], "events[0]", "is not an event"),
    ],
)
def test_a_name_that_is_no_event_is_refused_naming_the_entry(names: list[str], field: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as refused:
        checked_event_names(names)

    assert refused.value.details[0]["field"] == field
    assert len(refused.value.message) < 300


WEBCHAT = {"phone_number_id": "pn_webchat_1", "to": "sess_1", "source": "agent"}
INSTAGRAM = {"to": "17841400000000000"}


@pytest.mark.parametrize(
    ("message", "wishes", "heard"),
    [
        ({}, {"events": ("message.sent",)}, True),
        ({}, {"events": ("message.read",)}, False),
        ({}, {"events": ("message.read", "*")}, True),
        ({}, {"phone_number_ids": ("pn_1", "pn_2")}, True),
        ({}, {"phone_number_ids": ("pn_2",)}, False),
        ({}, {"sources": ("external_api",)}, True),
        ({}, {"sources": ("campaign", "agent")}, False),
        ({}, {"channels": ("whatsapp",)}, True),
        ({}, {"channels": ("instagram",)}, False),
        (INSTAGRAM, {}, True),
        (INSTAGRAM, {"channels": ("whatsapp",)}, False),
        (WEBCHAT, {}, False),
        (WEBCHAT, {"channels": ("webchat",)}, True),
        (WEBCHAT, {"channels": ("webchat",), "sources": ("campaign",)}, False),
    ],
)
def test_a_subscription_hears_what_its_filters_let_pass_and_web_chat_only_where_it_asks(
    message: dict[str, Any], wishes: dict[str, Any], heard: bool
) -> None:
    event = telling.message_sent(MESSAGE.model_copy(update=message))

    assert is_heard(event, subscription(**wishes)) is heard


def test_a_filter_does_not_hold_back_what_it_cannot_judge() -> None:
    opted_out = example_event("contact.opted_out", "t1", "usr_1")

    assert is_heard(opted_out, subscription(phone_number_ids=("pn_9",), sources=("agent",), channels=("instagram",)))


def test_a_test_event_is_the_example_under_an_id_of_its_own() -> None:
    event = example_event("message.sent", "t1", "usr_9")

    assert (event.user_id, event.event_id) == ("usr_9", "test:message.sent:t1")
    assert told(event)["event_id"] == "test:message.sent:t1"
    assert list(told(event)) == list(told(telling.message_sent(MESSAGE)))
