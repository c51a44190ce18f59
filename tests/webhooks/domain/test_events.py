"""The events vendors subscribe to."""

from datetime import UTC, datetime

import pytest

from services.webhooks.domain.events import checked_event_names, is_wanted, message_sent
from shared.contracts.messaging import SentMessage
from shared.errors import InvalidInputError

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
    sent_at=datetime(2026, 3, 5, 10, 30, tzinfo=UTC),
)


def test_message_sent_has_the_documented_keys_in_their_order_then_ours() -> None:
    event = message_sent(MESSAGE)

    assert event.body == (
        b'{"event":"message.sent","message_id":"6789abcdef1234567890abcd","wa_message_id":"wamid.HBgL...",'
        b'"conversation_id":"6789abcdef1234567890aaaa","to":"+919876543210","type":"text","status":"sent",'
        b'"timestamp":"2026-03-05T10:30:00.000Z","event_id":"message.sent:6789abcdef1234567890abcd",'
        b'"source":"external_api"}'
    )
    assert (event.name, event.event_id, event.user_id) == ("message.sent", MESSAGE.id, "usr_1")


def test_a_message_without_conversation_says_null() -> None:
    body = message_sent(MESSAGE.model_copy(update={"conversation_id": None})).body

    assert b'"conversation_id":null' in body


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


@pytest.mark.parametrize(
    ("subscribed", "wanted"),
    [(("message.sent",), True), (("*",), True), (("message.read",), False), (("message.read", "*"), True)],
)
def test_a_subscription_hears_of_what_it_names_or_of_everything(subscribed: tuple[str, ...], wanted: bool) -> None:
    assert is_wanted("message.sent", subscribed) is wanted
