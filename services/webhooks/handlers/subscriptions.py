"""Vendors' webhooks: made, listed, deleted."""

from dataclasses import dataclass

import structlog

from services.webhooks.domain.events import checked_event_names
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Done
from shared.contracts.webhooks import (
    CreateSubscription,
    DeleteSubscription,
    ListSubscriptions,
    Subscription,
    Subscriptions,
)
from shared.errors import NotFoundError
from shared.outbound.guard import UrlGuard

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SubscriptionHandlers:
    """Commands and queries about subscriptions."""

    subscriptions: SubscriptionRepository
    deliveries: DeliveryRepository
    guard: UrlGuard
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Take the messages of webhooks.commands.v1."""
        self.bus.on(CreateSubscription, self.create_subscription)
        self.bus.on(ListSubscriptions, self.list_subscriptions)
        self.bus.on(DeleteSubscription, self.delete_subscription)

    async def create_subscription(self, command: CreateSubscription) -> Subscription:
        """Store a subscription. Idempotent by `webhook_id`.

        Raises InvalidInputError naming `url` or the entry of `events` that is wrong.
        """
        events = checked_event_names(command.events)
        await self.guard.check(command.url)
        wanted = Subscription(
            webhook_id=command.webhook_id,
            user_id=command.user_id,
            url=command.url,
            events=events,
            status="active",
            description=command.description,
            created_at=self.now(),
        )
        stored = await self.subscriptions.add_once(wanted, command.sealed_secret)
        log.info("subscription_created", webhook_id=stored.webhook_id, events=stored.events)
        return stored

    async def list_subscriptions(self, query: ListSubscriptions) -> Subscriptions:
        """A user's subscriptions; none for a user we do not know."""
        return Subscriptions(items=tuple(await self.subscriptions.list_of_user(query.user_id)))

    async def delete_subscription(self, command: DeleteSubscription) -> Done:
        """Stop at once. Deliveries that a process holds at this moment find their subscription gone.

        Raises NotFoundError, also when it has been deleted before.
        """
        if not await self.subscriptions.delete(command.webhook_id):
            raise NotFoundError("Webhook not found")
        await self.deliveries.delete_untold(command.webhook_id)
        log.info("subscription_deleted", webhook_id=command.webhook_id)
        return Done()
