"""The private listener with the real messaging behind it, and a Meta that does as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from shared.bus.stream import MemoryStream
from shared.clock import utc_now
from shared.contracts.template_drafts import GetTemplate, TemplateDetails
from shared.contracts.templates import TemplateVariable
from shared.errors import ServiceUnavailableError
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.gateway.conftest import ENVIRONMENT, Client, admin_token
from tests.messaging.stage import USER, Stage, stage_on, template

TEMPLATE = template(
    "order_update",
    components=({"type": "BODY", "text": "Hi {{1}}, order {{2}} is {{3}}."},),
    variables=tuple(
        TemplateVariable(variable_id=f"var_{n}", variable_name=name, position=n, component_type="BODY")
        for n, name in enumerate(("customer_name", "order_id", "status"), start=1)
    ),
)
OFFER = template("offer", category="MARKETING", components=({"type": "BODY", "text": "Twenty percent."},))


@dataclass(frozen=True)
class Dashboard:
    """Requests of a dashboard, and of an operator."""

    http: Client
    stage: Stage

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and body of a request."""
        answer: ClientResponse = await self.http.request(method, path, json=body, headers=headers)
        return answer.status, await answer.json()

    async def admin(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The same by an operator."""
        return await self.call(method, path, body, Authorization=f"Bearer {admin_token()}", **headers)

    async def credits(self) -> dict[str, int]:
        """The user's credits."""
        status, body = await self.call("GET", f"/api/v1/users/{USER}")
        assert status == 200
        found: dict[str, int] = body["data"]["credits"]
        return found


async def _silence(_query: GetTemplate) -> TemplateDetails:
    raise ServiceUnavailableError("templates does not answer")  # messaging's copies have to do


@asynccontextmanager
async def dashboard_on(messaging: Database, gateway: Database, **settings: Any) -> AsyncIterator[Dashboard]:
    """A dashboard of usr_1, who has number pn_1 and two approved templates."""
    await ensure_indexes(gateway)
    async with stage_on(messaging, **settings) as stage:
        stage.clock.time = utc_now() + timedelta(minutes=1)  # after the gateway's own, and before anything expires
        await stage.know(TEMPLATE, OFFER)
        stage.bus.on(GetTemplate, _silence)
        apps = build_apps(GatewaySettings.from_env(ENVIRONMENT), gateway, stage.bus, Readiness({}), MemoryStream())
        async with TestClient(TestServer(apps[0])) as http:
            dashboard = Dashboard(http, stage)
            status, _ = await dashboard.call("POST", "/api/v1/users", {"user_id": USER, "email": "acme@example.com"})
            assert status == 201
            yield dashboard
