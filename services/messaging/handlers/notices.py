"""What Meta says of numbers and accounts: kept once, shown on the number, and told to whoever listens."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.messaging.repositories.notices import NoticeRepository
from shared.bus.port import Bus, Received
from shared.contracts.conversations import NumberQualityChanged, QualityChange
from shared.contracts.inbound import MetaNotice, MetaNoticesReceived
from shared.ids import derived_hex_id

log = structlog.get_logger()

# What concerns whether, and how much, a number may send; names, reviews and security requests are only kept.
_TOLD = frozenset({"phone_number_quality_update", "account_update", "account_alerts", "business_capability_update"})


@dataclass(frozen=True, slots=True)
class NoticeHandlers:
    """Idempotent: a notice is kept under the id that follows from its content, and is due until it has been told."""

    bus: Bus
    notices: NoticeRepository

    def register(self) -> None:
        """Listen to what webhooks took from Meta."""
        self.bus.on_group(MetaNoticesReceived, self.on_meta_notices_received)

    async def on_meta_notices_received(self, group: Sequence[Received[MetaNoticesReceived]]) -> None:
        """Keep what is new, and tell what concerns numbers."""
        for received in group:
            for notice in received.message.items:
                if await self.notices.add_once(notice):
                    await self._tell(notice)
                    await self.notices.mark_told(notice.id)

    async def _tell(self, notice: MetaNotice) -> None:
        log.info("meta_notice", field=notice.field, notice=notice.event, waba_id=notice.waba_id)
        if notice.field not in _TOLD:
            return
        changes = tuple(
            QualityChange(
                id=f"phone_number.quality_changed:{derived_hex_id(notice.id, number.phone_number_id)}",
                user_id=number.user_id,
                phone_number_id=number.phone_number_id,
                event=notice.event,
                limit=notice.limit,
                at=notice.at,
            )
            for number in await self.notices.apply(notice)
        )
        if changes:
            await self.bus.publish(NumberQualityChanged(items=changes))
