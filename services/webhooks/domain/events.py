"""The events that vendors can subscribe to, and the bytes each one is told in."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from shared.clock import iso_millis
from shared.contracts.messaging import SentMessage
from shared.errors import InvalidInputError
from shared.similar_names import close_matches

MESSAGE_SENT = "message.sent"
EVERY_EVENT = "*"

EVENT_NAMES = frozenset(
    {
        MESSAGE_SENT,
        "message.queued",
        "message.delivered",
        "message.read",
        "message.failed",
        "message.received",
        "button.clicked",
        "template.status_changed",
        "campaign.started",
        "campaign.paused",
        "campaign.completed",
        "campaign.failed",
        "contact.opted_out",
        "contact.opted_in",
        "conversation.handed_over",
        "conversation.handed_back",
        "phone_number.quality_changed",
        "webhook.disabled",
    }
)


@dataclass(frozen=True, slots=True)
class VendorEvent:
    """Something a vendor may be told. The body is fixed here, so that every attempt sends the same bytes."""

    name: str
    event_id: str
    user_id: str
    body: bytes


def message_sent(message: SentMessage) -> VendorEvent:
    """`message.sent`: the keys of the external send API in its order, then `event_id` and `source`."""
    body = {
        "event": MESSAGE_SENT,
        "message_id": message.message_id,
        "wa_message_id": message.wa_message_id,
        "conversation_id": message.conversation_id,
        "to": message.to,
        "type": message.type,
        "status": "sent",
        "timestamp": iso_millis(message.sent_at),
        "event_id": message.id,
        "source": message.source,
    }
    return VendorEvent(MESSAGE_SENT, message.id, message.user_id, orjson.dumps(body))


def is_wanted(name: str, subscribed: Sequence[str]) -> bool:
    """Whether a subscription to these names hears of an event."""
    return name in subscribed or EVERY_EVENT in subscribed


def checked_event_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names without repetitions. Raises InvalidInputError naming the entry that is no event."""
    if not names:
        raise _refused("events", 'must name at least one event, or "*" for all')
    for index, name in enumerate(names):
        if name != EVERY_EVENT and name not in EVENT_NAMES:
            raise _refused(f"events[{index}]", _unknown(name))
    return tuple(dict.fromkeys(names))


def _unknown(name: str) -> str:
    close = close_matches(name, sorted(EVENT_NAMES))
    return f"{name[:100]!r} is not an event" + (f"; did you mean {close[0]!r}?" if close else "")


def _refused(field: str, reason: str) -> InvalidInputError:
    return InvalidInputError(f"{field}: {reason}", details=[{"field": field, "message": reason}])
