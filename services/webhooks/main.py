"""Builds webhooks and runs it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from services.webhooks.clients.vendor import VendorClient
from services.webhooks.handlers.inbound import MetaInbox
from services.webhooks.outbound import Outbound
from services.webhooks.repositories.inbound import InboundRepository
from services.webhooks.routes import BODY_LIMIT_BYTES, MetaRoutes
from services.webhooks.settings import WebhooksSettings
from shared.clock import utc_now
from shared.mongo import TRANSIENT_ERRORS
from shared.outbound.guard import UrlGuard
from shared.periodic import repeating
from shared.service import Running, running
from shared.web.app import web_app
from shared.web.ops import product_version
from shared.web.server import serving

_SERVICE = "webhooks"
_RELAY_SECONDS = 1.0


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
    await stack.enter_async_context(serving(app, settings.webhooks_bind, first=routes.take_at_once))


async def _deliver_to_vendors(stack: AsyncExitStack, service: Running, settings: WebhooksSettings) -> None:
    guard = UrlGuard(settings.address_policy())
    stack.push_async_callback(guard.resolver.close)
    user_agent = f"WAAPI-Webhooks/{product_version()}"
    vendor = await stack.enter_async_context(VendorClient.opened(guard, user_agent=user_agent))
    outbound = await Outbound.built(service.database, service.bus, vendor, guard, keys=settings.key_ring(), now=utc_now)
    await stack.enter_async_context(outbound.running())
