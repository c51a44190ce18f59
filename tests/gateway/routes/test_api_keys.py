"""`/admin/api-keys`."""

import re
from typing import Any

import pytest

from tests.gateway.conftest import Gateway, Tenant, make_tenant

FUTURE = "2099-01-01T00:00:00.000Z"
SHOWN = ["key_id", "name", "prefix", "permissions", "phone_number_id", "encoded_phone_id"]
TIME = "expires_at must be a time such as 2026-03-05T10:30:00.000Z"


async def create(gateway: Gateway, tenant: Tenant, **change: Any) -> tuple[int, dict[str, Any]]:
    """Create a key for the tenant's number."""
    body = {"user_id": tenant.user_id, "phone_number_id": tenant.phone_number_id, "name": "Shop"} | change
    response = await gateway.admin("POST", "/admin/api-keys", json=body)
    return response.status, await response.json()


async def test_a_key_is_shown_once_with_its_token(gateway: Gateway, tenant: Tenant) -> None:
    status, body = await create(gateway, tenant, expires_at=FUTURE, permissions=["send_text", "send_text"])
    made = body["data"]

    assert (status, list(made)) == (201, [*SHOWN, "token", "created_at", "expires_at"])
    assert re.fullmatch(r"wak_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}", made["token"])
    assert made["token"].startswith(made["prefix"])
    assert (made["permissions"], made["expires_at"]) == (["send_text"], FUTURE)
    assert made["encoded_phone_id"] == tenant.encoded_phone_id


async def test_the_list_shows_everything_but_the_token(gateway: Gateway, tenant: Tenant) -> None:
    response = await gateway.admin("GET", "/admin/api-keys?user_id=usr_1")
    (shown,) = (await response.json())["data"]

    assert list(shown) == [*SHOWN, "created_at", "expires_at", "last_used_at"]
    assert (shown["key_id"], shown["last_used_at"]) == (tenant.key_id, None)


async def test_without_permissions_the_three_usual_ones_are_given(gateway: Gateway, tenant: Tenant) -> None:
    _, body = await create(gateway, tenant)

    assert body["data"]["permissions"] == ["send_text", "send_media", "send_template"]


async def test_a_key_may_last_until_a_moment_that_no_calendar_holds_in_utc(gateway: Gateway, tenant: Tenant) -> None:
    status, body = await create(gateway, tenant, expires_at="9999-12-31T23:59:59-12:00")

    assert (status, body["data"]["expires_at"]) == (201, "9999-12-31T23:59:59.000Z")


async def test_only_a_keyed_hash_of_the_secret_is_kept(gateway: Gateway, tenant: Tenant) -> None:
    documents = str([document async for document in gateway.database.api_keys.find()])

    assert tenant.token[-49:-6] not in documents


async def test_a_deleted_key_is_refused_at_once(gateway: Gateway, tenant: Tenant) -> None:
    deleted = await gateway.admin("DELETE", f"/admin/api-keys/{tenant.key_id}")
    sent = await gateway.public.post(tenant.url, json={}, headers=tenant.headers)
    again = await gateway.admin("DELETE", f"/admin/api-keys/{tenant.key_id}")
    listed = await gateway.admin("GET", "/admin/api-keys?user_id=usr_1")

    assert (deleted.status, (await deleted.json())["message"]) == (200, "API key deleted successfully")
    assert (sent.status, again.status, (await listed.json())["data"]) == (401, 404, [])


async def test_a_key_for_another_users_number_is_a_404(gateway: Gateway, tenant: Tenant) -> None:
    other = await make_tenant(gateway, "usr_2")

    status, body = await create(gateway, tenant, phone_number_id=other.phone_number_id)

    assert (status, body["message"]) == (404, "Phone number not found")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"user_id": None}, 400, "user_id is required"),
        ({"user_id": "usr_nobody"}, 404, "User not found"),
        ({"phone_number_id": None}, 400, "phone_number_id is required"),
        ({"phone_number_id": "pn_nobody"}, 404, "Phone number not found"),
        ({"name": None}, 400, "name is required"),
        ({"name": " "}, 400, "name must not be empty"),
        ({"permissions": []}, 400, "permissions must not be empty"),
        ({"permissions": "send_text"}, 400, "permissions must be an array"),
        (
            {"permissions": ["send_all"]},
            400,
            "permissions[0] must be 'send_text', 'send_media', 'send_template', 'send_interactive' or 'read_templates'",
        ),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at must lie in the future"),
        ({"expires_at": "tomorrow"}, 400, TIME),
        ({"expires_at": 1893456000}, 400, TIME),
        (
            {"expires_at": "2099-01-01T00:00:00"},
            400,
            "expires_at must be a time with its zone, such as 2026-03-05T10:30:00.000Z",
        ),
    ],
)
async def test_a_wrong_body_names_the_field_and_makes_no_key(
    gateway: Gateway, tenant: Tenant, change: dict[str, Any], status: int, message: str
) -> None:
    found = await create(gateway, tenant, **change)

    assert (found[0], found[1]["message"]) == (status, message)
    assert await gateway.database.api_keys.count_documents({}) == 1


async def test_the_list_needs_a_user(gateway: Gateway) -> None:
    response = await gateway.admin("GET", "/admin/api-keys")

    assert (response.status, (await response.json())["message"]) == (400, "user_id query parameter is required")
