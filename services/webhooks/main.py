"""Builds webhooks and runs it."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import AsyncExitStack

from services.webhooks.clients.vendor import VendorClient
from services.webhooks.handlers.attempts import DeliveryAttempts
from services.webhooks.handlers.inbound import MetaInbox
from services.webhooks.handlers.lanes import DeliveryLanes
from services.webhooks.handlers.subscriptions import SubscriptionHandlers
from services.webhooks.handlers.vendor_events import VendorEventHandlers
from services.webhooks.repositories.deliveries import DeliveryRepository
from services.webhooks.repositories.inbound import InboundRepository
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from services.webhooks.routes import BODY_LIMIT_BYTES, MetaRoutes
from services.webhooks.settings import WebhooksSettings
from shared.clock import utc_now
from shared.gathering import Gathering
from shared.ids import new_id
from shared.mongo import TRANSIENT_ERRORS
from shared.outbound.guard import UrlGuard
from shared.periodic import repeating
from shared.service import Running, running
from shared.web.app import web_app
from shared.web.ops import product_version
from shared.web.server import serving

_SERVICE = "webhooks"
_RELAY_SECONDS = 1.0
_SWEEP_SECONDS = 1.0
_RECORDED_TOGETHER = 100  # attempts in one write


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = WebhooksSettings.from_env(environ)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(_SERVICE, settings, settings.webhooks_ops_bind))
        await _deliver_to_vendors(stack, service, settings)
        await _listen_to_meta(stack, service, settings)
        await service.until(stop)


async def _listen_to_meta(stack: AsyncExitStack, service: Running, settings: WebhooksSettings) -> None:
    events = InboundRepository(service.database)
    await events.ensure_indexes()
    inbox = MetaInbox(events, service.bus, utc_now)
    stack.push_async_callback(inbox.drained)
    await stack.enter_async_context(repeating("webhooks.relay", inbox.relay, seconds=_RELAY_SECONDS))
    routes = MetaRoutes(inbox.take, settings.app_secrets, settings.meta_verify_token.get_secret_value())
    app = web_app(routes.table(), service=_SERVICE, transient=TRANSIENT_ERRORS, body_limit_bytes=BODY_LIMIT_BYTES)
    await stack.enter_async_context(serving(app, settings.webhooks_bind))


async def _deliver_to_vendors(stack: AsyncExitStack, service: Running, settings: WebhooksSettings) -> None:
    subscriptions, deliveries = SubscriptionRepository(service.database), DeliveryRepository(service.database)
    await subscriptions.ensure_indexes()
    await deliveries.ensure_indexes()
    guard = UrlGuard(settings.address_policy())
    stack.push_async_callback(guard.resolver.close)
    user_agent = f"WAAPI-Webhooks/{product_version()}"
    vendor = await stack.enter_async_context(VendorClient.opened(guard, user_agent=user_agent))
    recorder = Gathering(deliveries.record, limit=_RECORDED_TOGETHER)
    attempts = DeliveryAttempts(recorder, subscriptions, vendor, settings.key_ring(), utc_now, _jitter)
    lanes = DeliveryLanes(deliveries, subscriptions, attempts, utc_now, new_id)
    await stack.enter_async_context(lanes.running())
    await stack.enter_async_context(repeating("webhooks.deliveries", lanes.sweep, seconds=_SWEEP_SECONDS))
    SubscriptionHandlers(subscriptions, deliveries, guard, service.bus, utc_now).register()
    VendorEventHandlers(subscriptions, deliveries, lanes.wake, service.bus, utc_now).register()


def _jitter() -> float:
    return random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
