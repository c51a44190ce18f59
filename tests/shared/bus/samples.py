"""Messages for tests of the bus, as short as contracts allow."""

from datetime import UTC, datetime

from shared.contracts.content import TextContent
from shared.contracts.messaging import Credits, GetCredits, MessageOutcome, MessagesSent, SendMessage, SentMessage
from shared.contracts.templates import TemplatesChanged
from shared.contracts.webhooks import DeleteSubscription, MetaStatus, MetaStatusesReceived

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)

CREDITS = Credits(remaining_credits=9_500, total_used=500, total_granted=10_000)
GET_CREDITS = GetCredits(user_id="user_1")
DELETE = DeleteSubscription(webhook_id="wh_1")
SEND = SendMessage(
    message_id="65f0c0ffee65f0c0ffee65f0",
    user_id="user_1",
    phone_number_id="pn_1",
    to="+14155550123",
    content=TextContent(text="Grüße, 世界"),
    source="external_api",
    accepted_at=NOON,
)
OUTCOME = MessageOutcome(
    message_id=SEND.message_id, wa_message_id="wamid.1", conversation_id=None, contact_id="contact_1", status="sent"
)
SENT = MessagesSent(
    items=(
        SentMessage(
            id="message.sent:65f0c0ffee65f0c0ffee65f0",
            message_id=SEND.message_id,
            wa_message_id="wamid.1",
            conversation_id=None,
            user_id="user_1",
            phone_number_id="pn_1",
            to="+14155550123",
            type="text",
            source="external_api",
            sent_at=NOON,
        ),
    )
)
TEMPLATES = TemplatesChanged(items=())


def statuses(name: str) -> MetaStatusesReceived:
    """One status of the message `name`, so that a test can tell events apart."""
    item = MetaStatus(wa_message_id=name, status="delivered", at=NOON, meta_phone_number_id="106540352242922")
    return MetaStatusesReceived(items=(item,))


def name_of(event: MetaStatusesReceived) -> str:
    """What `statuses` was called with."""
    return event.items[0].wa_message_id
