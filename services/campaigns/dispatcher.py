"""Hands recipients over to messaging: in order, in batches, never more than a window of each number.

Whoever dies after a batch was released and before it was handed over leaves rows that are released and overdue; they
are handed over again under the same message ids.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

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
from services.campaigns.repositories.handover import HandoverRepository
from services.campaigns.repositories.locks import LockRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.running import Lanes, RunningCampaigns
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.content import TemplateByIdContent
from shared.contracts.messaging import SendBatch
from shared.crashpoints import crash_point
from shared.errors import WaapiError
from shared.ids import new_id

log = structlog.get_logger()

ResultT = TypeVar("ResultT")

_LANES_TOGETHER = 100  # numbers for which everything is asked and changed at once
_AT_ONCE = 8  # where each is asked for by itself
_LEASE_KEPT_SECONDS = 10.0  # of the thirty for which it was taken
_RATE_KNOWN_SECONDS = 30.0
_AHEAD = 1.1  # a little more than can be sent, so that messaging does not run dry


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One round serves every number that has running campaigns. Replicas share the numbers out by leases."""

    bus: Bus
    running: RunningCampaigns
    rows: HandoverRepository
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

    async def round(self) -> int:
        """Release what fits now; returns how many recipients were handed over."""
        lanes = await self.running.lanes()
        self._forget(lanes)
        turns = {number: turn for number, lane in lanes.items() if (turn := self._turn(lane))}
        numbers = list(turns)
        parts = [numbers[start : start + _LANES_TOGETHER] for start in range(0, len(numbers), _LANES_TOGETHER)]
        return sum([await self._serve(lanes, {number: turns[number] for number in part}) for part in parts])

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

    async def _serve(self, lanes: Lanes, turns: Lanes) -> int:
        """Share each number's free window among those of its campaigns whose turn it is; for all numbers together."""
        ours = await self._keep(turns)
        rates = await self._rates_of([turns[number][0] for number in ours])
        wanting = [number for number in ours if self._allowance(number, rates[number]) >= portion_of(rates[number])]
        out = await self.rows.count_released([each.id for number in wanting for each in lanes[number]])
        shares: dict[str, int] = {}
        for number in wanting:
            free = self._free(number, rates[number], sum(out.get(each.id, 0) for each in lanes[number]))
            if free >= portion_of(rates[number]):
                ids = [each.id for each in turns[number]]
                shares |= dict(zip(ids, share_out(free, len(ids)), strict=True))
        served = [each for turn in turns.values() for each in turn if each.id in shares]
        released = await self._release(served, shares)
        for each in served:
            self._spend(each.phone_number_id, released[each.id])
            if released[each.id] < shares[each.id] or not released[each.id]:  # nobody else is pending
                self.running.sleep(each.id)
        await self._complete([each for each in served if not released[each.id] and each.id not in out])
        return sum(released.values())

    def _turn(self, lane: Sequence[StoredCampaign]) -> list[StoredCampaign]:
        """A number's campaigns that may have somebody to be sent to, in the order of this round."""
        awake = [each for each in lane if self.running.is_awake(each.id)]
        # The one that got least last time comes first, so that a remainder is not always the same one's.
        start = int(self.monotonic() * 10) % len(awake) if awake else 0
        return awake[start:] + awake[:start]

    def _free(self, phone_number_id: str, rate: float, outstanding: int) -> int:
        """How many recipients of a number may be released now."""
        free = self._allowance(phone_number_id, rate)
        if window_of(rate) - outstanding < free:  # and it cannot become more any faster than the number sends
            return self._limit(phone_number_id, window_of(rate) - outstanding)
        return free

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

    async def _release(self, campaigns: Sequence[StoredCampaign], shares: Mapping[str, int]) -> dict[str, int]:
        """Hand over of each campaign at most its share, by id; how many it were."""
        taken = await self._take(campaigns, shares)
        if not taken:
            return dict.fromkeys(shares, 0)
        crash_point("campaigns.released")
        known = [each for each in campaigns if each.id in taken]
        counts = await asyncio.gather(*(self._hand_over_or_put_back(each, taken[each.id]) for each in known))
        crash_point("campaigns.handed_over")
        return dict.fromkeys(shares, 0) | {each.id: count for each, count in zip(known, counts, strict=True)}

    async def _take(self, campaigns: Sequence[StoredCampaign], shares: Mapping[str, int]) -> dict[str, list[Row]]:
        """Release rows: those of campaigns that fit into their share together, of larger ones the next in order."""
        now, batch = self.now(), new_id("bat_")
        due_at = next_release(now, 1, self.patience)
        small: dict[str, int] = {}
        large: list[StoredCampaign] = []
        for each in campaigns:
            if not shares[each.id] or (each.deadline is not None and each.deadline <= now):
                continue  # late: the sweeper skips who is left
            if each.credits_reserved <= shares[each.id] and not each.calendar.needs_zones:
                small[each.id] = shares[each.id]
            else:
                large.append(each)

        async def take(each: StoredCampaign) -> list[Row]:
            zones = each.calendar.open_zones(each.zones, now) if each.calendar.needs_zones else None
            return await self.rows.take_pending(each.id, shares[each.id], batch, due_at, zones)

        rows = dict(zip((each.id for each in large), await _few_at_a_time(take, large), strict=True))
        rows |= await self.rows.take_all_pending(small, batch, due_at)
        return {id_: own for id_, own in rows.items() if own}

    async def _hand_over_or_put_back(self, campaign: StoredCampaign, rows: Sequence[Row]) -> int:
        try:
            await self.hand_over(campaign, rows)
        except WaapiError as error:  # the broker is away; messaging drops what it has got after all
            log.warning("batch_not_handed_over", campaign_id=campaign.id, recipients=len(rows), error=error.message)
            await self.rows.put_back([row.id for row in rows])
            return 0
        return len(rows)

    async def _complete(self, campaigns: Sequence[StoredCampaign]) -> None:
        """End those of the campaigns in which nobody is left."""
        going_on = await self.recipients.list_having([each.id for each in campaigns])
        await self.lifecycle.complete([each for each in campaigns if each.id not in going_on])

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

    async def _keep(self, phone_number_ids: Iterable[str]) -> list[str]:
        """Those of the numbers that are ours to serve."""
        wanted, now = list(phone_number_ids), self.monotonic()
        unsure = [each for each in wanted if self._leases.get(each, 0.0) <= now]
        taken = await self.locks.keep([f"lane:{each}" for each in unsure])
        self._leases.update({each: now + _LEASE_KEPT_SECONDS for each in unsure if f"lane:{each}" in taken})
        return [each for each in wanted if self._leases.get(each, 0.0) > now]

    async def _rates_of(self, campaigns: Sequence[StoredCampaign]) -> dict[str, int]:
        """By number; one campaign of each is given."""
        rates = await _few_at_a_time(self._rate_of, campaigns)
        return dict(zip((each.phone_number_id for each in campaigns), rates, strict=True))

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
        """Keep nothing of numbers that have come to rest."""
        known = set(lanes)
        for memory in (self._leases, self._rates, self._allowances):
            for phone_number_id in memory.keys() - known:
                del memory[phone_number_id]


async def _few_at_a_time(
    work: Callable[[StoredCampaign], Awaitable[ResultT]], campaigns: Sequence[StoredCampaign]
) -> list[ResultT]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def do(campaign: StoredCampaign) -> ResultT:
        async with gate:
            return await work(campaign)

    return list(await asyncio.gather(*map(do, campaigns)))
