"""The private listener behind client certificates."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from deploy.local.ports import free_ports
from shared.mongo import Database
from tests.eventually import eventually
from tests.gateway.conftest import admin_token
from tests.proxy.conftest import StartNginx
from tests.proxy.gateway import serving_gateway
from tests.proxy.nginx import Nginx

HOST = "dashboard.example.com"


@dataclass(frozen=True)
class Dashboard:
    """The dashboard's name as its callers see it."""

    nginx: Nginx
    http: aiohttp.ClientSession

    async def get(self, path: str, trust: ssl.SSLContext, **headers: str) -> int:
        """The status of an answer."""
        asked = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.nginx.https + path
        async with self.http.get(url, headers=asked, ssl=trust, server_hostname=HOST) as answer:
            return answer.status


@pytest.fixture
async def dashboard(database: Database, nginx: StartNginx) -> AsyncIterator[Dashboard]:
    """The real gateway's private listener, which knows the name by which it is served."""
    nowhere, elsewhere = free_ports(2)
    async with serving_gateway(database, ALLOWED_HOSTS=f"127.0.0.1,{HOST}") as gateway:
        port = gateway.private.server.port
        assert port is not None
        with nginx({4000: port, 4001: nowhere, 4002: elsewhere}) as running:
            async with aiohttp.ClientSession() as session:
                yield Dashboard(running, session)


async def test_who_holds_a_certificate_uses_the_dashboard_api(dashboard: Dashboard) -> None:
    assert await dashboard.get("/api/v1/phone-numbers?user_id=usr_1", dashboard.nginx.operator) == 200


async def test_who_holds_none_does_not_reach_it(dashboard: Dashboard) -> None:
    assert await dashboard.get("/api/v1/phone-numbers?user_id=usr_1", dashboard.nginx.trust) == 400


async def test_the_vendors_name_does_not_lead_there(dashboard: Dashboard) -> None:
    url = dashboard.nginx.https + "/api/v1/phone-numbers?user_id=usr_1"
    trust, name = dashboard.nginx.trust, "api.example.com"

    async with dashboard.http.get(url, headers={"Host": HOST}, ssl=trust, server_hostname=name) as answer:
        assert answer.status == 421


async def test_a_page_of_the_same_name_may_ask_and_another_may_not(dashboard: Dashboard) -> None:
    path, operator = "/api/v1/phone-numbers?user_id=usr_1", dashboard.nginx.operator

    assert await dashboard.get(path, operator, Origin=f"https://{HOST}") == 200
    assert await dashboard.get(path, operator, Origin="https://evil.example") == 403


async def test_the_operators_token_arrives(dashboard: Dashboard) -> None:
    path, operator = "/admin/api-keys?user_id=usr_1", dashboard.nginx.operator

    assert await dashboard.get(path, operator) == 401
    assert await dashboard.get(path, operator, Authorization=f"Bearer {admin_token()}") in {200, 404}


async def test_the_log_names_the_operator_and_no_customer(dashboard: Dashboard) -> None:
    await dashboard.get("/api/v1/leads/+919876543210/button-activity?user_id=usr_1", dashboard.nginx.operator)

    log = await eventually((dashboard.nginx.root / "waapi-dashboard.log").read_text)
    assert '"CN=operator"' in log
    assert "/api/v1/leads/..." in log
    assert "9876543210" not in log
