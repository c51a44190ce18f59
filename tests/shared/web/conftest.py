"""An application built as the services build theirs, with routes that fail in every way a route can."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel, Field

from shared.errors import ConflictError, RateLimitedError, UnauthenticatedError, UpstreamRejectedError
from shared.web.app import web_app
from shared.web.body import parse_body
from shared.web.envelopes import success

Client = TestClient[web.Request, web.Application]


class DatabaseAwayError(Exception):
    """Stands for whatever a driver raises while its database is away."""


class Order(BaseModel):
    """A body with one field of each common kind."""

    name: str = Field(min_length=1, max_length=5)
    count: int = 1
    tags: list[str] = []


async def order(request: web.Request) -> web.Response:
    """Echo the body as the route understood it."""
    return success(request, (await parse_body(request, Order)).model_dump(), message="Ordered")


async def fail(request: web.Request) -> web.Response:
    """Fail as the path says."""
    errors: dict[str, Exception] = {
        "conflict": ConflictError("There is one already"),
        "limit": RateLimitedError("Slow down", retry_after_seconds=2),
        "login": UnauthenticatedError("No key"),
        "upstream": UpstreamRejectedError("Meta says no"),
        "database": DatabaseAwayError("mongodb://user:password@host"),
        "bug": RuntimeError("the secret inner state"),
    }
    raise errors[request.match_info["how"]]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of such an application."""
    routes = [web.post(f"{base}/orders", order) for base in ("/api/v1", "/api/external")]
    routes += [web.get(f"{base}/fail/{{how}}", fail) for base in ("/api/v1", "/api/external")]
    app = web_app(routes, service="test", transient=(DatabaseAwayError,))
    async with TestClient(TestServer(app)) as found:
        yield found
