"""The private listener of a gateway with the real campaigns behind it, and stand-ins for their neighbours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps
from services.gateway.settings import GatewaySettings
from shared.bus.dead_letters import DeadLetters
from shared.bus.stream import MemoryStream
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.campaigns.neighbours import NUMBER, TEMPLATE
from tests.campaigns.stage import Stage, phone, stage_on
from tests.emptying import empty
from tests.gateway.conftest import ENVIRONMENT
from tests.gateway.conftest import Client as HttpClient

URL = "/api/v1/campaign"


@dataclass(frozen=True)
class Dashboard:
    """The private listener, and campaigns behind it."""

    http: HttpClient
    stage: Stage

    async def post(self, path: str, body: Any = None, **options: Any) -> ClientResponse:
        """A POST below campaigns, with JSON where there is a body."""
        return await self.http.post(f"{URL}{path}", json=body, **options)

    async def data(self, path: str) -> Any:
        """What a GET that succeeds shows."""
        answer = await self.http.get(f"{URL}{path}")
        assert answer.status == 200, await answer.text()
        return (await answer.json())["data"]

    async def draft(self, **more: Any) -> str:
        """The id of a draft without recipients."""
        answer = await self.post("", creation(**more))
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["data"]["campaign_id"])

    async def upload(self, id_: str, body: Any, kind: str = "text/csv", **headers: str) -> ClientResponse:
        """A file of recipients."""
        return await self.http.post(f"{URL}/{id_}/recipients", data=body, headers={"Content-Type": kind} | headers)


def creation(*numbers: int, **more: Any) -> dict[str, Any]:
    """The body of a campaign to these recipients."""
    contacts = [{"phone": phone(number), "name": f"N {number}", "variables": {"1": number}} for number in numbers]
    return {"phone_number_id": NUMBER, "template_id": TEMPLATE, "name": "Holiday Promo", "contacts": contacts} | more


@asynccontextmanager
async def dashboard_on(
    campaigns: Database, gateway: Database, dead_letters: DeadLetters | None = None
) -> AsyncIterator[Dashboard]:
    """An empty one; the gateway's database has its indexes."""
    for database in (campaigns, gateway):
        await empty(database)
    stage = await stage_on(campaigns)
    settings = GatewaySettings.from_env(ENVIRONMENT)
    private, _ = build_apps(settings, gateway, stage.bus, Readiness({}), MemoryStream(), dead_letters=dead_letters)
    async with TestClient(TestServer(private)) as http:
        yield Dashboard(http, stage)
