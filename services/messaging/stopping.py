"""Between claim and intent: what a held campaign or an opted-out contact forbids is not intended.

Holding a campaign is answered when no intent of it can be stored any more: the stop is written first, then what was
claimed before that is taken back.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.stops import CANCELLED, Forbidden, campaign_stop_id, forbidden
from services.messaging.repositories.holding import HoldingRepository
from services.messaging.repositories.stops import StopRepository
from shared.insist import insist

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stopping:
    """Stops, and what they do to messages."""

    stops: StopRepository
    holding: HoldingRepository

    async def allowed(self, group: Sequence[OutboundMessage], attempt_id: str) -> list[OutboundMessage]:
        """Those claimed messages that nothing forbids; the others are held, or end."""
        stops = await insist(lambda: self.stops.list_for(group))
        if not stops:
            return list(group)
        fates = {message.id: fate for message in group if (fate := forbidden(message, stops)) is not None}
        await insist(lambda: self._carry_out(list(fates.values()), attempt_id))
        await self._go_on([message for message in group if message.id in fates and fates[message.id].fate == "held"])
        log.info("messages_stopped", messages=len(fates))
        return [message for message in group if message.id not in fates]

    async def hold(self, campaign_id: str, *, cancelled: bool, version: int | None = None) -> None:
        """Let no further intent of a campaign be stored; with `cancelled` never again."""
        stop = await self.stops.hold_campaign(campaign_id, cancelled=cancelled, version=version)
        if stop is None:
            return
        if stop.cancelled:
            await self.holding.cancel_campaign(campaign_id, CANCELLED)
        else:
            await self.holding.hold_campaign(campaign_id)

    async def let_go(self, campaign_id: str, version: int | None = None) -> None:
        """Let a campaign go on; one that was cancelled only by a later version of its own."""
        if await self.stops.let_campaign_go(campaign_id, version):
            await self.holding.let_go(campaign_id)

    async def _carry_out(self, fates: Sequence[Forbidden], attempt_id: str) -> None:
        by_fate: defaultdict[str, list[str]] = defaultdict(list)
        for each in fates:
            by_fate[each.fate].append(each.message_id)
        for fate, ids in by_fate.items():
            if fate == "held":
                await self.holding.hold_claimed(ids, attempt_id)
            else:
                await self.holding.end_claimed(ids, attempt_id, fate)

    async def _go_on(self, held: Sequence[OutboundMessage]) -> None:
        """A campaign that was let go while its messages were being held would not know of these."""
        still = await self.stops.list_for(held)
        for campaign_id in {message.campaign_id for message in held if message.campaign_id is not None}:
            if campaign_stop_id(campaign_id) not in still:
                await self.holding.let_go(campaign_id)
