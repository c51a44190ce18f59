"""Events of other services, turned into deliveries to every webhook that asked for them.

Each handler is idempotent: a delivery's id is its event's and its webhook's, and an event's id is its cause's.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.webhooks.domain import telling
from services.webhooks.domain.events import VendorEvent, is_heard
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.listeners import ListenerRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from services.webhooks.repositories.template_statuses import TemplateStatusRepository
from shared.bus.port import Bus, Received
from shared.clock import Clock
from shared.contracts.campaigns import CampaignsChanged
from shared.contracts.contacts import ConsentsChanged
from shared.contracts.conversations import (
    ButtonsClicked,
    ConversationHandlingChanged,
    MessagesReceived,
    NumberQualityChanged,
)
from shared.contracts.messaging import MessagesFailed, MessagesQueued, MessagesSent, MessageStatusesChanged
from shared.contracts.templates import Template, TemplatesChanged
from shared.contracts.webhooks import Subscription
from shared.crashpoints import crash_point

_TOLD_OF: Mapping[type[Any], Callable[[Any], VendorEvent | None]] = {
    MessagesSent: telling.message_sent,
    MessagesQueued: telling.message_queued,
    MessagesFailed: telling.message_failed,
    MessageStatusesChanged: telling.message_status_changed,
    MessagesReceived: telling.message_received,
    ButtonsClicked: telling.button_clicked,
    ConversationHandlingChanged: telling.handling_changed,
    NumberQualityChanged: telling.quality_changed,
    ConsentsChanged: telling.consent_changed,
    CampaignsChanged: telling.campaign_changed,
}


@dataclass(frozen=True, slots=True)
class VendorEventHandlers:
    """One delivery for each event and matching subscription. `wake` hears which webhooks have something new."""

    subscriptions: SubscriptionRepository
    deliveries: DeliveryRepository
    listeners: ListenerRepository
    template_statuses: TemplateStatusRepository
    wake: Callable[[Collection[str]], None]
    bus: Bus
    now: Clock

    def register(self) -> None:
        """Take the messages of webhooks.events.v1."""
        for event_type in _TOLD_OF:
            self.bus.on_group(event_type, self.on_items)
        self.bus.on_group(TemplatesChanged, self.on_templates_changed)

    async def on_items(self, group: Sequence[Received[Any]]) -> None:
        """Tell vendors what each item means, if it means anything to them."""
        tell_of = _TOLD_OF[type(group[0].message)]
        items = [item for received in group for item in received.message.items]
        heard = await self._heard({item.user_id for item in items})
        events = [tell_of(item) for item in items if item.user_id in heard]
        await self.tell([event for event in events if event is not None])

    async def on_templates_changed(self, group: Sequence[Received[TemplatesChanged]]) -> None:
        """Tell vendors of templates whose status is another than it was; a template's first status is no change."""
        templates = sorted(
            (item for received in group for item in received.message.items), key=lambda item: item.updated_at
        )
        known = await self.template_statuses.known({template.template_id for template in templates})
        await self.tell(list(_status_changes(templates, known)))
        await self.template_statuses.remember(_latest(templates))  # last: a crash before it tells the same again

    async def tell(self, events: Sequence[VendorEvent], *, but: str | None = None) -> None:
        """Store a delivery of each event to each subscription that hears it; `but` is a webhook that does not."""
        if not events:
            return
        names = sorted({event.name for event in events})
        subscriptions = await self.subscriptions.list_of_users({event.user_id for event in events}, names)
        wanted = _matches(events, [each for each in subscriptions if each.webhook_id != but])
        if wanted:
            webhooks = await self.deliveries.add_once(wanted, self.now())
            crash_point("webhooks.delivery_stored")
            self.wake(webhooks)
        await self.listeners.tell(events, self.now())

    async def _heard(self, user_ids: Collection[str]) -> Collection[str]:
        """Those of these users of whom anybody hears anything: for the others nothing has to be put into words."""
        return await self.subscriptions.subscribed(user_ids) | await self.listeners.listened_to(user_ids, self.now())


def _matches(
    events: Sequence[VendorEvent], subscriptions: Sequence[Subscription]
) -> list[tuple[VendorEvent, Subscription]]:
    by_user: dict[str, list[Subscription]] = {}
    for subscription in subscriptions:
        by_user.setdefault(subscription.user_id, []).append(subscription)
    return [
        (event, subscription)
        for event in events
        for subscription in by_user.get(event.user_id, ())
        if is_heard(event, subscription)
    ]


def _status_changes(templates: Sequence[Template], known: Mapping[str, tuple[str, datetime]]) -> Iterable[VendorEvent]:
    last = dict(known)
    for template in templates:
        before = last.get(template.template_id)
        if before is not None and template.updated_at <= before[1]:
            continue  # heard before, or late
        if before is not None and template.status != before[0]:
            yield telling.template_status_changed(template, before[0])
        last[template.template_id] = template.status, template.updated_at


def _latest(templates: Sequence[Template]) -> Collection[Template]:
    return {template.template_id: template for template in templates}.values()
