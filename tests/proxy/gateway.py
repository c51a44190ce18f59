"""The real gateway with the services behind it stood in for, both listeners on ports of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.gateway.conftest import ENVIRONMENT, Gateway, MessagingStandIn


@asynccontextmanager
async def serving_gateway(database: Database, **environment: str) -> AsyncIterator[Gateway]:
    """A gateway that serves; `environment` changes its settings."""
    bus, standing_in = MemoryBus(), MessagingStandIn()
    standing_in.register(bus)
    await ensure_indexes(database)
    settings = GatewaySettings.from_env(ENVIRONMENT | environment)
    private, public = build_apps(settings, database, bus, Readiness({}), MemoryStream())
    async with TestClient(TestServer(private)) as inside, TestClient(TestServer(public)) as outside:
        yield Gateway(inside, outside, bus, standing_in, database)
