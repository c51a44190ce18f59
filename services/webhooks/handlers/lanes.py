"""Deliveries that are due, each endpoint in a lane of its own, so that a slow one holds up nobody else."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.webhooks.domain.deliveries import MIN_LEASE_LEFT, Delivery
from services.webhooks.handlers.attempts import DeliveryAttempts
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.subscriptions import Endpoint, SubscriptionRepository
from shared.clock import Clock

IN_FLIGHT_PER_ENDPOINT = 4
IN_FLIGHT = 512  # all endpoints together
CLAIM_LIMIT = 32  # enough to keep four connections busy between two claims
ENDPOINT_KNOWN_FOR = timedelta(seconds=1)  # a subscription that was deleted or disabled is told nothing after that
STOP_SECONDS = 20.0  # an attempt ends within 15

log = structlog.get_logger()


@dataclass(slots=True)
class Lane:
    """One endpoint's deliveries in this process."""

    webhook_id: str
    has_more: bool = False  # something may be due that has not been claimed
    claimed: deque[Delivery] = field(default_factory=deque)
    endpoint: Endpoint | None = None
    endpoint_read_at: datetime | None = None
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT_PER_ENDPOINT))
    in_flight: int = 0
    puller: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the lane holds nothing that would be lost with it."""
        return self.puller is None and not self.in_flight and not self.claimed


class DeliveryLanes:
    """Attempts due deliveries: at most four at a time for an endpoint, and a bounded number for all of them."""

    def __init__(
        self,
        deliveries: DeliveryRepository,
        subscriptions: SubscriptionRepository,
        attempts: DeliveryAttempts,
        now: Clock,
        new_id: Callable[[str], str],
    ) -> None:
        self._deliveries = deliveries
        self._subscriptions = subscriptions
        self._attempts = attempts
        self._now = now
        self._new_id = new_id
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._lanes: dict[str, Lane] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._context = copy_context()  # a lane goes on after the message that woke it

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block lasts; then let attempts under way end, and give back what was only claimed."""
        try:
            yield
        finally:
            await self._stop()

    def wake(self, webhook_ids: Iterable[str]) -> None:
        """Start on these webhooks now."""
        for webhook_id in webhook_ids:
            if (lane := self._lanes.get(webhook_id)) is None:
                lane = self._lanes[webhook_id] = Lane(webhook_id)
            lane.has_more = True
            if lane.puller is None and not self._is_stopping:
                lane.puller = asyncio.create_task(self._pull(lane), context=self._context.copy())

    async def sweep(self) -> None:
        """Start on every webhook that has something due: retries, and what a crash or another process left."""
        self.wake(await self._deliveries.list_webhooks_due(self._now()))

    async def _pull(self, lane: Lane) -> None:
        """Start one attempt after the other, each as soon as there is room, until nothing is due."""
        try:
            while lane.claimed or lane.has_more:
                await lane.slots.acquire()
                await self._slots.acquire()
                await self._start_next(lane)
        except Exception as error:  # the database may be away; the next sweep finds the lane's deliveries again
            log.warning("lane_interrupted", webhook_id=lane.webhook_id, error=f"{type(error).__name__}: {error}")
        finally:
            lane.puller = None
            self._forget_if_idle(lane)

    async def _start_next(self, lane: Lane) -> None:
        """Hand the slots that the caller holds to the next attempt, or give them back when there is none."""
        attempt: asyncio.Task[None] | None = None
        try:
            if (found := await self._next(lane)) is not None:
                attempt = asyncio.create_task(self._attempt(lane, *found))
                self._under_way.add(attempt)
                attempt.add_done_callback(self._under_way.discard)
        finally:
            if attempt is None:
                self._release_slots(lane)

    async def _next(self, lane: Lane) -> tuple[Delivery, Endpoint] | None:
        while lane.claimed or lane.has_more:
            if not lane.claimed:
                await self._claim(lane)
            elif (endpoint := await self._endpoint(lane)) is not None:
                delivery = lane.claimed.popleft()
                if delivery.lease_until - self._now() >= MIN_LEASE_LEFT:  # else it is due again, for anybody
                    return delivery, endpoint
        return None

    async def _claim(self, lane: Lane) -> None:
        lane.has_more = False  # before asking: whoever wakes us meanwhile sets it again
        claimed = await self._deliveries.claim(lane.webhook_id, self._new_id("claim_"), self._now(), limit=CLAIM_LIMIT)
        lane.claimed.extend(claimed)
        lane.has_more = lane.has_more or len(claimed) == CLAIM_LIMIT

    async def _endpoint(self, lane: Lane) -> Endpoint | None:
        """Where the lane leads; when it leads nowhere any more, what is left for it is given up."""
        now = self._now()
        if lane.endpoint_read_at is None or now - lane.endpoint_read_at >= ENDPOINT_KNOWN_FOR:
            lane.endpoint = await self._subscriptions.find_endpoint(lane.webhook_id)
            lane.endpoint_read_at = now
        if lane.endpoint is not None and lane.endpoint.is_active:
            return lane.endpoint
        await self._give_up(lane)
        return None

    async def _give_up(self, lane: Lane) -> None:
        lane.claimed.clear()
        if lane.endpoint is None:
            await self._deliveries.delete_untold(lane.webhook_id)
        else:
            await self._deliveries.hold(lane.webhook_id)

    async def _attempt(self, lane: Lane, delivery: Delivery, endpoint: Endpoint) -> None:
        lane.in_flight += 1
        try:
            verdict = await self._attempts.make(delivery, endpoint)
            if verdict.disables_endpoint:
                lane.endpoint_read_at = None
                await self._give_up(lane)
        except Exception as error:  # not recorded: due again when the lease is over, under the same event id
            log.warning("attempt_not_recorded", delivery_id=delivery.id, error=f"{type(error).__name__}: {error}")
        finally:
            lane.in_flight -= 1
            self._release_slots(lane)
            self._forget_if_idle(lane)

    def _release_slots(self, lane: Lane) -> None:
        self._slots.release()
        lane.slots.release()

    def _forget_if_idle(self, lane: Lane) -> None:
        if lane.is_idle and self._lanes.get(lane.webhook_id) is lane:
            del self._lanes[lane.webhook_id]

    async def _stop(self) -> None:
        self._is_stopping = True
        lanes = list(self._lanes.values())
        pullers = [lane.puller for lane in lanes if lane.puller is not None]
        for puller in pullers:
            puller.cancel()
        await asyncio.gather(*pullers, return_exceptions=True)
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=STOP_SECONDS)
            for attempt in late:
                attempt.cancel()
        await self._deliveries.release([delivery for lane in lanes for delivery in lane.claimed], self._now())
