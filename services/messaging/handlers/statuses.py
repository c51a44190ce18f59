"""Meta's statuses, applied in any order and any number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.messaging.consequences import Consequences
from services.messaging.domain.states import LIFTABLE_STATES, RANKS
from services.messaging.domain.statuses import changes_of, renumbered
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.statuses import StatusRepository
from services.messaging.sweeper import Sweeper
from shared.bus.port import Bus, Received
from shared.contracts.messaging import MessageStatusesChanged
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
        await self.statuses.raise_ranks(matched)
        messages = await self.statuses.list_heard(list(matched))
        crash_point("messaging.statuses_applied")
        await self.senders.add_aliases(renumbered(messages, matched))
        await self.sweeper.settle([message.id for message in messages if message.state in LIFTABLE_STATES])
        await self._follow_up_failures(matched)
        if changes := changes_of(messages, matched):
            await self.bus.publish(MessageStatusesChanged(items=changes))

    async def _follow_up_failures(self, statuses: Mapping[str, Sequence[MetaStatus]]) -> None:
        errors = {
            id_: status.error
            for id_, each in statuses.items()
            for status in reversed(each)
            if status.status == "failed"
        }
        if errors:
            failed = await self.statuses.list_messages(list(errors))
            await self.consequences.of_late_failures([(each.message, errors[each.message.id]) for each in failed])
