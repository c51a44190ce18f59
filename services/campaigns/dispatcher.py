"""Hands recipients over to messaging: in order, in batches, never more than a window of each number.

Whoever dies after a batch was released and before it was handed over leaves rows that are released and overdue; they
are handed over again under the same message ids.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from services.campaigns.domain.campaigns import NO_DEADLINE, StoredCampaign
from services.campaigns.domain.pacing import (
    RELEASED_AGAIN_AFTER,
    batch_size_of,
    campaign_rate,
    next_release,
    portion_of,
    share_out,
    window_of,
)
from services.campaigns.domain.recipients import Row, batch_item
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.locks import LockRepository
from services.campaigns.repositories.recipients import RecipientRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.content import TemplateByIdContent
from shared.contracts.messaging import SendBatch
from shared.crashpoints import crash_point
from shared.errors import WaapiError
from shared.ids import new_id

log = structlog.get_logger()

_LANES_AT_ONCE = 8
_LEASE_KEPT_SECONDS = 10.0  # of the thirty for which it was taken
_RATE_KNOWN_SECONDS = 30.0
_AHEAD = 1.1  # a little more than can be sent, so that messaging does not run dry
_LOOK_AGAIN_SECONDS = 0.5  # at a campaign that has nobody to be sent to right now
_EVERYTHING = ""  # stands for all campaigns: none runs


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One round serves every number that has running campaigns. Replicas share the numbers out by leases."""

    bus: Bus
    campaigns: CampaignRepository
    recipients: RecipientRepository
    locks: LockRepository
    lifecycle: Lifecycle
    neighbours: Neighbours
    now: Clock
    monotonic: Callable[[], float] = time.monotonic
    patience: timedelta = RELEASED_AGAIN_AFTER  # with a recipient without outcome
    _leases: dict[str, float] = field(default_factory=dict)  # numbers that are ours, and until when
    _rates: dict[str, tuple[float, int]] = field(default_factory=dict)
    _allowances: dict[str, tuple[float, float]] = field(default_factory=dict)  # when, and how many recipients
    _idle: dict[str, float] = field(default_factory=dict)  # campaigns that need no look before

    async def round(self) -> int:
        """Release what fits now; returns how many recipients were handed over."""
        if self._idle.get(_EVERYTHING, 0.0) > self.monotonic():
            return 0
        lanes: defaultdict[str, list[StoredCampaign]] = defaultdict(list)
        for campaign in await self.campaigns.list_running():
            if not campaign.hold_due:  # messaging may still keep its messages back
                lanes[campaign.phone_number_id].append(campaign)
        self._forget(lanes)
        if not lanes:
            self._idle[_EVERYTHING] = self.monotonic() + _LOOK_AGAIN_SECONDS
        gate = asyncio.Semaphore(_LANES_AT_ONCE)

        async def serve(lane: list[StoredCampaign]) -> int:
            async with gate:
                return await self._serve(lane)

        return sum(await asyncio.gather(*map(serve, lanes.values())))

    async def hand_over(self, campaign: StoredCampaign, rows: Sequence[Row]) -> None:
        """Send released rows to messaging, which drops those that it knows. Raises BusUnavailableError."""
        by_run: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_run[row.run].append(row)
        size = batch_size_of(campaign.messages_per_second)
        batches = [
            self._batch(campaign, run, group[start : start + size])
            for run, group in by_run.items()
            for start in range(0, len(group), size)
        ]
        await asyncio.gather(*map(self.bus.send, batches))

    async def _serve(self, lane: list[StoredCampaign]) -> int:
        """Share a number's free window among its campaigns."""
        awake = [each for each in lane if self._idle.get(each.id, 0.0) <= self.monotonic()]
        if not awake or not await self._is_ours(lane[0].phone_number_id):
            return 0
        rate = await self._rate_of(lane[0])
        window = window_of(rate)
        free = self._allowance(lane[0].phone_number_id, rate)
        if free < portion_of(rate):
            return 0
        outstanding = await self.recipients.count_outstanding([each.id for each in lane], window)
        if window - outstanding < free:  # and it cannot become more any faster than the number sends
            free = self._limit(lane[0].phone_number_id, window - outstanding)
        if free < portion_of(rate):
            return 0
        # The one that got least last time comes first, so that a remainder is not always the same one's.
        start = int(self.monotonic() * 10) % len(awake)
        turns = awake[start:] + awake[:start]
        released = 0
        for each, share in zip(turns, share_out(free, len(turns)), strict=True):
            released += await self._release(each, share)
        self._spend(lane[0].phone_number_id, released)
        return released

    def _allowance(self, phone_number_id: str, rate: float) -> int:
        """What the number may send by now: more than that would only wait at messaging, where waiting costs more."""
        now = self.monotonic()
        at, left = self._allowances.get(phone_number_id, (now, float(portion_of(rate))))
        grown = min(left + (now - at) * campaign_rate(rate) * _AHEAD, float(window_of(rate)))
        self._allowances[phone_number_id] = (now, grown)
        return int(grown)

    def _limit(self, phone_number_id: str, free: int) -> int:
        at, _ = self._allowances[phone_number_id]
        self._allowances[phone_number_id] = (at, float(free))
        return free

    def _spend(self, phone_number_id: str, released: int) -> None:
        at, left = self._allowances[phone_number_id]
        self._allowances[phone_number_id] = (at, left - released)

    async def _release(self, campaign: StoredCampaign, count: int) -> int:
        now = self.now()
        is_late = campaign.deadline is not None and campaign.deadline <= now  # the sweeper skips who is left
        zones = campaign.calendar.open_zones(campaign.zones, now) if campaign.calendar.needs_zones else None
        rows: list[Row] = []
        if count > 0 and not is_late:
            rows = await self.recipients.take_pending(
                campaign.id, count, new_id("bat_"), next_release(now, 1, self.patience), zones
            )
        if len(rows) < count or not rows:  # nobody else is pending
            self._idle[campaign.id] = self.monotonic() + _LOOK_AGAIN_SECONDS
        if not rows:
            if not await self.recipients.has(campaign.id):
                await self.lifecycle.complete(campaign)
            return 0
        crash_point("campaigns.released")
        try:
            await self.hand_over(campaign, rows)
        except WaapiError as error:  # the broker is away; messaging drops what it has got after all
            log.warning("batch_not_handed_over", campaign_id=campaign.id, recipients=len(rows), error=error.message)
            await self.recipients.put_back([row.id for row in rows])
            return 0
        crash_point("campaigns.handed_over")
        return len(rows)

    def _batch(self, campaign: StoredCampaign, run: int, rows: Sequence[Row]) -> SendBatch:
        return SendBatch(
            user_id=campaign.user_id,
            phone_number_id=campaign.phone_number_id,
            campaign_id=campaign.id,
            round=max(row.round for row in rows),
            run=run,
            content=TemplateByIdContent(template_id=campaign.template_id),
            items=tuple(batch_item(campaign.id, row) for row in rows),
            expires_at=campaign.deadline or self.now() + NO_DEADLINE,
        )

    async def _is_ours(self, phone_number_id: str) -> bool:
        if self._leases.get(phone_number_id, 0.0) > self.monotonic():
            return True
        taken = await self.locks.keep(f"lane:{phone_number_id}")
        if taken:
            self._leases[phone_number_id] = self.monotonic() + _LEASE_KEPT_SECONDS
        return taken

    async def _rate_of(self, campaign: StoredCampaign) -> int:
        """The number's messages per second: as when the campaign was made, then asked for every half minute."""
        known = self._rates.get(campaign.phone_number_id)
        if known is not None and known[0] > self.monotonic():
            return known[1]
        rate = campaign.messages_per_second
        if known is not None:
            try:
                rate = (await self.neighbours.number(campaign.phone_number_id)).messages_per_second
            except WaapiError as error:
                log.info("rate_not_asked", phone_number_id=campaign.phone_number_id, error=error.message)
        self._rates[campaign.phone_number_id] = (self.monotonic() + _RATE_KNOWN_SECONDS, rate)
        return rate

    def _forget(self, lanes: Iterable[str]) -> None:
        """Keep nothing of numbers and campaigns that have come to rest."""
        known = set(lanes)
        for memory in (self._leases, self._rates, self._allowances):
            for phone_number_id in memory.keys() - known:
                del memory[phone_number_id]
        now = self.monotonic()
        for campaign_id in [id_ for id_, until in self._idle.items() if until <= now]:
            del self._idle[campaign_id]
