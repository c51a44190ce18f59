"""Meta's statuses on our messages: which of them count, in which order, and what is told of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.messaging.domain.states import RANKS
from shared.contracts.messaging import MessageSource, MessageStatusChange
from shared.contracts.webhooks import MetaStatus


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """What telling of a message's statuses needs of it; far less than the whole message."""

    id: str
    user_id: str
    phone_number_id: str
    conversation_id: str | None
    contact_id: str
    to: str
    type: str
    source: MessageSource
    campaign_id: str | None
    recipient_id: str | None
    template_id: str | None
    state: str
    raised: tuple[str, ...]  # the statuses that raised its rank


def rising(statuses: Iterable[MetaStatus]) -> list[MetaStatus]:
    """The first status of each name, the lowest rank first."""
    first: dict[str, MetaStatus] = {}
    for status in statuses:
        first.setdefault(status.status, status)
    return sorted(first.values(), key=lambda status: RANKS[status.status])


def changes_of(
    messages: Iterable[HeardMessage], statuses: Mapping[str, Sequence[MetaStatus]]
) -> tuple[MessageStatusChange, ...]:
    """What is announced: of each message, the statuses that raised its rank, each once."""
    return tuple(
        _change(message, status)
        for message in messages
        for status in rising(statuses[message.id])
        if status.status in message.raised
    )


def renumbered(messages: Iterable[HeardMessage], statuses: Mapping[str, Sequence[MetaStatus]]) -> Mapping[str, str]:
    """Contacts whose number Meta spells otherwise than it was dialled (as in Brazil and Mexico): so they will write."""
    return {
        message.contact_id: status.recipient_id
        for message in messages
        for status in statuses[message.id]
        if status.recipient_id is not None and message.to.startswith("+") and message.to[1:] != status.recipient_id
    }


def _change(message: HeardMessage, status: MetaStatus) -> MessageStatusChange:
    return MessageStatusChange(
        id=f"message.{status.status}:{message.id}",
        message_id=message.id,
        wa_message_id=status.wa_message_id,
        conversation_id=message.conversation_id,
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        to=message.to,
        type=message.type,
        source=message.source,
        campaign_id=message.campaign_id,
        recipient_id=message.recipient_id,
        template_id=message.template_id,
        status=status.status,
        error=status.error,
        at=status.at,
    )
