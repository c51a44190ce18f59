"""What a webhook was told, and telling it once more: one delivery, a range of them, or an example."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.webhooks.domain.catalogue import example_event
from services.webhooks.domain.events import EVENT_NAMES, EVERY_EVENT, check_event_name, refused
from services.webhooks.handlers.subscriptions import found
from services.webhooks.repositories.deliveries import DeliveryRepository, delivery_id
from services.webhooks.repositories.delivery_log import DeliveryLog, Range
from services.webhooks.repositories.replays import ReplayRepository, RunningReplay
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.subscriptions import (
    DeliveryRecord,
    DeliveryRecords,
    ListDeliveries,
    Replay,
    ReplayDeliveries,
    ResendDelivery,
    SendTestEvent,
)
from shared.contracts.webhooks import Subscription
from shared.errors import ConflictError, NotFoundError

REPLAYED_PER_SECOND = 100  # of one replay; what happens now goes on beside it
_REPLAY_STEP = timedelta(seconds=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeliveryLogHandlers:
    """Commands and queries about deliveries. `wake` hears which webhooks have something due again."""

    subscriptions: SubscriptionRepository
    deliveries: DeliveryRepository
    delivery_log: DeliveryLog
    replays: ReplayRepository
    wake: Callable[[Collection[str]], None]
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Take what is asked of webhooks, and what it is told to do."""
        self.bus.on(ListDeliveries, self.list_deliveries)
        self.bus.on(SendTestEvent, self.send_test_event)
        self.bus.on(ResendDelivery, self.resend_delivery)
        self.bus.on(ReplayDeliveries, self.replay_deliveries)

    async def list_deliveries(self, query: ListDeliveries) -> DeliveryRecords:
        """A page of a webhook's log. Raises NotFoundError, InvalidInputError."""
        found(await self.subscriptions.find(query.webhook_id))
        if query.event is not None:
            check_event_name(query.event, "event")
        return await self.delivery_log.page(query)

    async def send_test_event(self, command: SendTestEvent) -> DeliveryRecord:
        """Deliver an example. Idempotent by `test_id`, of which the event's id is made.

        Raises NotFoundError, ConflictError, and InvalidInputError naming `event`.
        """
        subscription = await self._active(command.webhook_id)
        name = command.event or _first_name(subscription)
        check_event_name(name, "event")
        event = example_event(name, command.test_id, subscription.user_id)
        await self.deliveries.add_once([(event, subscription)], self.now())
        self.wake([command.webhook_id])
        return await self._delivery(delivery_id(event.event_id, command.webhook_id))

    async def resend_delivery(self, command: ResendDelivery) -> DeliveryRecord:
        """Make a delivery due anew. Idempotent by `resend_id`. Raises NotFoundError, ConflictError."""
        delivery = await self._delivery(command.delivery_id)
        await self._active(delivery.webhook_id)
        resent = await self.delivery_log.resend(command.delivery_id, command.resend_id, self.now())
        self.wake([delivery.webhook_id])
        return resent or delivery

    async def replay_deliveries(self, command: ReplayDeliveries) -> Replay:
        """Begin to make a range due anew. Idempotent by `replay_id`. Raises NotFoundError, ConflictError.

        InvalidInputError names the field that is wrong. What is heard of from now on is no part of the range.
        """
        if command.until <= command.since:
            raise refused("to", "must be later than from")
        for index, name in enumerate(command.events):
            check_event_name(name, f"events[{index}]")
        await self._active(command.webhook_id)
        now = self.now()
        wanted = Range(command.webhook_id, command.since, min(command.until, now), command.events)
        deliveries = await self.replays.add_once(command.replay_id, wanted, await self.delivery_log.count(wanted), now)
        log.info("replay_started", webhook_id=command.webhook_id, replay_id=command.replay_id, deliveries=deliveries)
        return Replay(
            replay_id=command.replay_id,
            webhook_id=command.webhook_id,
            deliveries=deliveries,
            per_second=REPLAYED_PER_SECOND,
        )

    async def go_on_with_replays(self) -> None:
        """Make the next second's worth of every replay due. A step that a crash repeats changes nothing."""
        while (replay := await self.replays.claim_next(self.now(), _REPLAY_STEP)) is not None:
            await self._go_on(replay)

    async def _go_on(self, replay: RunningReplay) -> None:
        behind = await self.delivery_log.list_behind(replay.wanted, replay.position, REPLAYED_PER_SECOND)
        if behind:
            await self.delivery_log.make_due([identifier for _, identifier in behind], replay.replay_id, self.now())
            await self.replays.advance(replay.replay_id, behind[-1])
            self.wake([replay.wanted.webhook_id])
        if len(behind) < REPLAYED_PER_SECOND:
            await self.replays.finish(replay.replay_id)

    async def _active(self, webhook_id: str) -> Subscription:
        subscription = found(await self.subscriptions.find(webhook_id))
        if subscription.status != "active":
            raise ConflictError(f"The webhook is {subscription.status}; set its status to active first")
        return subscription

    async def _delivery(self, identifier: str) -> DeliveryRecord:
        delivery = await self.delivery_log.get(identifier)
        if delivery is None:
            raise NotFoundError("Delivery not found")
        return delivery


def _first_name(subscription: Subscription) -> str:
    name = subscription.events[0]
    return EVENT_NAMES[0] if name == EVERY_EVENT else name
