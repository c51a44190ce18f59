"""Health, readiness, version and metrics."""

from aiohttp.test_utils import TestClient, TestServer

from shared.web.ops import Readiness, ops_app
from tests.shared.web.conftest import Client


async def works() -> None:
    """A check that passes."""


async def fails() -> None:
    """A check that does not, with a text that must not travel."""
    raise ConnectionError("amqp://guest:secret@broker")


async def test_a_service_whose_checks_pass_is_ready() -> None:
    async with TestClient(TestServer(ops_app("test", Readiness({"mongodb": works})))) as client:
        response = await client.get("/readyz")

        assert (response.status, await response.json()) == (200, {"status": "ready", "checks": ["mongodb"]})


async def test_a_failing_check_is_named_without_its_text() -> None:
    async with TestClient(TestServer(ops_app("test", Readiness({"mongodb": works, "broker": fails})))) as client:
        response = await client.get("/readyz")

        assert response.status == 503
        assert await response.json() == {"status": "not_ready", "failing": {"broker": "ConnectionError"}}
        assert (await client.get("/healthz")).status == 200


async def test_a_draining_service_is_not_ready() -> None:
    readiness = Readiness({})
    async with TestClient(TestServer(ops_app("test", readiness))) as client:
        readiness.drain()

        assert (await client.get("/readyz")).status == 503
        assert (await client.get("/healthz")).status == 200


async def test_metrics_know_routes_and_never_what_callers_put_into_paths(client: Client) -> None:
    await client.get("/api/v1/fail/conflict")
    await client.get("/call/+14155550123")
    await client.request("WEIRD", "/api/v1/orders")

    async with TestClient(TestServer(ops_app("test", Readiness({})))) as ops:
        text = await (await ops.get("/metrics")).text()

    assert 'waapi_http_requests_total{method="GET",route="/api/v1/fail/{how}",service="test",status="409"}' in text
    assert 'route="unmatched"' in text
    assert "14155550123" not in text
    assert "WEIRD" not in text


async def test_the_version_names_the_service() -> None:
    async with TestClient(TestServer(ops_app("messaging", Readiness({})))) as client:
        body = await (await client.get("/version")).json()

    assert body["service"] == "messaging"
