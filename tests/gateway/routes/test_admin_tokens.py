"""`DELETE /admin/tokens/:jti`, and the configured limits of operators' tokens."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps
from services.gateway.settings import GatewaySettings
from shared.bus.stream import MemoryStream
from shared.web.ops import Readiness
from tests.gateway.conftest import ENVIRONMENT, Gateway, admin_token

KEYS = "/admin/api-keys?user_id=usr_1"


def bearer(**claims: Any) -> dict[str, str]:
    """The header of an operator."""
    return {"Authorization": f"Bearer {admin_token(**claims)}"}


async def test_a_token_that_was_taken_back_opens_nothing(gateway: Gateway) -> None:
    lost, mine = bearer(jti="lost-1"), bearer(jti="mine-1")

    revoked = await gateway.private.delete("/admin/tokens/lost-1", headers=mine)
    body = await revoked.json()

    assert (revoked.status, body["success"], body["message"]) == (200, True, "Token revoked successfully")
    for path in (KEYS, "/api/v1/phone-numbers?user_id=usr_1"):
        assert (await gateway.private.get(path, headers=lost)).status == 401
        assert (await gateway.private.get(path, headers=mine)).status == 200


async def test_taking_back_twice_or_what_nobody_has_changes_nothing(gateway: Gateway) -> None:
    for token_id in ("lost-1", "lost-1", "nobodys"):
        assert (await gateway.admin("DELETE", f"/admin/tokens/{token_id}")).status == 200


async def test_a_token_can_take_itself_back(gateway: Gateway) -> None:
    mine = bearer(jti="mine-1")

    await gateway.private.delete("/admin/tokens/mine-1", headers=mine)

    assert (await gateway.private.get(KEYS, headers=mine)).status == 401


async def test_without_a_token_none_is_taken_back(gateway: Gateway) -> None:
    assert (await gateway.private.delete("/admin/tokens/mine-1")).status == 401
    assert await gateway.database.revoked_admin_tokens.count_documents({}) == 0


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"aud": "waapi", "iss": "https://id.example"}, 200),
        ({"aud": ["other", "waapi"], "iss": "https://id.example"}, 200),
        ({"aud": "other", "iss": "https://id.example"}, 401),
        ({"aud": "waapi", "iss": "https://evil.example"}, 401),
        ({"iss": "https://id.example"}, 401),
        ({"aud": "waapi"}, 401),
    ],
)
async def test_audience_and_issuer_count_where_they_are_configured(
    gateway: Gateway, claims: dict[str, Any], status: int
) -> None:
    configured = ENVIRONMENT | {"ADMIN_JWT_AUDIENCE": "waapi", "ADMIN_JWT_ISSUER": "https://id.example"}
    settings = GatewaySettings.from_env(configured)
    private, _ = build_apps(settings, gateway.database, gateway.bus, Readiness({}), MemoryStream())

    async with TestClient(TestServer(private)) as client:
        assert (await client.get(KEYS, headers=bearer(**claims))).status == status
