"""One endpoint's deliveries while this process serves it: how many at a time, in which order, and when not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from services.webhooks.domain.deliveries import Delivery
from services.webhooks.domain.health import SLOW, Health, next_limit
from services.webhooks.handlers.attempts import DeliveryAttempts
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.endpoints import Endpoint
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.clock import Clock

READ_TOGETHER = 100
_THREAD_TURNS = 50  # deliveries of one thread before others have their turn

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LaneTools:
    """What all lanes of a process share. `slots` bound what is in flight to all endpoints together.

    A lane without work lingers, since taking an endpoint anew for each event would cost more than delivering it.
    """

    deliveries: DeliveryRepository
    subscriptions: SubscriptionRepository
    attempts: DeliveryAttempts
    slots: asyncio.Semaphore
    now: Clock
    linger_seconds: float


@dataclass(slots=True, eq=False)
class Lane:
    """Reads what is due and starts attempts while there is room; ends when nothing is left, or nothing may be done.

    An endpoint in order has one delivery of each thread in flight: `busy` holds threads, and otherwise deliveries.
    """

    endpoint: Endpoint
    tools: LaneTools
    health: Health
    limit: int
    has_more: bool = True  # something may be due that has not been read
    is_closed: bool = False  # the webhook is paused or gone, another serves it, or the process stops
    has_failed: bool = False  # the lease is left to run out: going on at once would deliver the same again and again
    busy: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, endpoint: Endpoint, tools: LaneTools) -> "Lane":
        """A lane that begins with what earlier ones learned of the endpoint."""
        return cls(endpoint, tools, endpoint.health, 1 if endpoint.health.is_probing else SLOW)

    @property
    def is_over(self) -> bool:
        """Whether no further attempt may be started."""
        now = self.tools.now()
        return self.is_closed or self.health.is_open(now) or now >= self.endpoint.lease_until

    def wake(self) -> None:
        """There is something new."""
        self.has_more = True
        self._changed.set()

    def close(self) -> None:
        """Start nothing more."""
        self.is_closed = True
        self._changed.set()

    def refresh(self, endpoint: Endpoint) -> None:
        """Go on with what the webhook is now; another URL is another endpoint."""
        if endpoint.url != self.endpoint.url:
            self.health = Health()
        self.endpoint = endpoint
        if not endpoint.is_active:
            self.close()

    async def run(self) -> None:
        """Deliver until there is nothing left to do. Attempts under way have ended when this returns."""
        try:
            while not self.is_over:
                self._changed.clear()
                if self.has_more and len(self.busy) < self.limit:
                    await self._start_due()
                elif not self.busy and not self.has_more:
                    if not await self._is_woken():
                        return
                else:
                    await self._changed.wait()
        except Exception:
            self.fail()
            raise
        finally:
            if self.busy:
                await asyncio.wait(set(self.busy.values()))

    async def _is_woken(self) -> bool:
        try:
            async with asyncio.timeout(self.tools.linger_seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def fail(self) -> None:
        """Start nothing more: the database does not do what it should, and nobody knows what was delivered."""
        self.has_failed = True
        self.close()

    def cancel(self) -> None:
        """Give up what is under way; it is due still."""
        for task in self.busy.values():
            task.cancel()

    async def _start_due(self) -> None:
        self.has_more = False  # before asking: whoever wakes us meanwhile sets it again
        found = await self.tools.deliveries.list_due(
            self.endpoint.webhook_id,
            self.tools.now(),
            but=tuple(self.busy),
            but_threads=tuple(self.busy) if self.endpoint.ordered else (),
            limit=READ_TOGETHER,
        )
        self.has_more = self.has_more or len(found) == READ_TOGETHER
        fresh: dict[str, Delivery] = {}
        for delivery in found:
            fresh.setdefault(self._key_of(delivery), delivery)
        await self._start(fresh)

    async def _start(self, found: Mapping[str, Delivery]) -> None:
        """Start each as soon as there is room; what may not be started any more stays due."""
        for key, delivery in found.items():
            while len(self.busy) >= self.limit and not self.is_over:
                self._changed.clear()
                await self._changed.wait()
            if self.is_over:
                return
            await self.tools.slots.acquire()
            self.busy[key] = asyncio.create_task(self._work(key, delivery))

    async def _work(self, key: str, delivery: Delivery) -> None:
        try:
            if self.endpoint.ordered and delivery.thread is not None:
                await self._deliver_thread(delivery.thread)
            else:
                await self._deliver(delivery)
        except Exception as error:
            log.warning("attempt_not_recorded", key=key, error=f"{type(error).__name__}: {error}")
            self.fail()
        finally:
            self.tools.slots.release()
            del self.busy[key]
            self._changed.set()

    def _key_of(self, delivery: Delivery) -> str:
        return (self.endpoint.ordered and delivery.thread) or delivery.id

    async def _deliver_thread(self, thread: str) -> None:
        """Tell a thread from its oldest delivery on, the next one only when the former has come to its end."""
        for _ in range(_THREAD_TURNS):
            first = await self.tools.deliveries.find_first_of_thread(self.endpoint.webhook_id, thread)
            if first is None or self.is_over:
                return
            if first.next_attempt_at > self.tools.now():
                await self.tools.deliveries.postpone_behind(first)
                return
            await self._deliver(first)
        self.has_more = True

    async def _deliver(self, delivery: Delivery) -> None:
        answer, verdict = await self.tools.attempts.make(delivery, self.endpoint)
        now, was_open = self.tools.now(), self.health.is_open(self.tools.now())
        self.health = self.health.after_success(now) if answer.is_success else self.health.after_failure(now)
        self.limit = next_limit(self.limit, self.health, now, succeeded=answer.is_success)
        if verdict.disables_endpoint:
            await self._disable("gone")
        elif self.health.is_hopeless(now):
            await self._disable("failing")
        elif self.health.is_open(now) and not was_open:
            log.info("breaker_opened", webhook_id=self.endpoint.webhook_id, until=self.health.open_until)

    async def _disable(self, reason: str) -> None:
        self.close()
        await self.tools.subscriptions.disable(self.endpoint.webhook_id, reason, self.tools.now())
        log.warning("webhook_disabled", webhook_id=self.endpoint.webhook_id, reason=reason)
