"""Who may use the external send API, and for what."""

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.gateway.domain.permissions import PERMISSION_FOR_TYPE
from shared.clock import utc_now
from tests.eventually import eventually
from tests.gateway.conftest import Gateway, Tenant, make_tenant
from tests.gateway.schemas.bodies import AUDIO, BUTTON, CARDS, CAROUSEL, CTA_URL, DOCUMENT, IMAGE, LIST, TEMPLATE, TEXT

UNKNOWN_KEY = "wak_live_00000000_" + "0" * 43 + "1ciZMs"  # in good form
ROWS = [
    (TEXT, "send_text"),
    (IMAGE, "send_media"),
    (IMAGE | {"type": "video"}, "send_media"),
    (AUDIO, "send_media"),
    (DOCUMENT, "send_media"),
    (TEMPLATE, "send_template"),
    (CAROUSEL, "send_template"),
    (BUTTON, "send_interactive"),
    (CTA_URL, "send_interactive"),
    (LIST, "send_interactive"),
    (CARDS, "send_interactive"),
]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", f"Bearer {UNKNOWN_KEY}"],
)
async def test_a_missing_or_wrong_token_is_a_401(gateway: Gateway, tenant: Tenant, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    response = await gateway.public.post(tenant.url, json=TEXT, headers=headers)
    body = await response.json()

    assert (response.status, body["success"], body["error"]) == (401, False, "Missing or invalid Authorization token")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert gateway.messaging.sends == []


async def test_a_token_with_one_other_letter_is_a_401(gateway: Gateway, tenant: Tenant) -> None:
    other = "a" if tenant.token[20] != "a" else "b"
    changed = tenant.token[:20] + other + tenant.token[21:]

    response = await gateway.public.post(tenant.url, json=TEXT, headers={"Authorization": f"Bearer {changed}"})

    assert response.status == 401


async def test_an_expired_key_is_a_401(gateway: Gateway, tenant: Tenant) -> None:
    await gateway.database.api_keys.update_one({}, {"$set": {"expires_at": utc_now() - timedelta(seconds=1)}})

    assert (await gateway.public.post(tenant.url, json=TEXT, headers=tenant.headers)).status == 401


@pytest.mark.parametrize(("body", "permission"), ROWS)
async def test_each_type_needs_its_permission(gateway: Gateway, tenant: Tenant, body: Any, permission: str) -> None:
    others = [name for name in dict.fromkeys(PERMISSION_FOR_TYPE.values()) if name != permission]
    await gateway.database.api_keys.update_one({}, {"$set": {"permissions": others}})
    refused = await gateway.public.post(tenant.url, json=body, headers=tenant.headers)
    await gateway.database.api_keys.update_one({}, {"$set": {"permissions": [permission]}})
    sent = await gateway.public.post(tenant.url, json=body, headers=tenant.headers)

    assert (refused.status, (await refused.json())["error"]) == (403, f"The API key lacks the permission {permission}")
    assert sent.status == 200


async def test_the_permission_is_looked_at_before_the_rest_of_the_body(gateway: Gateway, tenant: Tenant) -> None:
    await gateway.database.api_keys.update_one({}, {"$set": {"permissions": []}})

    response = await gateway.public.post(tenant.url, json={"type": "text"}, headers=tenant.headers)

    assert response.status == 403


@pytest.mark.parametrize(
    ("encoded", "status"),
    [
        ("cG5fbm9ib2R5", 403),  # pn_nobody: unknown looks like foreign
        ("%21%21%21", 400),
        ("cG5fb", 400),
        ("a", 400),
        ("%00", 400),
    ],
)
async def test_a_wrong_phone_id_is_refused(gateway: Gateway, tenant: Tenant, encoded: str, status: int) -> None:
    response = await gateway.public.post(f"/api/external/send-message/{encoded}", json=TEXT, headers=tenant.headers)

    assert response.status == status
    assert isinstance((await response.json())["error"], str)


async def test_the_phone_id_may_be_metas_and_in_any_form_of_base64(gateway: Gateway, tenant: Tenant) -> None:
    for identifier in (tenant.phone_number_id, "1065_usr_1"):
        encoded = base64.b64encode(identifier.encode()).decode().replace("=", "%3D").replace("/", "%2F")

        response = await gateway.public.post(f"/api/external/send-message/{encoded}", json=TEXT, headers=tenant.headers)

        assert response.status == 200


async def test_a_key_for_an_instagram_account_cannot_send(gateway: Gateway) -> None:
    tenant = await make_tenant(gateway, number={"platform": "instagram", "waba_id": None})

    response = await gateway.public.post(tenant.url, json=TEXT, headers=tenant.headers)

    assert (response.status, (await response.json())["code"]) == (400, "not_whatsapp")


async def test_the_last_use_is_noted_once_a_minute(gateway: Gateway, tenant: Tenant) -> None:
    async def noted() -> datetime | None:
        (key,) = [key async for key in gateway.database.api_keys.find()]
        return key["last_used_at"]  # type: ignore[no-any-return]

    await gateway.public.post(tenant.url, json=TEXT, headers=tenant.headers)
    first = await eventually(noted)
    await gateway.public.post(tenant.url, json=TEXT, headers=tenant.headers)

    assert await noted() == first


async def test_the_public_listener_serves_nothing_private(gateway: Gateway) -> None:
    paths = ("/api/v1/users/usr_1", "/admin/api-keys?user_id=usr_1", "/metrics", "/readyz", "/version")

    assert [(await gateway.public.get(path)).status for path in paths] == [404] * 5
    assert (await gateway.public.get("/healthz")).status == 200
