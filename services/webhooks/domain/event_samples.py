"""One example of each vendor event, told from an example of its cause by the same code as real ones."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from services.webhooks.domain import telling
from services.webhooks.domain.events import VendorEvent
from shared.contracts.campaigns import CampaignChange, CampaignStatus
from shared.contracts.contacts import ConsentChange
from shared.contracts.conversations import ClickedButton, HandlingChange, QualityChange, ReceivedMessage
from shared.contracts.messaging import FailedMessage, MessageStatusChange, MetaError, QueuedMessage, SentMessage
from shared.contracts.templates import Template
from shared.contracts.webhooks import Subscription

_AT = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
_USER, _NUMBER, _TEMPLATE, _CAMPAIGN = "usr_123", "pn_abc456", "tpl_xyz789", "camp_123"
_MESSAGE, _CONVERSATION = "6789abcdef1234567890abcd", "6789abcdef1234567890ef01"
_WA_MESSAGE, _PHONE = "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgS", "+919876543210"

_COMMON: dict[str, Any] = {
    "message_id": _MESSAGE,
    "conversation_id": _CONVERSATION,
    "user_id": _USER,
    "phone_number_id": _NUMBER,
    "to": _PHONE,
    "type": "template",
    "source": "external_api",
    "template_id": _TEMPLATE,
}
_REFUSAL = MetaError(message="Message undeliverable", code=131026, details="The recipient is not on WhatsApp.")


def _status(status: str) -> VendorEvent:
    change = MessageStatusChange(
        id=f"message.{status}:{_MESSAGE}", wa_message_id=_WA_MESSAGE, status=cast("Any", status), at=_AT, **_COMMON
    )
    return cast("VendorEvent", telling.message_status_changed(change))


def _campaign(status: CampaignStatus, word: str, reason: str | None = None) -> VendorEvent:
    change = CampaignChange(
        id=f"campaign.{word}:{_CAMPAIGN}:1",
        campaign_id=_CAMPAIGN,
        user_id=_USER,
        phone_number_id=_NUMBER,
        template_id=_TEMPLATE,
        name="Spring Sale",
        status=status,
        reason=reason,
        counters={"total_recipients": 100, "sent_count": 100, "delivered_count": 95, "read_count": 72}
        if status == "COMPLETED"
        else {},
        at=_AT,
    )
    return cast("VendorEvent", telling.campaign_changed(change))


def _consent(*, opted_out: bool) -> VendorEvent:
    word = "opted_out" if opted_out else "opted_in"
    return telling.consent_changed(
        ConsentChange(
            id=f"contact.{word}:chg_1",
            user_id=_USER,
            contact_id="contact_123",
            phone=_PHONE,
            opted_out=opted_out,
            proof="keyword",
            evidence="STOP" if opted_out else "START",
            at=_AT,
        )
    )


def _handling(handled_by: Any, word: str, by: Any, note: str | None) -> VendorEvent:
    return telling.handling_changed(
        HandlingChange(
            id=f"conversation.{word}:{_CONVERSATION}:3",
            user_id=_USER,
            phone_number_id=_NUMBER,
            conversation_id=_CONVERSATION,
            channel="whatsapp",
            contact_id="contact_123",
            handled_by=handled_by,
            note=note,
            by=by,
            at=_AT,
        )
    )


_RECEIVED = ReceivedMessage(
    id=f"message.received:{_MESSAGE}",
    message_id=_MESSAGE,
    wa_message_id=_WA_MESSAGE,
    conversation_id=_CONVERSATION,
    contact_id="contact_123",
    user_id=_USER,
    phone_number_id=_NUMBER,
    channel="whatsapp",
    sender=_PHONE,
    type="text",
    text="Is it still available?",
    content={"body": "Is it still available?"},
    sequence=4,
    received_at=_AT,
)
_CLICK = ClickedButton(
    click_id="click_123",
    user_id=_USER,
    phone_number_id=_NUMBER,
    conversation_id=_CONVERSATION,
    message_id=_MESSAGE,
    template_id=_TEMPLATE,
    campaign_id=_CAMPAIGN,
    recipient_id="rcp_1",
    button_index=0,
    payload="interested",
    text="Interested",
    contact_phone=_PHONE,
    contact_name="Ravi",
    clicked_at=_AT,
)
_TEMPLATE_NOW = Template(
    template_id=_TEMPLATE,
    user_id=_USER,
    phone_number_id=_NUMBER,
    waba_id="102290129340398",
    name="order_update",
    language="en_US",
    category="UTILITY",
    status="APPROVED",
    components=(),
    created_at=_AT,
    updated_at=_AT,
)
_SENT = SentMessage(id=f"message.sent:{_MESSAGE}", wa_message_id=_WA_MESSAGE, sent_at=_AT, **_COMMON)
_QUEUED = QueuedMessage(id=f"message.queued:{_MESSAGE}", reason="meta_130429", queued_at=_AT, **_COMMON)
_FAILED = FailedMessage(
    id=f"message.failed:{_MESSAGE}", failure="meta_131026", error=_REFUSAL, failed_at=_AT, **_COMMON
)
_QUALITY = QualityChange(
    id="phone_number.quality_changed:chg_1",
    user_id=_USER,
    phone_number_id=_NUMBER,
    event="FLAGGED",
    limit="TIER_10K",
    at=_AT,
)
_WEBHOOK = Subscription(
    webhook_id="wh_123",
    user_id=_USER,
    url="https://shop.example.com/hooks/waapi",
    events=("*",),
    status="disabled",
    description=None,
    created_at=_AT,
)

SAMPLES: Mapping[str, VendorEvent] = {
    event.name: event
    for event in (
        telling.message_sent(_SENT),
        telling.message_queued(_QUEUED),
        _status("delivered"),
        _status("read"),
        telling.message_failed(_FAILED),
        telling.message_received(_RECEIVED),
        telling.button_clicked(_CLICK),
        telling.template_status_changed(_TEMPLATE_NOW, "PENDING"),
        _campaign("RUNNING", "started"),
        _campaign("PAUSED", "paused", "Meta has paused the template order_update"),
        _campaign("COMPLETED", "completed"),
        _campaign("FAILED", "failed", "The template was deleted"),
        _consent(opted_out=True),
        _consent(opted_out=False),
        _handling("human", "handed_over", "agent", "Wants a refund for order A-17"),
        _handling("agent", "handed_back", "api", None),
        telling.quality_changed(_QUALITY),
        telling.webhook_disabled(_WEBHOOK, "failing", _AT),
    )
}
