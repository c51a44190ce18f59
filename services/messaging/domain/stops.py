"""What forbids a message between its claim and its intent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.messaging.domain.messages import OutboundMessage

OPTED_OUT: Final = "opted_out"
CANCELLED: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class Stop:
    """A campaign that is held (or cancelled for good), or a contact who takes no marketing."""

    id: str
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What becomes of a message: it ends with a reason, or it is held until its campaign goes on."""

    message_id: str
    fate: Literal["opted_out", "cancelled", "held"]


def campaign_stop_id(campaign_id: str) -> str:
    """The stop of a campaign."""
    return f"campaign:{campaign_id}"


def contact_stop_id(contact_id: str) -> str:
    """The stop of a contact."""
    return f"contact:{contact_id}"


def stop_ids(message: OutboundMessage) -> Iterator[str]:
    """The stops that a message could meet: its campaign's, and with marketing its recipient's."""
    if message.campaign_id is not None:
        yield campaign_stop_id(message.campaign_id)
    if message.message_class == "marketing":
        yield contact_stop_id(message.contact_id)


def forbidden(message: OutboundMessage, stops: Mapping[str, Stop]) -> Forbidden | None:
    """What the stops do to a message, if anything; what ends it counts before what only holds it."""
    if message.message_class == "marketing" and contact_stop_id(message.contact_id) in stops:
        return Forbidden(message.id, OPTED_OUT)
    stop = stops.get(campaign_stop_id(message.campaign_id)) if message.campaign_id is not None else None
    if stop is None:
        return None
    return Forbidden(message.id, CANCELLED if stop.cancelled else "held")
