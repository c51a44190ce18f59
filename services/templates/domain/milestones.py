"""What became of messages, as counts: each message reaches a milestone once, whatever news of it comes how often."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shared.contracts.messaging import FailedMessage, MessagesFailed, MessagesSent, MessageStatusesChanged, SentMessage

SENDS: Final = "total_sends"
DELIVERED: Final = "delivered_count"
READ: Final = "read_count"
FAILED: Final = "failed_count"
MILESTONES: Final = (SENDS, DELIVERED, READ, FAILED)

Outcomes = MessagesSent | MessagesFailed | MessageStatusesChanged

# Meta may tell that a message was read, and never that it was delivered: a milestone implies those before it.
_REACHED: Final = {
    "sent": (SENDS,),
    "delivered": (SENDS, DELIVERED),
    "read": (SENDS, DELIVERED, READ),
    "played": (SENDS, DELIVERED, READ),
    "failed": (SENDS, FAILED),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """The milestones that a message is known to have reached."""

    message_id: str
    template_id: str
    milestones: frozenset[str]


def progress_of(events: Iterable[Outcomes]) -> list[Progress]:
    """What the events say of messages with a template, each message once.

    A message of which only Meta knows has reached nothing yet: a status settles it, or nobody ever hears.
    """
    reached: dict[str, tuple[str, set[str]]] = {}
    for message_id, template_id, milestones in _news(events):
        reached.setdefault(message_id, (template_id, set()))[1].update(milestones)
    return [Progress(message_id, template_id, frozenset(names)) for message_id, (template_id, names) in reached.items()]


def _news(events: Iterable[Outcomes]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for event in events:
        for item in event.items:
            if item.template_id is None or (isinstance(item, FailedMessage) and item.outcome_unknown):
                continue
            if isinstance(item, SentMessage):
                status = "sent"
            else:
                status = "failed" if isinstance(item, FailedMessage) else item.status
            yield item.message_id, item.template_id, _REACHED[status]
