"""What every service begins and ends with."""

import aiohttp
import pytest

from shared.mongo import Database
from tests.servers import RealServers
from tests.started import get_json, service_environ, started


@pytest.mark.parametrize("service", ["agents", "campaigns", "templates"])
async def test_a_service_starts_says_that_it_is_ready_and_stops(
    service: str, servers: RealServers, rabbit: str, database: Database
) -> None:
    async with service_environ(servers, rabbit, database) as environ, started(service, environ) as address:
        ready = await get_json(f"{address}/readyz")
        version = await get_json(f"{address}/version")

    assert ready["checks"] == ["mongodb", "rabbitmq", "started"]
    assert version["service"] == service
    with pytest.raises(aiohttp.ClientConnectionError):
        await get_json(f"{address}/healthz")
