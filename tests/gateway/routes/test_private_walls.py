"""What a web page that an operator opens can do to the private listener: nothing. What an operator needs: a token."""

import time
from typing import Any

import pytest

from tests.gateway.conftest import Gateway, Tenant, admin_token

DASHBOARD = "http://localhost:5173"
USER = {"user_id": "usr_evil", "email": "evil@example.com"}


def token(**given: Any) -> str:
    """An operator's token whose times, where given as numbers, are seconds from now."""
    now = int(time.time())
    times = {name: now + given[name] for name in ("iat", "exp") if isinstance(given.get(name), int)}
    return admin_token(**(given | times))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:4000"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "localhost.:4000"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": "http://localhost:5173.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_request_from_another_page_does_nothing(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    response = await gateway.private.post("/api/v1/users", json=USER, headers=headers)

    assert response.status == status
    assert "Access-Control-Allow-Origin" not in response.headers
    assert await gateway.database.users.count_documents({}) == 0


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_plain_html_form_cannot_write(gateway: Gateway, content_type: str) -> None:
    raw = b'{"user_id":"usr_evil","email":"evil@example.com"}'

    response = await gateway.private.post("/api/v1/users", data=raw, headers={"Content-Type": content_type})

    assert response.status == 415
    assert await gateway.database.users.count_documents({}) == 0


@pytest.mark.parametrize("host", ["localhost", "localhost:4000", "127.0.0.1:80", "[::1]:4000", "LOCALHOST:1"])
async def test_our_own_names_are_let_in(gateway: Gateway, host: str) -> None:
    assert (await gateway.private.get("/api/v1/phone-numbers?user_id=x", headers={"Host": host})).status == 200


async def test_the_dashboard_may_ask_before_it_writes(gateway: Gateway) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    response = await gateway.private.options("/api/v1/users", headers={"Origin": DASHBOARD} | wanted)

    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == DASHBOARD
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_the_dashboard_may_read_answers_and_errors(gateway: Gateway) -> None:
    for path in ("/api/v1/phone-numbers?user_id=x", "/api/v1/users/nobody", "/nowhere"):
        response = await gateway.private.get(path, headers={"Origin": DASHBOARD, "Sec-Fetch-Site": "cross-site"})

        assert response.headers["Access-Control-Allow-Origin"] == DASHBOARD
        assert response.headers["Vary"] == "Origin"


async def test_probes_may_call_by_any_name(gateway: Gateway) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await gateway.private.get(path, headers={"Host": "10.0.0.7:4000"})).status == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"authorization": None}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": "Bearer nonsense"}, 401),
        ({"secret": "another secret of more than thirty-two bytes"}, 401),
        ({"algorithm": "HS512"}, 401),
        ({"secret": "", "algorithm": "none"}, 401),
        ({"sub": None}, 401),
        ({"iat": None}, 401),
        ({"exp": None}, 401),
        ({"role": None}, 401),
        ({"iat": -7200, "exp": -60}, 401),
        ({"iat": 600, "exp": 1200}, 401),
        ({"iat": 0, "exp": 24 * 3600 + 1}, 401),
        ({"exp": "soon"}, 401),
        ({"role": "viewer"}, 403),
        ({"role": ["admin"]}, 403),
        ({"iat": -3600, "exp": -20}, 200),  # within the leeway
        ({"jti": "1", "aud": "waapi"}, 200),
    ],
)
async def test_the_operators_routes_need_a_token_that_holds(
    gateway: Gateway, given: dict[str, Any], status: int
) -> None:
    headers = {"Authorization": given.get("authorization", f"Bearer {token(**given)}")}

    response = await gateway.private.get(
        "/admin/api-keys?user_id=usr_1", headers={name: value for name, value in headers.items() if value is not None}
    )
    body = await response.json()

    assert (response.status, body["success"]) == (status, status == 200)
    if status == 401:
        assert body["error"] == "Unauthorized"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_does_not_hold_is_named_so(gateway: Gateway) -> None:
    response = await gateway.private.get("/admin/api-keys", headers={"Authorization": "Bearer x"})

    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_without_a_token_nobody_learns_which_admin_routes_exist(gateway: Gateway) -> None:
    for method, path in (("GET", "/admin/nowhere"), ("GET", "/admin"), ("PATCH", "/admin/api-keys")):
        assert (await gateway.private.request(method, path)).status == 401


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer wak_live_x"])
async def test_a_wrong_credential_for_the_dashboard_api_is_not_ignored(gateway: Gateway, authorization: str) -> None:
    response = await gateway.private.get("/api/v1/phone-numbers?user_id=x", headers={"Authorization": authorization})

    assert response.status == 401


async def test_a_good_credential_for_the_dashboard_api_is_welcome(gateway: Gateway, tenant: Tenant) -> None:
    good: list[dict[str, Any]] = [{"Authorization": f"Bearer {admin_token()}"}, tenant.headers]

    for headers in good:
        assert (await gateway.private.get("/api/v1/phone-numbers?user_id=x", headers=headers)).status == 200
