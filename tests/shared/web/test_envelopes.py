"""Each API keeps its own envelope, whatever goes wrong."""

import re

import pytest

from tests.shared.web.conftest import Client

ISO_MILLIS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_a_dashboard_success_carries_timestamp_and_correlation_id(client: Client) -> None:
    response = await client.post("/api/v1/orders", json={"name": "Ann"}, headers={"X-Request-Id": "mine_1"})
    body = await response.json()

    assert list(body) == ["success", "data", "message", "timestamp", "correlationId"]
    assert body["data"] == {"name": "Ann", "count": 1, "tags": []}
    assert ISO_MILLIS.fullmatch(body["timestamp"])
    assert body["correlationId"] == response.headers["X-Correlation-Id"] == "mine_1"


async def test_an_external_success_carries_nothing_more_than_documented(client: Client) -> None:
    response = await client.post("/api/external/orders", json={"name": "Ann"})

    assert list(await response.json()) == ["success", "data", "message"]


@pytest.mark.parametrize(
    ("how", "status", "text", "message", "code"),
    [
        ("conflict", 409, "Conflict", "There is one already", "conflict"),
        ("limit", 429, "Too Many Requests", "Slow down", "rate_limited"),
        ("login", 401, "Unauthorized", "No key", "unauthenticated"),
        ("upstream", 502, "Bad Gateway", "Meta says no", "upstream_rejected"),
        (
            "database",
            503,
            "Service Unavailable",
            "The service cannot reach its database right now; try again",
            "service_unavailable",
        ),
        ("bug", 500, "Internal Server Error", "Something went wrong on our side", "internal_error"),
    ],
)
async def test_each_error_has_its_status_in_both_envelopes(  # noqa: PLR0917 - the columns of a table
    client: Client, how: str, status: int, text: str, message: str, code: str
) -> None:
    dashboard = await client.get(f"/api/v1/fail/{how}")
    external = await client.get(f"/api/external/fail/{how}")
    told, told_external = await dashboard.json(), await external.json()

    assert (dashboard.status, external.status) == (status, status)
    assert (told["success"], told["error"], told["message"], told["code"]) == (False, text, message, code)
    expected = (
        message
        if status != 502
        else {"message": message} | dict.fromkeys(("code", "subcode", "type", "details", "fbtrace_id"))
    )
    assert (told_external["success"], told_external["error"], told_external["code"]) == (False, expected, code)
    assert "correlationId" in told_external


@pytest.mark.parametrize(("how", "seconds"), [("limit", "2"), ("database", "5")])
async def test_a_caller_who_may_come_back_is_told_when(client: Client, how: str, seconds: str) -> None:
    response = await client.get(f"/api/external/fail/{how}")

    assert response.headers["Retry-After"] == seconds


async def test_a_missing_credential_names_the_scheme(client: Client) -> None:
    assert (await client.get("/api/v1/fail/login")).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nowhere", 404, "route_not_found"),
        ("GET", "/api/external/nowhere", 404, "route_not_found"),
        ("GET", "/nowhere", 404, "route_not_found"),
        ("DELETE", "/api/v1/orders", 405, "method_not_allowed"),
        ("DELETE", "/api/external/orders", 405, "method_not_allowed"),
    ],
)
async def test_errors_of_the_framework_wear_an_envelope_too(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    response = await client.request(method, path)
    body = await response.json()

    assert (response.status, body["success"], body["code"]) == (status, False, code)
    assert ("message" in body) is not path.startswith("/api/external/")


async def test_a_405_says_what_is_allowed(client: Client) -> None:
    assert (await client.delete("/api/v1/orders")).headers["Allow"] == "POST"


@pytest.mark.parametrize("wanted", ["", "with space", "a" * 65, "semi;colon", "ünïcode"])
async def test_a_request_id_of_another_form_is_replaced(client: Client, wanted: str) -> None:
    response = await client.get("/api/v1/fail/conflict", headers={"X-Request-Id": wanted})

    assert re.fullmatch(r"req_[A-Za-z0-9]{22}", response.headers["X-Correlation-Id"])


async def test_every_answer_carries_safe_headers(client: Client) -> None:
    for response in (await client.get("/nowhere"), await client.post("/api/v1/orders", json={"name": "Ann"})):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
