"""Guessing ids: after 300 misses in a minute an address hears nothing more for a while."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.repositories.key_rates import KeyRateRepository
from services.gateway.routes.not_founds import BARRED_SECONDS, NotFounds
from shared.errors import NotFoundError
from shared.mongo import Database
from shared.web.app import web_app

MISSES = 5
Client = TestClient[web.Request, web.Application]


@dataclass
class Replica:
    """A listener that counts misses; `now` is its clock, in seconds."""

    client: Client
    now: list[float]

    async def ask(self, path: str, caller: str = "203.0.113.9") -> int:
        """The status that a caller is answered with."""
        async with self.client.get(path, headers={"X-Caller": caller}) as response:
            return response.status


async def replica(database: Database) -> Replica:
    """One gateway, with a limit that is never refilled while the test runs."""
    now = [0.0]
    watched = NotFounds(KeyRateRepository(database, per_second=1e-9, burst=MISSES), lambda: now[0])

    @web.middleware
    async def watching(request: web.Request, handler: object) -> web.StreamResponse:
        return await watched.watch(request, request.headers["X-Caller"], handler)  # type: ignore[arg-type]

    async def missing(_request: web.Request) -> web.Response:
        raise NotFoundError("Phone number not found")

    async def replayed(_request: web.Request) -> web.Response:
        return web.Response(status=404)

    async def there(_request: web.Request) -> web.Response:
        return web.Response()

    routes = [web.get("/missing", missing), web.get("/replayed", replayed), web.get("/there", there)]
    app = web_app(routes, service="test", middlewares=(watching,))
    return Replica(TestClient(TestServer(app)), now)


@pytest.fixture
async def gateways(database: Database) -> AsyncIterator[tuple[Replica, Replica]]:
    """Two gateways on one database."""
    first, second = await replica(database), await replica(database)
    async with first.client, second.client:
        yield first, second


async def use_up(gateway: Replica) -> None:
    """One miss more than is allowed, by different ways of missing."""
    for path in ("/missing", "/replayed", "/nowhere", "/missing", "/missing", "/missing"):
        assert await gateway.ask(path) == 404


async def test_an_address_that_guesses_is_turned_away_also_from_what_is_there(
    gateways: tuple[Replica, Replica],
) -> None:
    gateway, _ = gateways

    await use_up(gateway)

    assert await gateway.ask("/there") == 429
    assert await gateway.ask("/missing") == 429


async def test_others_are_not_turned_away(gateways: tuple[Replica, Replica]) -> None:
    gateway, _ = gateways

    await use_up(gateway)

    assert await gateway.ask("/there", "198.51.100.7") == 200
    assert await gateway.ask("/missing", "198.51.100.7") == 404


async def test_what_is_found_is_never_counted(gateways: tuple[Replica, Replica]) -> None:
    gateway, _ = gateways

    assert {await gateway.ask("/there") for _ in range(3 * MISSES)} == {200}


async def test_another_gateway_hears_of_it_with_the_next_miss(gateways: tuple[Replica, Replica]) -> None:
    first, second = gateways

    await use_up(first)

    assert [await second.ask(path) for path in ("/there", "/missing", "/there")] == [200, 404, 429]


async def test_after_a_minute_the_address_may_ask_again(gateways: tuple[Replica, Replica]) -> None:
    gateway, _ = gateways
    await use_up(gateway)

    gateway.now[0] += BARRED_SECONDS + 1

    assert await gateway.ask("/there") == 200
