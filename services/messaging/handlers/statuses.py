"""Meta's statuses, applied in any order and any number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.messaging.consequences import Consequences
from services.messaging.domain.messages import StoredMessage
from services.messaging.domain.states import LIFTABLE_STATES, RANKS
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.statuses import StatusRepository
from services.messaging.sweeper import Sweeper
from shared.bus.port import Bus, Received
from shared.contracts.messaging import MessageStatusChange, MessageStatusesChanged
from shared.contracts.webhooks import MetaStatus, MetaStatusesReceived
from shared.crashpoints import crash_point

_PARKED_ROUND = 200


@dataclass(frozen=True, slots=True)
class StatusHandlers:
    """Idempotent: a status only raises its message's rank, and its change is announced under an id of its own."""

    bus: Bus
    statuses: StatusRepository
    sweeper: Sweeper
    consequences: Consequences
    senders: SenderRepository

    def register(self) -> None:
        """Listen to what webhooks took from Meta."""
        self.bus.on_group(MetaStatusesReceived, self.on_meta_statuses_received)

    async def on_meta_statuses_received(self, group: Sequence[Received[MetaStatusesReceived]]) -> None:
        """Apply all that came in together."""
        await self._apply([status for received in group for status in received.message.items])

    async def apply_parked(self) -> None:
        """Try again the statuses that came before their message was known."""
        parked = await self.statuses.list_parked(_PARKED_ROUND)
        if parked:
            await self._apply(parked)
            await self.statuses.unpark(parked)

    async def _apply(self, statuses: Iterable[MetaStatus]) -> None:
        matched = await self.statuses.match(status for status in statuses if status.status in RANKS)
        if not matched:
            return
        for name, by_message in _by_rising_rank(matched):
            await self.statuses.raise_ranks(name, by_message)
        messages = await self.statuses.list_messages(list(matched))
        crash_point("messaging.statuses_applied")
        await self.senders.add_aliases(_renumbered(messages, matched))
        await self.sweeper.settle([stored.message.id for stored in messages if stored.state in LIFTABLE_STATES])
        undelivered = [
            (stored.message, status.error)
            for stored in messages
            for status in matched[stored.message.id]
            if status.status == "failed"
        ]
        if undelivered:
            await self.consequences.of_late_failures(undelivered)
        changes = [
            _change(stored, status)
            for stored in messages
            for status in _one_of_each(matched[stored.message.id])
            if status.status in stored.raised
        ]
        if changes:
            await self.bus.publish(MessageStatusesChanged(items=tuple(changes)))


def _renumbered(messages: Sequence[StoredMessage], matched: Mapping[str, Sequence[MetaStatus]]) -> Mapping[str, str]:
    """Contacts whose number Meta spells otherwise than it was dialled (as in Brazil and Mexico): so they will write."""
    return {
        stored.message.contact_id: status.recipient_id
        for stored in messages
        for status in matched[stored.message.id]
        if status.recipient_id is not None
        and stored.message.to.startswith("+")
        and stored.message.to != f"+{status.recipient_id}"
    }


def _by_rising_rank(matched: dict[str, list[MetaStatus]]) -> list[tuple[str, dict[str, MetaStatus]]]:
    """One map of message id to status for each status name, the lowest rank first."""
    names: defaultdict[str, dict[str, MetaStatus]] = defaultdict(dict)
    for message_id, statuses in matched.items():
        for status in statuses:
            names[status.status].setdefault(message_id, status)
    return sorted(names.items(), key=lambda entry: RANKS[entry[0]])


def _one_of_each(statuses: list[MetaStatus]) -> list[MetaStatus]:
    """The first status of each name, the lowest rank first."""
    first = {status.status: status for status in reversed(statuses)}
    return sorted(first.values(), key=lambda status: RANKS[status.status])


def _change(stored: StoredMessage, status: MetaStatus) -> MessageStatusChange:
    message = stored.message
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
