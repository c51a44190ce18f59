"""From what services announce to what vendors are told. Every event's id is its cause's, so it can be told twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.webhooks.domain import event_bodies as bodies
from services.webhooks.domain.events import WEBCHAT, VendorEvent
from shared.clock import iso_millis
from shared.contracts.campaigns import CampaignChange
from shared.contracts.contacts import ConsentChange
from shared.contracts.conversations import ClickedButton, HandlingChange, QualityChange, ReceivedMessage
from shared.contracts.messaging import FailedMessage, MessageStatusChange, MetaError, QueuedMessage, SentMessage
from shared.contracts.templates import Template
from shared.contracts.webhooks import Subscription

_NAMES_OF_STATUSES = {
    "delivered": "message.delivered",
    "read": "message.read",
    "played": "message.read",  # whoever played a voice message has read it, and hears of it once
    "failed": "message.failed",
}
_NAMES_OF_CAMPAIGNS = {
    "RUNNING": "campaign.started",
    "PAUSED": "campaign.paused",
    "COMPLETED": "campaign.completed",
    "FAILED": "campaign.failed",
}
_WEBCHAT_NUMBER = "pn_webchat_"


def message_sent(message: SentMessage) -> VendorEvent:
    """`message.sent`: a message was accepted."""
    body = bodies.MessageSentBody(
        message_id=message.message_id,
        wa_message_id=message.wa_message_id,
        conversation_id=message.conversation_id,
        to=message.to,
        type=message.type,
        timestamp=iso_millis(message.sent_at),
        event_id=message.id,
        source=message.source,
    )
    return _of_message(message, "message.sent", message.id, body)


def message_queued(message: QueuedMessage) -> VendorEvent:
    """`message.queued`: a message was accepted and waits."""
    name = "message.queued"
    body = bodies.MessageQueuedBody(
        **_message_fields(message, name, message.id),
        timestamp=iso_millis(message.queued_at),
        status="queued",
        reason=message.reason,
    )
    return _of_message(message, name, message.id, body)


def message_failed(message: FailedMessage) -> VendorEvent:
    """`message.failed`: a message ended without having been accepted."""
    body = bodies.MessageFailedBody(
        **_message_fields(message, "message.failed", f"message.failed:{message.message_id}"),
        timestamp=iso_millis(message.failed_at),
        status="failed",
        wa_message_id=None,
        failure=message.failure,
        outcome_unknown=message.outcome_unknown,
        **_error_fields(message.error),
    )
    return _of_message(message, "message.failed", body.event_id, body)


def message_status_changed(change: MessageStatusChange) -> VendorEvent | None:
    """`message.delivered`, `message.read` or `message.failed`; None for `sent`, which has been told before."""
    name = _NAMES_OF_STATUSES.get(change.status)
    if name is None:
        return None
    common = _message_fields(change, name, f"{name}:{change.message_id}") | {
        "timestamp": iso_millis(change.at),
        "status": name.removeprefix("message."),
        "wa_message_id": change.wa_message_id,
    }
    if name != "message.failed":
        return _of_message(change, name, common["event_id"], bodies.MessageStatusBody(**common))
    failure = "meta_unexplained" if change.error is None else f"meta_{change.error.code}"
    body = bodies.MessageFailedBody(**common, failure=failure, outcome_unknown=False, **_error_fields(change.error))
    return _of_message(change, name, body.event_id, body)


def message_received(message: ReceivedMessage) -> VendorEvent:
    """`message.received`: a customer wrote."""
    body = bodies.MessageReceivedBody(
        event="message.received",
        event_id=message.id,
        timestamp=iso_millis(message.received_at),
        **_shared_fields(message, bodies.MessageReceivedBody),
    )
    return VendorEvent(
        body.event,
        message.id,
        message.user_id,
        _bytes(body),
        phone_number_id=message.phone_number_id,
        channel=message.channel,
        thread=message.conversation_id,
    )


def button_clicked(click: ClickedButton) -> VendorEvent:
    """`button.clicked`: a customer tapped a button."""
    body = bodies.ButtonClickedBody(
        event="button.clicked",
        event_id=f"button.clicked:{click.click_id}",
        timestamp=iso_millis(click.clicked_at),
        **_shared_fields(click, bodies.ButtonClickedBody),
    )
    return VendorEvent(
        body.event,
        body.event_id,
        click.user_id,
        _bytes(body),
        phone_number_id=click.phone_number_id,
        channel=channel_of(click.phone_number_id, click.contact_phone),
        thread=click.conversation_id,
    )


def template_status_changed(template: Template, previous_status: str) -> VendorEvent:
    """`template.status_changed`: the template's status is not what it was."""
    at = iso_millis(template.updated_at)
    body = bodies.TemplateStatusChangedBody(
        event="template.status_changed",
        event_id=f"template.status_changed:{template.template_id}:{int(template.updated_at.timestamp() * 1000)}",
        timestamp=at,
        previous_status=previous_status,
        reason=template.rejected_reason,
        **_shared_fields(template, bodies.TemplateStatusChangedBody),
    )
    return VendorEvent(body.event, body.event_id, template.user_id, _bytes(body))


def campaign_changed(change: CampaignChange) -> VendorEvent | None:
    """`campaign.started`, `.paused`, `.completed` or `.failed`; None for states of which nobody is told."""
    name = _NAMES_OF_CAMPAIGNS.get(change.status)
    if name is None:
        return None
    fields = _shared_fields(change, bodies.CampaignBody)
    counters = {key: value for key, value in change.counters.items() if key not in fields and _is_plain(value)}
    body = bodies.CampaignBody(event=name, event_id=change.id, timestamp=iso_millis(change.at), **fields, **counters)
    return VendorEvent(name, change.id, change.user_id, _bytes(body), phone_number_id=change.phone_number_id)


def consent_changed(change: ConsentChange) -> VendorEvent:
    """`contact.opted_out` or `contact.opted_in`."""
    body = bodies.ContactBody(
        event="contact.opted_out" if change.opted_out else "contact.opted_in",
        event_id=change.id,
        timestamp=iso_millis(change.at),
        **_shared_fields(change, bodies.ContactBody),
    )
    return VendorEvent(body.event, change.id, change.user_id, _bytes(body))


def handling_changed(change: HandlingChange) -> VendorEvent:
    """`conversation.handed_over` or `conversation.handed_back`."""
    body = bodies.ConversationBody(
        event="conversation.handed_over" if change.handled_by == "human" else "conversation.handed_back",
        event_id=change.id,
        timestamp=iso_millis(change.at),
        **_shared_fields(change, bodies.ConversationBody),
    )
    return VendorEvent(
        body.event,
        change.id,
        change.user_id,
        _bytes(body),
        phone_number_id=change.phone_number_id,
        channel=change.channel,
        thread=change.conversation_id,
    )


def quality_changed(change: QualityChange) -> VendorEvent:
    """`phone_number.quality_changed`."""
    body = bodies.QualityBody(
        event="phone_number.quality_changed",
        event_id=change.id,
        timestamp=iso_millis(change.at),
        phone_number_id=change.phone_number_id,
        change=change.event,
        messaging_limit=change.limit,
    )
    return VendorEvent(body.event, change.id, change.user_id, _bytes(body), phone_number_id=change.phone_number_id)


def webhook_disabled(webhook: Subscription, reason: str, disabled_at: datetime) -> VendorEvent:
    """`webhook.disabled`, for the other webhooks of its user."""
    body = bodies.WebhookDisabledBody(
        event="webhook.disabled",
        event_id=f"webhook.disabled:{webhook.webhook_id}:{int(disabled_at.timestamp() * 1000)}",
        timestamp=iso_millis(disabled_at),
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        reason=reason,
    )
    return VendorEvent(body.event, body.event_id, webhook.user_id, _bytes(body))


def channel_of(phone_number_id: str, address: str) -> str:
    """Which channel a message went by: our web chat numbers have a name of their own, and only WhatsApp has phones."""
    if phone_number_id.startswith(_WEBCHAT_NUMBER):
        return WEBCHAT
    return "whatsapp" if address.startswith("+") else "instagram"


_OfMessage = SentMessage | QueuedMessage | FailedMessage | MessageStatusChange


def _of_message(message: _OfMessage, name: str, event_id: str, body: BaseModel) -> VendorEvent:
    return VendorEvent(
        name,
        event_id,
        message.user_id,
        _bytes(body),
        phone_number_id=message.phone_number_id,
        channel=channel_of(message.phone_number_id, message.to),
        source=message.source,
        thread=message.conversation_id,
    )


def _message_fields(message: _OfMessage, name: str, event_id: str) -> dict[str, Any]:
    own = _shared_fields(message, bodies.MessageBody, but=("status",))
    return {"event": name, "event_id": event_id} | own


def _shared_fields(item: BaseModel, body: type[BaseModel], but: Sequence[str] = ()) -> dict[str, Any]:
    """What a body takes over from its cause under the same name."""
    names = type(item).model_fields.keys() & body.model_fields.keys() - {"event", "event_id", "timestamp", *but}
    return {name: getattr(item, name) for name in names}


def _error_fields(error: MetaError | None) -> dict[str, Any]:
    return {
        "error_code": error and error.code,
        "error_subcode": error and error.subcode,
        "error_message": error and error.message,
        "error_details": error and error.details,
    }


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _bytes(body: BaseModel) -> bytes:
    return body.model_dump_json(by_alias=True).encode()
