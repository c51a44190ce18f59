"""The events that vendors can subscribe to, and who of them hears which."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.webhooks import Subscription
from shared.errors import InvalidInputError
from shared.similar_names import close_matches

EVERY_EVENT = "*"
WEBCHAT = "webchat"

EVENT_NAMES = (
    "message.sent",
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
)


@dataclass(frozen=True, slots=True)
class VendorEvent:
    """Something a vendor may be told. The body is fixed here, so that every attempt sends the same bytes.

    What filters look at is None where the event has no such thing; events of one `thread` may be wanted in order.
    """

    name: str
    event_id: str
    user_id: str
    body: bytes
    phone_number_id: str | None = None
    channel: str | None = None
    source: str | None = None
    thread: str | None = None


def is_heard(event: VendorEvent, subscription: Subscription) -> bool:
    """Whether a subscription hears of an event of its user. A filter does not hold back what it cannot judge."""
    return (
        (event.name in subscription.events or EVERY_EVENT in subscription.events)
        and _passes(event.phone_number_id, subscription.phone_number_ids)
        and _passes(event.source, subscription.sources)
        and (event.channel != WEBCHAT or WEBCHAT in subscription.channels)
        and _passes(event.channel, subscription.channels)
    )


def _passes(value: str | None, wanted: Sequence[str]) -> bool:
    return not wanted or value is None or value in wanted


def checked_event_names(names: Sequence[str], field: str = "events") -> tuple[str, ...]:
    """The names without repetitions. Raises InvalidInputError naming the entry that is no event."""
    if not names:
        raise refused(field, 'must name at least one event, or "*" for all')
    for index, name in enumerate(names):
        if name != EVERY_EVENT:
            check_event_name(name, f"{field}[{index}]")
    return tuple(dict.fromkeys(names))


def check_event_name(name: str, field: str) -> None:
    """Raise InvalidInputError naming the field when this is no event."""
    if name in EVENT_NAMES:
        return
    close = close_matches(name, sorted(EVENT_NAMES))
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise refused(field, f"{name[:100]!r} is not an event{hint}")


def refused(field: str, reason: str) -> InvalidInputError:
    """The error for a wrong field."""
    return InvalidInputError(f"{field}: {reason}", details=[{"field": field, "message": reason}])
