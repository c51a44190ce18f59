"""What customers do on Instagram: `entry[].messaging[]`, times in milliseconds, no `changes`.

Source: Meta, Instagram messaging webhooks. Copies of our own messages (`is_echo`) come the same way; taken for a
customer's, they would make an agent answer itself for ever.
"""

from datetime import datetime
from typing import Any

from services.webhooks.domain.meta_values import content, inner, moment_of_millis, text, text_or_none, words
from shared.contracts.inbound import MetaMessage
from shared.contracts.webhooks import MetaStatus

ECHO = "instagram.echo"
_EVENTS = ("reaction", "postback", "referral")


def is_echo(element: dict[str, Any]) -> bool:
    """Whether it is a copy of what our side has written."""
    return bool(inner(element, "message").get("is_echo"))


def read_seen(element: dict[str, Any], account: Any, received_at: datetime) -> MetaStatus:
    """The customer has read a message of ours. Raises ValueError when it cannot be read."""
    return MetaStatus(
        wa_message_id=text(inner(element, "read").get("mid")),
        status="read",
        at=moment_of_millis(element.get("timestamp"), received_at),
        meta_phone_number_id=text(account),
        recipient_id=text_or_none(inner(element, "sender").get("id")),
    )


def read_instagram(element: dict[str, Any], account: Any, received_at: datetime) -> MetaMessage:
    """Whatever else a customer did. Raises ValueError when it cannot be read."""
    sender = text(inner(element, "sender").get("id"))
    kind, part = _kind_of(element)
    return MetaMessage(
        wa_message_id=_id_of(kind, part, sender, element),
        channel="instagram",
        meta_phone_number_id=text(account),
        sender=sender,
        type=kind,
        text=words(part.get("text")) or words(part.get("title")) or words(part.get("emoji")),
        content=content(part),
        context_id=_context_id(kind, part),
        at=moment_of_millis(element.get("timestamp"), received_at),
    )


def _kind_of(element: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    for kind in _EVENTS:
        if isinstance(element.get(kind), dict):
            return kind, element[kind]
    message = inner(element, "message")
    if not message:
        raise ValueError("neither a message nor an event that we know")
    if message.get("is_deleted"):
        return "deleted", message
    if message.get("is_unsupported"):
        return "unsupported", message
    if isinstance(message.get("quick_reply"), dict):
        return "quick_reply", message
    if "text" in message:
        return "text", message
    return _attached(message), message


def _attached(message: dict[str, Any]) -> str:
    attachments = message.get("attachments")
    first = attachments[0] if isinstance(attachments, list) and attachments else {}
    return text_or_none(first.get("type") if isinstance(first, dict) else None) or "unsupported"


def _id_of(kind: str, part: dict[str, Any], sender: str, element: dict[str, Any]) -> str:
    """Its own id; what has none, or carries another message's, gets one that every repetition gets again."""
    if kind in {"reaction", "referral", "deleted"}:
        about = text_or_none(part.get("mid")) or sender
        return f"{kind}:{about}:{part.get('action', '')}:{text(element.get('timestamp'))}"[:1024]
    return text(part.get("mid"))


def _context_id(kind: str, part: dict[str, Any]) -> str | None:
    if kind in {"reaction", "deleted"}:
        return text_or_none(part.get("mid"))
    return text_or_none(inner(part, "reply_to").get("mid"))
