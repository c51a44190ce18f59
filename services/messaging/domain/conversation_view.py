"""Messages of a conversation as people read them, in either direction."""

from typing import Any, Literal

import orjson

from services.messaging.domain.inbound import InboundMessage
from services.messaging.domain.messages import StoredMessage
from services.messaging.domain.spoken import spoken
from services.messaging.domain.states import FAILED, RANKS, SENT, UNKNOWN
from shared.contracts.templates import Template
from shared.contracts.threads import Author, ThreadMessage

_BY_RANK: dict[int, Literal["sent", "failed", "delivered", "read", "played"]] = {
    RANKS["sent"]: "sent",
    RANKS["failed"]: "failed",
    RANKS["delivered"]: "delivered",
    RANKS["read"]: "read",
    RANKS["played"]: "played",
}
_AUTHORS: dict[str, Author] = {"agent": "agent", "conversation": "human"}


def received_view(message: InboundMessage) -> ThreadMessage:
    """What the customer wrote."""
    return ThreadMessage(
        message_id=message.id,
        wa_message_id=message.wa_message_id,
        direction="inbound",
        author="customer",
        type=message.type,
        text=message.text,
        content=message.content,
        media_id=message.media_id,
        status="received",
        context_wa_message_id=message.context_wa_message_id,
        at=message.received_at,
    )


def sent_view(stored: StoredMessage, template: Template | None) -> ThreadMessage:
    """What we wrote, and what became of it. `template` is the one it was rendered from, if we know it."""
    message = stored.message
    body: dict[str, Any] = orjson.loads(message.payload)
    content = body.get(message.type)
    return ThreadMessage(
        message_id=message.id,
        wa_message_id=stored.wa_message_id,
        direction="outbound",
        author=_AUTHORS.get(message.source, "business"),
        type=message.type,
        text=spoken(body, template),
        content=content if isinstance(content, dict) else {},
        status=_status(stored),
        failure=stored.failure,
        at=message.accepted_at,
    )


def _status(stored: StoredMessage) -> Literal["queued", "sent", "failed", "delivered", "read", "played"]:
    if stored.rank in _BY_RANK:
        return _BY_RANK[stored.rank]
    if stored.state == SENT:
        return "sent"
    return "failed" if stored.state == FAILED or (stored.state == UNKNOWN and stored.error is not None) else "queued"
