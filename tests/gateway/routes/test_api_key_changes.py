"""`PATCH /admin/api-keys/:id`, and how soon a change acts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps
from services.gateway.settings import GatewaySettings
from shared.bus.stream import MemoryStream
from shared.clock import iso_millis, utc_now
from shared.web.ops import Readiness
from tests.eventually import eventually
from tests.gateway.conftest import ENVIRONMENT, Client, Gateway, Tenant, make_tenant
from tests.gateway.schemas.bodies import BUTTON, TEXT

FUTURE = "2099-01-01T00:00:00.000Z"
SHOWN = ["key_id", "name", "prefix", "permissions", "phone_number_id", "encoded_phone_id"]
SHOWN_WITH_TIMES = [*SHOWN, "created_at", "expires_at", "last_used_at"]


@pytest.fixture
async def other_gateway(gateway: Gateway) -> AsyncIterator[Client]:
    """The public listener of a second gateway on the same database."""
    settings = GatewaySettings.from_env(ENVIRONMENT)
    _, public = build_apps(settings, gateway.database, gateway.bus, Readiness({}), MemoryStream())
    async with TestClient(TestServer(public)) as client:
        yield client


async def change(gateway: Gateway, tenant: Tenant, **body: Any) -> tuple[int, dict[str, Any]]:
    """Change the tenant's key."""
    response = await gateway.admin("PATCH", f"/admin/api-keys/{tenant.key_id}", json=body)
    return response.status, await response.json()


async def statuses(client: Client, tenant: Tenant, *bodies: Any) -> list[int]:
    """What sends are answered with."""
    return [(await client.post(tenant.url, json=body, headers=tenant.headers)).status for body in bodies]


async def test_a_changed_key_is_shown_without_its_token(gateway: Gateway, tenant: Tenant) -> None:
    status, body = await change(
        gateway, tenant, name="Shop", permissions=["send_text", "send_text", "read_templates"], expires_at=FUTURE
    )
    (listed,) = (await (await gateway.admin("GET", "/admin/api-keys?user_id=usr_1")).json())["data"]

    assert (status, list(body["data"])) == (200, SHOWN_WITH_TIMES)
    assert body["data"] == listed
    assert (listed["name"], listed["permissions"]) == ("Shop", ["send_text", "read_templates"])
    assert (listed["expires_at"], listed["key_id"]) == (FUTURE, tenant.key_id)


async def test_what_is_left_out_stays(gateway: Gateway, tenant: Tenant) -> None:
    await change(gateway, tenant, expires_at=FUTURE, permissions=["send_text"])

    _, body = await change(gateway, tenant, name="Shop")

    assert (body["data"]["expires_at"], body["data"]["permissions"]) == (FUTURE, ["send_text"])


async def test_an_expiry_can_be_taken_away_again(gateway: Gateway, tenant: Tenant) -> None:
    await change(gateway, tenant, expires_at=FUTURE)

    _, body = await change(gateway, tenant, expires_at=None)

    assert body["data"]["expires_at"] is None


async def test_new_permissions_act_on_the_next_request_at_every_gateway(
    gateway: Gateway, other_gateway: Client, tenant: Tenant
) -> None:
    before = await statuses(other_gateway, tenant, TEXT, BUTTON)
    await change(gateway, tenant, permissions=["send_interactive"])
    after = await statuses(other_gateway, tenant, TEXT, BUTTON)

    assert (before, after) == ([200, 200], [403, 200])


async def test_a_revoked_key_is_refused_by_the_next_request_at_every_gateway(
    gateway: Gateway, other_gateway: Client, tenant: Tenant
) -> None:
    before = await statuses(other_gateway, tenant, TEXT)
    await gateway.admin("DELETE", f"/admin/api-keys/{tenant.key_id}")
    after = await statuses(other_gateway, tenant, TEXT) + await statuses(gateway.public, tenant, TEXT)

    assert (before, after) == ([200], [401, 401])


async def test_a_key_expires_at_the_time_it_was_made_with(gateway: Gateway) -> None:
    tenant = await make_tenant(gateway, expires_at=iso_millis(utc_now() + timedelta(seconds=1)))

    async def is_refused() -> bool:
        return await statuses(gateway.public, tenant, TEXT) == [401]

    assert await statuses(gateway.public, tenant, TEXT) == [200]
    await eventually(is_refused)


async def test_a_key_that_expired_lives_again_when_its_expiry_is_moved(gateway: Gateway, tenant: Tenant) -> None:
    past = utc_now() - timedelta(minutes=1)
    await gateway.database.api_keys.update_one({}, {"$set": {"expires_at": past}})

    before = await statuses(gateway.public, tenant, TEXT)
    await change(gateway, tenant, expires_at=FUTURE)

    assert (before, await statuses(gateway.public, tenant, TEXT)) == ([401], [200])


async def test_the_list_shows_when_a_key_was_last_used(gateway: Gateway, tenant: Tenant) -> None:
    async def last_used_at() -> str:
        (shown,) = (await (await gateway.admin("GET", "/admin/api-keys?user_id=usr_1")).json())["data"]
        return shown["last_used_at"] or ""

    before = utc_now()
    await statuses(gateway.public, tenant, TEXT)
    noted = await eventually(last_used_at)  # written without waiting for the majority that the list reads from

    assert iso_millis(before) <= noted <= iso_millis(utc_now())


async def test_only_an_operator_changes_keys(gateway: Gateway, tenant: Tenant) -> None:
    path = f"/admin/api-keys/{tenant.key_id}"

    without = await gateway.private.patch(path, json={"name": "Mine"})
    with_the_key = await gateway.private.patch(path, json={"name": "Mine"}, headers=tenant.headers)
    outside = await gateway.public.patch(path, json={"name": "Mine"})

    assert [without.status, with_the_key.status, outside.status] == [401, 401, 404]


@pytest.mark.parametrize("key_id", ["key_nobody", "$where", "%00"])
async def test_a_key_that_is_not_there_is_a_404(gateway: Gateway, key_id: str) -> None:
    response = await gateway.admin("PATCH", f"/admin/api-keys/{key_id}", json={"name": "Shop"})

    assert (response.status, (await response.json())["message"]) == (404, "API key not found")


async def test_a_revoked_key_cannot_be_changed(gateway: Gateway, tenant: Tenant) -> None:
    await gateway.admin("DELETE", f"/admin/api-keys/{tenant.key_id}")

    status, body = await change(gateway, tenant, name="Shop")

    assert (status, body["message"]) == (404, "API key not found")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Nothing to change: give name, permissions or expires_at"),
        ({"permission": ["send_text"]}, "Nothing to change: give name, permissions or expires_at"),
        ({"name": None}, "name is required"),
        ({"name": " "}, "name must not be empty"),
        ({"name": "a" * 201}, "name must have at most 200 characters"),
        ({"permissions": None}, "permissions is required"),
        ({"permissions": []}, "permissions must not be empty"),
        ({"permissions": ["send_text", "all"]}, "permissions[1] must be 'send_text', 'send_media', 'send_template'"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at must lie in the future"),
        ({"expires_at": "never"}, "expires_at must be a time such as 2026-03-05T10:30:00.000Z"),
    ],
)
async def test_a_wrong_body_changes_nothing(
    gateway: Gateway, tenant: Tenant, body: dict[str, Any], message: str
) -> None:
    before = [key async for key in gateway.database.api_keys.find()]

    status, answer = await change(gateway, tenant, **body)

    assert (status, answer["message"].startswith(message)) == (400, True)
    assert [key async for key in gateway.database.api_keys.find()] == before
