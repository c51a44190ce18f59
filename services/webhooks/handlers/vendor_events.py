"""Events of other services, turned into deliveries to every endpoint that asked for them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from services.webhooks.domain.events import VendorEvent, is_wanted, message_sent
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.bus.port import Bus, Received
from shared.clock import Clock
from shared.contracts.messaging import MessagesSent
from shared.contracts.webhooks import Subscription
from shared.crashpoints import crash_point


@dataclass(frozen=True, slots=True)
class VendorEventHandlers:
    """One delivery for each event and matching subscription. `wake` hears which webhooks have something new."""

    subscriptions: SubscriptionRepository
    deliveries: DeliveryRepository
    wake: Callable[[Collection[str]], None]
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Take the messages of webhooks.events.v1."""
        self.bus.on_group(MessagesSent, self.on_messages_sent)

    async def on_messages_sent(self, group: Sequence[Received[MessagesSent]]) -> None:
        """Tell vendors that Meta accepted messages. Idempotent: a delivery's id is its event's and its webhook's."""
        await self._deliver([message_sent(item) for received in group for item in received.message.items])

    async def _deliver(self, events: Sequence[VendorEvent]) -> None:
        names = sorted({event.name for event in events})
        listening = await self.subscriptions.list_listening({event.user_id for event in events}, names)
        wanted = _matches(events, listening)
        if not wanted:
            return
        webhooks = await self.deliveries.add_once(wanted, self.now())
        crash_point("webhooks.delivery_stored")
        self.wake(webhooks)


def _matches(events: Sequence[VendorEvent], subscriptions: Sequence[Subscription]) -> list[tuple[VendorEvent, str]]:
    by_user: dict[str, list[Subscription]] = {}
    for subscription in subscriptions:
        by_user.setdefault(subscription.user_id, []).append(subscription)
    return [
        (event, subscription.webhook_id)
        for event in events
        for subscription in by_user.get(event.user_id, ())
        if is_wanted(event.name, subscription.events)
    ]
