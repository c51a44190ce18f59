"""Everything that tells vendors what happened, put together."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from services.webhooks.clients.vendor import VendorClient
from services.webhooks.domain.deliveries import Attempt
from services.webhooks.handlers.attempts import DeliveryAttempts
from services.webhooks.handlers.delivery_log import DeliveryLogHandlers
from services.webhooks.handlers.lane import LaneTools
from services.webhooks.handlers.lanes import DeliveryLanes
from services.webhooks.handlers.listening import ListeningHandlers
from services.webhooks.handlers.notices import Notices
from services.webhooks.handlers.subscriptions import SubscriptionHandlers
from services.webhooks.handlers.vendor_events import VendorEventHandlers
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.delivery_log import DeliveryLog
from services.webhooks.repositories.endpoints import EndpointRepository
from services.webhooks.repositories.listeners import ListenerRepository
from services.webhooks.repositories.replays import ReplayRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from services.webhooks.repositories.template_statuses import TemplateStatusRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.gathering import Gathering
from shared.ids import new_id
from shared.insist import insist
from shared.mongo import Database
from shared.outbound.guard import UrlGuard
from shared.periodic import repeating
from shared.sealing import KeyRing

IN_FLIGHT = 1024  # to all endpoints together

_SWEEP_SECONDS = 0.5  # the schedule's shortest pause is 5 s, give or take one
_UPKEEP_SECONDS = 1.0
_RECORDED_TOGETHER = 100  # attempts in one write
_LINGER_SECONDS = 0.2  # for so long another process that hears of an event may wait for the one that serves


def spread() -> float:
    """A factor that keeps deliveries which failed together from coming back together."""
    return random.uniform(0.8, 1.2)  # noqa: S311 - guards nothing


@dataclass(frozen=True, slots=True)
class Outbound:
    """The delivering half of the service."""

    subscriptions: SubscriptionRepository
    deliveries: DeliveryRepository
    lanes: DeliveryLanes
    log: DeliveryLogHandlers
    notices: Notices

    @classmethod
    async def built(
        cls,
        database: Database,
        bus: Bus,
        vendor: VendorClient,
        guard: UrlGuard,
        *,
        keys: KeyRing,
        now: Clock,
        jitter: Callable[[], float] = spread,
        linger_seconds: float = _LINGER_SECONDS,
    ) -> "Outbound":
        """Indexes are declared and handlers registered; nothing is delivered yet."""
        subscriptions, deliveries = SubscriptionRepository(database), DeliveryRepository(database)
        replays, listeners = ReplayRepository(database), ListenerRepository(database)
        for repository in (subscriptions, deliveries, replays, listeners):
            await repository.ensure_indexes()

        async def record(group: Sequence[Attempt]) -> Sequence[None]:
            return await insist(lambda: deliveries.record(group))

        attempts = DeliveryAttempts(Gathering(record, limit=_RECORDED_TOGETHER), vendor, keys, now, jitter)
        endpoints = EndpointRepository(database)
        tools = LaneTools(deliveries, subscriptions, attempts, asyncio.Semaphore(IN_FLIGHT), now, linger_seconds)
        lanes = DeliveryLanes(tools, endpoints, owner=new_id("lanes_"))
        events = VendorEventHandlers(
            subscriptions, deliveries, listeners, TemplateStatusRepository(database), lanes.wake, bus, now
        )
        log = DeliveryLogHandlers(subscriptions, deliveries, DeliveryLog(database), replays, lanes.wake, bus, now)
        events.register()
        log.register()
        SubscriptionHandlers(subscriptions, deliveries, guard, lanes.wake, bus, now).register()
        ListeningHandlers(listeners, bus, now).register()
        return cls(subscriptions, deliveries, lanes, log, Notices(subscriptions, events))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block lasts."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.lanes.running())
            for name, work, seconds in (
                ("webhooks.deliveries", self.lanes.sweep, _SWEEP_SECONDS),
                ("webhooks.notices", self.notices.sweep, _UPKEEP_SECONDS),
                ("webhooks.replays", self.log.go_on_with_replays, _UPKEEP_SECONDS),
            ):
                await stack.enter_async_context(repeating(name, work, seconds=seconds))
            yield
