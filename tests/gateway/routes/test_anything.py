"""Whatever is sent to any route, the answer is an envelope and never a 500."""

import json
import random
from typing import Any

from tests.gateway.conftest import Gateway, Tenant, admin_token
from tests.gateway.schemas.bodies import AUDIO, BUTTON, CARDS, CAROUSEL, DOCUMENT, LIST, TEMPLATE, TEXT

REQUESTS = 600
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "FROB")
STRINGS = (
    "",
    "usr_1",
    "$where",
    "a" * 300,
    "\u202e",
    "😀",
    "../..",
    "null",
    "+14155550123",
    "true",
    "2026-01-01T00:00:00Z",
)
VALUES: tuple[Any, ...] = (None, True, -1, 0, 10**400, 1.5, [], {}, [[]], {"$ne": None}, {"": {}}, *STRINGS)
HEADERS = {
    "Idempotency-Key": ("k", "", "ü", "a" * 300),
    "X-Request-Id": ("mine", "a b", "\xff"),
    "Origin": ("http://localhost:5173", "null", "http://[", "\xff"),
    "Host": ("localhost", "evil", "[", "localhost:99999999"),
    "Authorization": ("Bearer", "Bearer \xff", "Basic x", "Bearer a.b.c", "Bearer wak_live_x"),
    "Content-Type": ("application/json", "text/plain", "application/json; charset=utf-16", ";", "\xff"),
    "traceparent": ("00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x"),
    "Accept": ("text/html",),
}
FIELDS = ("user_id", "email", "company_name", "platform", "phone_number_id", "access_token", "waba_id", "name", "url")
BODIES = (TEXT, AUDIO, DOCUMENT, TEMPLATE, BUTTON, LIST, CARDS, CAROUSEL)


def any_path(chance: random.Random, tenant: Tenant) -> str:
    """A route of ours with something in its variable places."""
    odd = chance.choice(("x", "%00", "%ff", "a" * 400, "%2e%2e", "😀", "a%20b", "", tenant.phone_number_id))
    query = chance.choice(
        ("", f"?user_id={odd}", "?user_id=a&user_id=b", "?platform=%ff", f"?phone_number_id={odd}&status=%00")
    )
    paths = (
        tenant.url,
        f"/api/external/send-message/{odd}",
        "/api/v1/users",
        f"/api/v1/users/{odd}",
        "/api/v1/phone-numbers",
        f"/api/v1/phone-numbers/{odd}",
        "/api/v1/templates/sync",
        "/api/v1/templates",
        "/admin/api-keys",
        f"/admin/api-keys/{odd}",
        "/admin/webhooks",
        f"/{odd}",
    )
    return chance.choice(paths) + query


def any_body(chance: random.Random) -> bytes:
    """Nothing, no JSON, odd JSON, or a right body with one odd value."""
    if chance.random() < 0.2:
        return chance.choice((b"", b"{", b"\xff", b"[" * 1000, b'"\\ud800"', b"NaN", b'{"a":1,"a":2}'))
    body: Any = {name: chance.choice(VALUES) for name in chance.sample(FIELDS, 4)}
    if chance.random() < 0.6:
        body = json.loads(json.dumps(chance.choice(BODIES)))
        spot = body
        while isinstance(inner := spot[key := chance.choice(list(spot))], dict) and inner and chance.random() < 0.7:
            spot = inner
        spot[key] = chance.choice(VALUES)
    return json.dumps(body).encode()


def any_headers(chance: random.Random, tenant: Tenant) -> dict[str, str]:
    """Usually a right credential and content type; sometimes odd ones."""
    credential = chance.choice((tenant.headers["Authorization"], f"Bearer {admin_token()}"))
    headers = {"Authorization": credential, "Content-Type": "application/json"}
    for name in chance.sample(sorted(HEADERS), 2):
        if chance.random() < 0.4:
            headers[name] = chance.choice(HEADERS[name])
    return headers


async def test_no_request_is_answered_with_a_500(gateway: Gateway, tenant: Tenant) -> None:
    chance = random.Random(20261121)
    seen: set[int] = set()

    for _ in range(REQUESTS):
        method, path = chance.choice(METHODS), any_path(chance, tenant)
        headers, body = any_headers(chance, tenant), any_body(chance)
        listener = chance.choice((gateway.private, gateway.public))
        response = await listener.request(method, path, headers=headers, data=body)
        text = await response.text()
        seen.add(response.status)

        assert response.status != 500, (method, path, headers, body, text)
        if response.status >= 400 and method != "HEAD" and response.content_type == "application/json":
            assert json.loads(text)["success"] is False

    assert {200, 400, 401, 403, 404, 405, 415, 421} <= seen
