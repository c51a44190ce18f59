"""What happened to one message, step by step."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime

from shared.contracts.base import Contract, HexId, Identifier, Query, Reply
from shared.contracts.messaging import MessageSource


class MetaExchange(Contract):
    """What was posted to Meta, or what it answered. The token is never part of it."""

    method: str | None = None
    path: str | None = None
    headers: dict[str, str] | None = None
    body: dict[str, Any]


class TimelineStep(Contract):
    """One step: when, in which service, what."""

    at: AwareDatetime
    service: Literal["gateway", "campaigns", "messaging", "meta", "webhooks"]
    what: str  # accepted, stored, posted, sent, failed, outcome_unknown, status_delivered, …
    note: str | None = None
    request: MetaExchange | None = None
    answer: MetaExchange | None = None


class MessageTimeline(Reply):
    """A message's life so far, oldest step first."""

    message_id: HexId
    wa_message_id: str | None
    conversation_id: HexId | None
    contact_id: Identifier | None
    user_id: Identifier
    phone_number_id: Identifier
    campaign_id: Identifier | None = None
    template_id: Identifier | None = None
    to: str
    type: str
    source: MessageSource
    state: str
    steps: tuple[TimelineStep, ...]


class GetMessageTimeline(Query[MessageTimeline]):
    """The timeline of a message of ours, by our id or by Meta's. Raises NotFoundError."""

    message_type: ClassVar[str] = "messaging.get_message_timeline.v1"
    reply_type: ClassVar[type[Reply]] = MessageTimeline

    message_id: str
