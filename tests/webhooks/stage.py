"""The webhooks service on a stage: a real database, the bus in memory, a clock that tests move."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from services.webhooks.clients.vendor import VendorClient
from services.webhooks.domain.telling import message_sent
from services.webhooks.handlers.inbound import MetaInbox
from services.webhooks.handlers.lanes import DeliveryLanes
from services.webhooks.outbound import Outbound
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.inbound import InboundRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.bus.memory import MemoryBus
from shared.clock import utc_now
from shared.contracts.base import ReplyT, Request
from shared.contracts.messaging import MessagesSent, SentMessage
from shared.contracts.webhooks import (
    CreateSubscription,
    MetaStatus,
    MetaStatusesReceived,
    Subscription,
    TemplateUpdate,
    TemplateUpdatesReceived,
)
from shared.ids import derived_hex_id
from shared.mongo import Database
from shared.outbound.addresses import AddressPolicy
from shared.outbound.guard import UrlGuard
from shared.sealing import KeyRing
from tests.eventually import eventually

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
KEYS = KeyRing({"k1": b"0" * 32})
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
LOCAL = AddressPolicy(loopback_allowed=True)


@dataclass
class ManualClock:
    """Stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        """Move on."""
        self.now += timedelta(**duration)


def sent_message(number: int = 1, *, user_id: str = "usr_1") -> SentMessage:
    """A message that Meta accepted."""
    message_id = derived_hex_id(user_id, str(number))
    return SentMessage(
        id=f"message.sent:{message_id}",
        message_id=message_id,
        wa_message_id=f"wamid.{number}",
        conversation_id=None,
        user_id=user_id,
        phone_number_id="pn_1",
        to="+919876543210",
        type="text",
        source="external_api",
        sent_at=NOON,
    )


def sent(*numbers: int, user_id: str = "usr_1") -> MessagesSent:
    """The event that announces some messages."""
    return MessagesSent(items=tuple(sent_message(number, user_id=user_id) for number in numbers))


def create_subscription(url: str, webhook_id: str = "wh_1", **changes: Any) -> CreateSubscription:
    """The command as the gateway sends it, secret sealed."""
    fields: dict[str, Any] = {
        "webhook_id": webhook_id,
        "user_id": "usr_1",
        "url": url,
        "events": ("message.sent",),
        "sealed_secret": KEYS.seal(SECRET, owner_id=webhook_id, field="secret"),
    }
    return CreateSubscription(**(fields | changes))


@dataclass
class OutboundStage:
    """Everything that delivers, built as main builds it, around a clock that stands still; tests sweep themselves."""

    database: Database
    bus: MemoryBus
    clock: ManualClock
    outbound: Outbound

    @classmethod
    @asynccontextmanager
    async def set_up(
        cls, database: Database, policy: AddressPolicy = LOCAL, clock: ManualClock | None = None
    ) -> AsyncIterator["OutboundStage"]:
        """A stage for one test; several on one database are several processes."""
        bus, clock, guard = MemoryBus(), clock or ManualClock(), UrlGuard(policy)
        async with VendorClient.opened(guard, user_agent="WAAPI-Webhooks/test") as vendor:
            outbound = await Outbound.built(
                database, bus, vendor, guard, keys=KEYS, now=clock, jitter=lambda: 1.0, linger_seconds=0
            )
            async with outbound.lanes.running():
                yield cls(database, bus, clock, outbound)
        await guard.resolver.close()

    @property
    def subscriptions(self) -> SubscriptionRepository:
        """What is subscribed."""
        return self.outbound.subscriptions

    @property
    def deliveries(self) -> DeliveryRepository:
        """What is delivered."""
        return self.outbound.deliveries

    @property
    def lanes(self) -> DeliveryLanes:
        """Who delivers it."""
        return self.outbound.lanes

    async def ask(self, request: Request[ReplyT]) -> ReplyT:
        """Ask the service over the bus."""
        return await self.bus.request(request, timeout_seconds=30)

    async def run_until(self, moment: datetime, step_seconds: float = 60.0) -> None:
        """Let time pass in steps, each with all the work that is due in it."""
        while self.clock.now < moment:
            self.clock.now = min(self.clock.now + timedelta(seconds=step_seconds), moment)
            await self.settle()

    async def settle(self) -> None:
        """Sweep as often as there is something to do, and wait for what that has begun."""
        while True:
            await self.lanes.sweep()
            await self.outbound.notices.sweep()
            await self.outbound.log.go_on_with_replays()
            if not await self.lanes.rested():
                return

    async def subscribe(self, url: str, webhook_id: str = "wh_1", **changes: Any) -> Subscription:
        """Make a subscription through the bus."""
        return await self.ask(create_subscription(url, webhook_id, **changes))

    async def store(self, *numbers: int, webhook_id: str = "wh_1") -> None:
        """Store deliveries as a process does that dies before it works on them."""
        events = [message_sent(sent_message(number)) for number in numbers]
        subscription = await self.subscriptions.find(webhook_id)
        assert subscription is not None
        await self.deliveries.add_once([(event, subscription) for event in events], self.clock())

    async def all_deliveries(self) -> list[dict[str, Any]]:
        """Every delivery as it is stored, by id."""
        return await self.database["deliveries"].find().sort("_id", 1).to_list()

    async def delivery(self) -> dict[str, Any]:
        """The only delivery there is."""
        (only,) = await self.all_deliveries()
        return only

    async def settled(self, attempts: int) -> dict[str, Any]:
        """The only delivery, once that many attempts are recorded."""

        async def recorded() -> dict[str, Any] | None:
            only = await self.delivery()
            return only if only["attempts_made"] == attempts else None

        return cast("dict[str, Any]", await eventually(recorded))


def status(number: int, name: str = "sent") -> dict[str, Any]:
    """One status as Meta sends it."""
    return {
        "id": f"wamid.{number}",
        "status": name,
        "timestamp": "1772712000",
        "recipient_id": "16505551234",
        "biz_opaque_callback_data": f"w1:{derived_hex_id('usr_1', str(number))}:1",
    }


def meta_post(*statuses: Any, changes: tuple[dict[str, Any], ...] = ()) -> bytes:
    """A post of Meta's with some statuses, and other changes beside them."""
    value = {"metadata": {"phone_number_id": "1065"}, "statuses": list(statuses)}
    all_changes = [{"field": "messages", "value": value}] if statuses else []
    entry = {"id": "1022", "time": 1772712000, "changes": [*all_changes, *changes]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@dataclass
class InboundStage:
    """Everything that receives from Meta. `bus` may be replaced before the first post."""

    database: Database
    events: InboundRepository
    bus: MemoryBus
    inbox: MetaInbox

    @classmethod
    async def set_up(cls, database: Database, bus: MemoryBus | None = None) -> "InboundStage":
        """A stage for one test."""
        events = InboundRepository(database)
        await events.ensure_indexes()
        used = bus or MemoryBus()
        return cls(database, events, used, MetaInbox(events, used, utc_now))

    def statuses(self) -> list[MetaStatus]:
        """Every status that was announced, in order."""
        return [item for event in self.bus.published if isinstance(event, MetaStatusesReceived) for item in event.items]

    def template_updates(self) -> list[TemplateUpdate]:
        """Every template update that was announced, in order."""
        return [
            item for event in self.bus.published if isinstance(event, TemplateUpdatesReceived) for item in event.items
        ]

    async def stored(self) -> list[dict[str, Any]]:
        """What is kept of Meta's posts, oldest first."""
        kept = self.database["inbound_events"].find({"raw": {"$exists": True}})
        return await kept.sort("received_at", 1).to_list()

    async def count_unannounced(self) -> int:
        """Batches of posts that somebody has still to announce."""
        return await self.database["inbound_events"].count_documents({"raw": {"$exists": False}})
