"""Ten things that a web page can make an operator's browser do, each as the browser would send it. None has an effect.

The page is at https://evil.example. It cannot read answers (no CORS header allows it), so what counts is whether
anything is done, and whether a script could read what came back.
"""

from typing import Any

import pytest

from tests.gateway.joined import USER, Joined

EVIL = "https://evil.example"
FORM = "application/x-www-form-urlencoded"
CROSS_SITE = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
NEW_USER = '{"user_id":"usr_evil","email":"evil@example.com"}'

ATTACKS: dict[str, dict[str, Any]] = {
    "a form posts fields": {
        "method": "POST",
        "path": "/api/v1/users",
        "data": b"user_id=usr_evil&email=evil%40example.com",
        "headers": CROSS_SITE | {"Content-Type": FORM, "Sec-Fetch-Mode": "navigate"},
    },
    "a form whose one field is JSON": {
        "method": "POST",
        "path": "/api/v1/users",
        "data": NEW_USER.replace("evil@", "=evil@").encode(),
        "headers": CROSS_SITE | {"Content-Type": "text/plain", "Sec-Fetch-Mode": "navigate"},
    },
    "a form posts nothing to a route without a body": {
        "method": "POST",
        "path": "/api/v1/phone-numbers/{number}/verify",
        "headers": {"Content-Type": FORM},  # an old browser, which names neither origin nor site
    },
    "fetch without CORS": {
        "method": "POST",
        "path": "/api/v1/users",
        "data": NEW_USER.encode(),
        "headers": CROSS_SITE | {"Content-Type": "text/plain;charset=UTF-8", "Sec-Fetch-Mode": "no-cors"},
    },
    "fetch with JSON asks first": {
        "method": "OPTIONS",
        "path": "/api/v1/users",
        "headers": CROSS_SITE
        | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
    },
    "fetch asks first whether it may delete": {
        "method": "OPTIONS",
        "path": "/api/v1/phone-numbers/{number}",
        "headers": CROSS_SITE | {"Access-Control-Request-Method": "DELETE"},
    },
    "a name that was bound anew to 127.0.0.1": {
        "method": "DELETE",
        "path": "/api/v1/phone-numbers/{number}",
        "headers": {"Host": "evil.example:4000", "Origin": "http://evil.example:4000", "Sec-Fetch-Site": "same-origin"},
    },
    "a sandboxed frame has no origin": {
        "method": "POST",
        "path": "/api/v1/users",
        "data": NEW_USER.encode(),
        "headers": {"Origin": "null", "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"},
    },
    "a frame, an image or a script loads an answer": {
        "method": "GET",
        "path": f"/api/v1/phone-numbers?user_id={USER}",
        "headers": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "iframe"},
    },
    "a beacon sends a blob of its own type": {
        "method": "POST",
        "path": "/api/v1/users",
        "data": NEW_USER.encode(),
        "headers": CROSS_SITE | {"Content-Type": "application/json", "Sec-Fetch-Mode": "no-cors"},
    },
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_a_foreign_page_has_no_effect_and_reads_nothing(joined: Joined, attack: dict[str, Any]) -> None:
    number = await joined.make_number()
    calls_before = len(joined.bus.sent)

    response = await joined.private.request(
        attack["method"],
        attack["path"].format(number=number["id"]),
        data=attack.get("data"),
        headers=attack["headers"],
        skip_auto_headers=("Content-Type",),
    )
    body = await response.text()

    assert response.status in {403, 415, 421}
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert number["id"] not in body
    assert number["meta_phone_number_id"] not in body
    assert len(joined.bus.sent) == calls_before
    assert await joined.database["users"].count_documents({}) == 1
    assert (await joined.ask("GET", f"/api/v1/phone-numbers/{number['id']}"))[0] == 200


async def test_no_answer_may_be_framed_or_taken_for_another_type(joined: Joined) -> None:
    for path in ("/api/v1/phone-numbers?user_id=x", "/docs", "/nowhere"):
        response = await joined.private.get(path)

        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_body_without_a_type_is_refused_and_no_body_needs_none(joined: Joined) -> None:
    number = await joined.make_number()
    untyped = ("Content-Type",)

    refused = await joined.private.post("/api/v1/users", data=NEW_USER.encode(), skip_auto_headers=untyped)
    allowed = await joined.private.post(f"/api/v1/phone-numbers/{number['id']}/verify", skip_auto_headers=untyped)

    assert (refused.status, allowed.status) == (415, 200)
