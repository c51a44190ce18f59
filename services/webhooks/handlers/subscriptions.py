"""Vendors' webhooks: made, looked at, changed, deleted."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import structlog

from services.webhooks.domain.events import checked_event_names
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Done
from shared.contracts.subscriptions import GetSubscription, RotateSecret, UpdateSubscription
from shared.contracts.webhooks import (
    CreateSubscription,
    DeleteSubscription,
    ListSubscriptions,
    Subscription,
    Subscriptions,
)
from shared.errors import NotFoundError
from shared.outbound.guard import UrlGuard

UNKNOWN = "Webhook not found"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SubscriptionHandlers:
    """Commands and queries about subscriptions. `wake` hears of those that may be told something again."""

    subscriptions: SubscriptionRepository
    deliveries: DeliveryRepository
    guard: UrlGuard
    wake: Callable[[Collection[str]], None]
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Take what is asked of webhooks, and what it is told to do."""
        self.bus.on(CreateSubscription, self.create_subscription)
        self.bus.on(GetSubscription, self.get_subscription)
        self.bus.on(ListSubscriptions, self.list_subscriptions)
        self.bus.on(UpdateSubscription, self.update_subscription)
        self.bus.on(RotateSecret, self.rotate_secret)
        self.bus.on(DeleteSubscription, self.delete_subscription)

    async def create_subscription(self, command: CreateSubscription) -> Subscription:
        """Store a subscription. Idempotent by `webhook_id`.

        Raises InvalidInputError naming `url` or the entry of `events` that is wrong.
        """
        events = checked_event_names(command.events)
        await self.guard.check(command.url)
        stored = await self.subscriptions.add_once(command.model_copy(update={"events": events}), self.now())
        log.info("subscription_created", webhook_id=stored.webhook_id, events=stored.events)
        return stored

    async def get_subscription(self, query: GetSubscription) -> Subscription:
        """One subscription. Raises NotFoundError."""
        return found(await self.subscriptions.find(query.webhook_id))

    async def list_subscriptions(self, query: ListSubscriptions) -> Subscriptions:
        """A user's subscriptions; none for a user we do not know."""
        return Subscriptions(items=tuple(await self.subscriptions.list_of_user(query.user_id)))

    async def update_subscription(self, command: UpdateSubscription) -> Subscription:
        """Change what is given. Idempotent: it sets values.

        Raises NotFoundError, and InvalidInputError naming `url` or the entry of `events` that is wrong.
        """
        changes: dict[str, Any] = command.model_dump(exclude={"webhook_id"}, exclude_none=True)
        if command.events is not None:
            changes["events"] = checked_event_names(command.events)
        if command.url is not None:
            await self.guard.check(command.url)
        if command.description == "":
            changes["description"] = None
        if not changes:
            return found(await self.subscriptions.find(command.webhook_id))
        changed = found(await self.subscriptions.change(command.webhook_id, changes))
        log.info("subscription_changed", webhook_id=changed.webhook_id, fields=sorted(changes), status=changed.status)
        self.wake([changed.webhook_id])
        return changed

    async def rotate_secret(self, command: RotateSecret) -> Subscription:
        """Sign with a new secret, and for a day with the former one beside it. Idempotent by `rotation_id`.

        Raises NotFoundError.
        """
        await self.subscriptions.rotate(command.webhook_id, command.rotation_id, command.sealed_secret, self.now())
        log.info("webhook_secret_rotated", webhook_id=command.webhook_id)
        return found(await self.subscriptions.find(command.webhook_id))

    async def delete_subscription(self, command: DeleteSubscription) -> Done:
        """Stop at once. Deliveries that a process holds at this moment find their subscription gone.

        Raises NotFoundError, also when it has been deleted before.
        """
        if not await self.subscriptions.delete(command.webhook_id):
            raise NotFoundError(UNKNOWN)
        await self.deliveries.delete_untold([command.webhook_id])
        log.info("subscription_deleted", webhook_id=command.webhook_id)
        return Done()


def found(subscription: Subscription | None) -> Subscription:
    """A subscription that is there. Raises NotFoundError for one that is not."""
    if subscription is None:
        raise NotFoundError(UNKNOWN)
    return subscription
