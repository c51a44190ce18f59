"""What customers do on WhatsApp, and what they let a business send them.

Source: Meta, WhatsApp Business Platform, webhooks (`messages`, `user_preferences`). Since 2026 a customer with a user
name may show no phone number: then the business-scoped id (`user_id`) alone says who it is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.webhooks.domain.meta_values import content, inner, moment, text, text_or_none, words
from shared.contracts.inbound import MetaMessage, MetaPreference

_WORDS_OF = {"text": "body", "system": "body", "button": "text", "order": "text", "reaction": "emoji"}
_BESIDE = ("referral", "errors", "unsupported", "context", "identity", "group_id")  # what stands next to a kind's part


def read_message(message: dict[str, Any], value: dict[str, Any], received_at: datetime) -> MetaMessage:
    """One element of `messages`; `value` is what it came in. Raises ValueError when it cannot be read."""
    number, kind = text(inner(value, "metadata").get("phone_number_id")), text(message.get("type"))
    sender, user_id = text_or_none(message.get("from")), text_or_none(message.get("from_user_id"))
    person = _person(value.get("contacts"), sender, user_id)
    sender = sender or text_or_none(person.get("wa_id"))
    user_id = user_id or text_or_none(person.get("user_id"))
    if sender is None and user_id is None:
        raise ValueError("a message of nobody")
    part = _part(message, kind)
    return MetaMessage(
        wa_message_id=text(message.get("id")),
        channel="whatsapp",
        meta_phone_number_id=number,
        sender=sender,
        sender_user_id=user_id,
        username=text_or_none(words(inner(person, "profile").get("username"))),
        profile_name=text_or_none(words(inner(person, "profile").get("name"))),
        type=kind,
        text=_readable(kind, part),
        content=content(part | {key: message[key] for key in _BESIDE if key in message and key not in part}),
        context_id=_context_id(kind, message, part),
        at=moment(message.get("timestamp"), received_at),
    )


def read_preference(preference: dict[str, Any], value: dict[str, Any], received_at: datetime) -> MetaPreference:
    """One element of `user_preferences`. Raises ValueError when it cannot be read."""
    sender, user_id = text_or_none(preference.get("wa_id")), text_or_none(preference.get("user_id"))
    if sender is None and user_id is None:
        raise ValueError("a preference of nobody")
    return MetaPreference(
        meta_phone_number_id=text(inner(value, "metadata").get("phone_number_id")),
        sender=sender,
        sender_user_id=user_id,
        category=text(preference.get("category")),
        value=text(preference.get("value")),
        at=moment(preference.get("timestamp"), received_at),
    )


def _person(contacts: Any, sender: str | None, user_id: str | None) -> dict[str, Any]:
    """The contact that a message is from: the one of the same id, or the only one."""
    known = [each for each in contacts if isinstance(each, dict)] if isinstance(contacts, list) else []
    for contact in known:
        if sender is not None and text_or_none(contact.get("wa_id")) == sender:
            return contact
        if user_id is not None and text_or_none(contact.get("user_id")) == user_id:
            return contact
    return known[0] if len(known) == 1 and sender is None and user_id is None else {}


def _part(message: dict[str, Any], kind: str) -> dict[str, Any]:
    part = message.get(kind)
    if isinstance(part, list):  # the one kind that is a list is `contacts`
        return {kind: part}
    return part if isinstance(part, dict) else {}


def _context_id(kind: str, message: dict[str, Any], part: dict[str, Any]) -> str | None:
    """Meta's id of the message that this one is about; a forwarded one is about none."""
    if kind == "reaction":
        return text_or_none(part.get("message_id"))
    return text_or_none(inner(message, "context").get("id"))


def _readable(kind: str, part: dict[str, Any]) -> str | None:
    """What a person would read of a message."""
    match kind:
        case "interactive":
            return _reply(part)
        case "location":
            return _joined((part.get("name"), part.get("address")))
        case "contacts":
            people = part["contacts"] if isinstance(part.get("contacts"), list) else []
            return _joined([inner(each, "name").get("formatted_name") for each in people if isinstance(each, dict)])
        case _:
            return words(part.get(_WORDS_OF.get(kind, "caption")))


def _reply(part: dict[str, Any]) -> str | None:
    reply = inner(part, part["type"]) if isinstance(part.get("type"), str) else {}
    return words(reply.get("title")) or words(reply.get("body")) or words(reply.get("response"))


def _joined(parts: Sequence[Any]) -> str | None:
    return ", ".join(filter(None, map(words, parts))) or None
