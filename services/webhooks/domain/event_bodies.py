"""What vendors are told: the shape of each event's JSON. All are flat, with `event`, `event_id` and `timestamp`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.conversations import Channel
from shared.contracts.messaging import MessageSource

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class EventBody(BaseModel):
    """One event. Members may be added in time; receivers ignore those that they do not know."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    event: str
    """What happened."""
    event_id: str
    """The same in every attempt, resend and replay: what you have seen, you know."""
    timestamp: Time
    """When it happened."""


class MessageSentBody(BaseModel):
    """The event of the external send API: its keys in its order, then `event_id` and `source`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    event: Literal["message.sent"] = "message.sent"
    message_id: str
    """Ours."""
    wa_message_id: str
    """Meta's."""
    conversation_id: str | None
    to: str
    """The recipient: E.164 on WhatsApp, the scoped id on Instagram."""
    type: str
    """The message's type, e.g. `text` or `template`."""
    status: Literal["sent"] = "sent"
    timestamp: Time
    event_id: str
    source: MessageSource
    """Who sent it."""


class MessageBody(EventBody):
    """What became of a message of yours."""

    message_id: str
    """Ours."""
    conversation_id: str | None
    phone_number_id: str
    to: str
    """The recipient: E.164 on WhatsApp, the scoped id on Instagram."""
    type: str
    status: str
    source: MessageSource
    """Who sent it."""
    campaign_id: str | None
    recipient_id: str | None
    """The campaign's recipient."""
    template_id: str | None


class MessageQueuedBody(MessageBody):
    """A message was accepted, and waits."""

    reason: str | None
    """What it waits for."""


class MessageStatusBody(MessageBody):
    """Meta told what became of a message."""

    wa_message_id: str
    """Meta's."""


class MessageFailedBody(MessageBody):
    """A message will not arrive."""

    wa_message_id: str | None
    """Meta's, where it had accepted the message first."""
    failure: str | None
    """Why, as a stable name, e.g. `expired`, `opted_out` or `meta_131026`."""
    outcome_unknown: bool
    """Whether only Meta knows: a late status may still tell that it was sent."""
    error_code: int | None
    """Meta's error, here and below."""
    error_subcode: int | None
    error_message: str | None
    error_details: str | None


class MessageReceivedBody(EventBody):
    """A customer wrote."""

    message_id: str
    """Ours."""
    wa_message_id: str | None
    """Meta's; null on web chat."""
    conversation_id: str
    contact_id: str
    phone_number_id: str
    channel: Channel
    sender: str = Field(serialization_alias="from")
    """E.164 on WhatsApp, the scoped id on Instagram, the session on web chat."""
    type: str
    """`text`, `image`, `button`, `location`, …"""
    text: str | None
    """What a person would read: body, caption, or the button's text."""
    content: dict[str, Any]
    """The kind's own part, as it came."""
    media_id: str | None
    """For `GET /api/v1/media/{id}`."""
    context_wa_message_id: str | None
    """The message that it answers."""


class ButtonClickedBody(EventBody):
    """A customer tapped a button."""

    click_id: str
    message_id: str | None
    """Ours that had the button; null when it is not known."""
    conversation_id: str | None
    phone_number_id: str
    template_id: str | None
    campaign_id: str | None
    recipient_id: str | None
    button_index: int | None
    payload: str | None
    text: str
    contact_phone: str
    contact_name: str | None


class TemplateStatusChangedBody(EventBody):
    """Meta's judgement of a template changed."""

    template_id: str
    waba_id: str
    name: str
    language: str
    category: str
    status: str
    """`APPROVED`, `REJECTED`, `PAUSED`, …"""
    previous_status: str
    reason: str | None
    """Why it was rejected."""


class CampaignBody(EventBody):
    """A campaign started, paused or ended. Its counters at that moment stand beside."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    campaign_id: str
    name: str
    status: str
    reason: str | None
    """Why it was paused or failed."""
    phone_number_id: str
    template_id: str


class ContactBody(EventBody):
    """A contact changed their mind about marketing."""

    contact_id: str
    phone: str
    opted_out: bool
    proof: str
    """How we know: `keyword`, `button`, `meta_preference`, `meta_refusal`, `api` or `import`."""
    evidence: str | None
    """The word, the message's id, or the caller's words."""


class ConversationBody(EventBody):
    """A conversation went to a human, or back to the agent."""

    conversation_id: str
    contact_id: str
    phone_number_id: str
    channel: Channel
    handled_by: Literal["human", "agent"]
    by: str
    """Who decided it: `agent`, `api` or `human_reply`."""
    note: str | None


class QualityBody(EventBody):
    """Meta's judgement of a phone number changed."""

    phone_number_id: str
    change: str
    """Meta's word: `FLAGGED`, `UNFLAGGED`, `UPGRADE`, `DOWNGRADE`, …"""
    messaging_limit: str | None
    """Meta's tier, e.g. `TIER_10K`."""


class WebhookDisabledBody(EventBody):
    """Another webhook of yours is told nothing any more. Its events are kept for thirty days."""

    webhook_id: str
    url: str
    reason: str
    """`gone` (it answered 410) or `failing` (every attempt of five days failed)."""
