"""A gateway as in production, with stand-ins that answer everything it asks."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.contracts.messaging import RenderMessage
from shared.contracts.subscriptions import ListEventTypes
from shared.contracts.templates import DiscoveredTemplates, DiscoverTemplates, ListTemplates, SyncTemplates
from shared.contracts.webhooks import CreateSubscription, DeleteSubscription, ListSubscriptions
from shared.errors import NotFoundError
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.gateway.conftest import ENVIRONMENT, Gateway, MessagingStandIn
from tests.gateway.openapi.owners import AnsweringBus, NoDeadLetters, register_agents
from tests.gateway.routes.test_discovery import BARE, INVOICE
from tests.gateway.routes.test_dry_run import RenderingStandIn
from tests.gateway.routes.test_templates import TemplatesStandIn
from tests.gateway.routes.test_webhooks import WebhooksStandIn


@pytest.fixture
async def gateway(database: Database) -> AsyncIterator[Gateway]:
    """It refuses what only a developer's machine may send, as the documents say."""
    bus, messaging = AnsweringBus(), MessagingStandIn()
    messaging.register(bus)
    _register_others(bus)
    await register_agents(database, bus, messaging)
    await ensure_indexes(database)
    production = {"ENVIRONMENT": "production", "NOT_FOUNDS_PER_MINUTE": "1000000"}  # a fuzzer guesses a lot
    settings = GatewaySettings.from_env(ENVIRONMENT | production)
    private, public = build_apps(settings, database, bus, Readiness({}), MemoryStream(), dead_letters=NoDeadLetters())
    async with TestClient(TestServer(private)) as inside, TestClient(TestServer(public)) as outside:
        yield Gateway(inside, outside, bus, messaging, database)


def _register_others(bus: MemoryBus) -> None:
    templates, webhooks = TemplatesStandIn(), WebhooksStandIn()
    bus.on(RenderMessage, RenderingStandIn().render_message)
    bus.on(DiscoverTemplates, _discover)
    bus.on(ListTemplates, templates.list_templates)
    bus.on(SyncTemplates, templates.sync_templates)
    bus.on(CreateSubscription, webhooks.create)
    bus.on(ListSubscriptions, webhooks.list)
    bus.on(DeleteSubscription, webhooks.delete)
    bus.on(ListEventTypes, webhooks.event_types)


async def _discover(query: DiscoverTemplates) -> DiscoveredTemplates:
    if query.name not in {None, INVOICE.name}:
        raise NotFoundError("No template has this name", code="template_not_found")
    return DiscoveredTemplates(items=(INVOICE, BARE), total=2)
