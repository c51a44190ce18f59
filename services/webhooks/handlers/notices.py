"""Telling a user's other webhooks that one of them is told nothing any more."""

from dataclasses import dataclass

from services.webhooks.domain.telling import webhook_disabled
from services.webhooks.handlers.vendor_events import VendorEventHandlers
from services.webhooks.repositories.subscriptions import SubscriptionRepository


@dataclass(frozen=True, slots=True)
class Notices:
    """The mark was set by the update that disabled the webhook, so no crash can swallow the notice."""

    subscriptions: SubscriptionRepository
    events: VendorEventHandlers

    async def sweep(self) -> None:
        """Tell of every webhook that was disabled. Idempotent: the event's id is made of webhook and time."""
        for webhook, reason, disabled_at in await self.subscriptions.list_notices_due():
            await self.events.tell([webhook_disabled(webhook, reason, disabled_at)], but=webhook.webhook_id)
            await self.subscriptions.mark_noticed([webhook.webhook_id])
