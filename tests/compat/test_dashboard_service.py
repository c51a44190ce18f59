"""The dashboard's own TypeScript service drives the gateway, unchanged, and compiles against its OpenAPI document."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from deploy.sandbox.app import build as build_sandbox
from deploy.sandbox.settings import Settings as SandboxSettings
from services.gateway.main import build_apps, ensure_indexes
from services.gateway.openapi.files import DASHBOARD, DOCS
from services.gateway.settings import GatewaySettings
from services.templates.clients.graph import Graph
from services.templates.clients.meta import MetaClient
from services.templates.main import build as build_templates
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.contracts.campaigns import TemplateInUse, TemplateUse
from shared.contracts.conversations import ButtonsClicked
from shared.contracts.messaging import GetNumberAccess, NumberAccess
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.compat.dashboard_service import FOLDER, SERVICE, DashboardService
from tests.gateway.conftest import ENVIRONMENT, MessagingStandIn
from tests.templates.stage import SamplesStub
from tests.templates.test_clicks import tap

USER, PHONE = "usr_abc123def456", "+14155551234"
AS_PRINTED = "8a4a1ebde6e524ae4970d2f3df5d203d737ded317e86af5e67f1360a24ebd69c"


@dataclass(frozen=True)
class Dashboard:
    """The dashboard's service, and the bus behind the gateway."""

    service: DashboardService
    gateway: str
    bus: MemoryBus


@dataclass
class NumbersStandIn(MessagingStandIn):
    """Messaging, as far as templates need it."""

    async def get_number_access(self, query: GetNumberAccess) -> NumberAccess:
        """The access of a number that was added through the gateway."""
        number = self.numbers[query.phone_number_id]
        return NumberAccess(
            phone_number_id=number.phone_number_id,
            user_id=number.user_id,
            platform=number.platform,
            meta_phone_number_id=number.meta_phone_number_id,
            waba_id=number.waba_id,
            sealed_access_token=number.sealed_access_token or "",
        )


async def no_campaign(_query: TemplateInUse) -> TemplateUse:
    """Campaigns, which need no template."""
    return TemplateUse(in_use=False)


@pytest.fixture
async def dashboard(database: Database, node: Path) -> AsyncIterator[Dashboard]:
    """A gateway with the real templates service behind it, and the sandbox as Meta."""
    bus, messaging = MemoryBus(), NumbersStandIn()
    messaging.register(bus)
    bus.on(GetNumberAccess, messaging.get_number_access)
    bus.on(TemplateInUse, no_campaign)
    settings = GatewaySettings.from_env(ENVIRONMENT)
    await ensure_indexes(database)
    nobody = f"http://127.0.0.1:{unused_port()}/webhooks/meta"
    meta = SandboxSettings.from_env({"META_APP_SECRET": "an app secret", "SANDBOX_WEBHOOK_URL": nobody})
    private, _ = build_apps(settings, database, bus, Readiness({}), MemoryStream())
    async with (
        TestServer(build_sandbox(meta)) as sandbox,
        TestServer(private) as gateway,
        aiohttp.ClientSession() as session,
    ):
        graph = Graph(session, str(sandbox.make_url("/v25.0")))
        templates = await build_templates(database, bus, MetaClient(graph), SamplesStub(), settings.key_ring)
        templates.register()
        url = str(gateway.make_url("")).rstrip("/")
        async with DashboardService.running(node, url) as service:
            yield Dashboard(service, url, bus)


async def add_number(dashboard: Dashboard) -> str:
    """A user with a number, made as an operator would by hand: the service has no functions for it."""
    number = {
        "user_id": USER,
        "platform": "whatsapp",
        "meta_phone_number_id": "1234567890",
        "access_token": "EAAcanary",
        "display_name": "+1 (234) 567-8900",
        "waba_id": "9876543210",
    }
    async with aiohttp.ClientSession() as session:
        user = {"user_id": USER, "email": "business@example.com"}
        async with session.post(f"{dashboard.gateway}/api/v1/users", json=user) as made:
            assert made.status == 201
        async with session.post(f"{dashboard.gateway}/api/v1/phone-numbers", json=number) as added:
            number_id: str = (await added.json())["data"]["id"]
            return number_id


def draft(number_id: str, text: str, name: str = "promo_offer") -> dict[str, Any]:
    """What a dashboard's form sends."""
    replies = [{"type": "QUICK_REPLY", "text": text} for text in ("Get Started", "Learn More")]
    return {
        "user_id": USER,
        "phone_number_id": number_id,
        "name": name,
        "category": "MARKETING",
        "language": "en",
        "components": [
            {"type": "BODY", "text": text, "example": {"body_text": [["John"]]}},
            {"type": "BUTTONS", "buttons": replies},
        ],
        "variables": [{"variable_name": "customer_name", "position": 1, "sample_value": "John"}],
    }


def test_the_service_is_the_one_that_the_document_prints() -> None:
    assert hashlib.sha256(SERVICE.read_bytes()).hexdigest() == AS_PRINTED
    assert len(re.findall(r"^export async function", SERVICE.read_text(encoding="utf-8"), re.MULTILINE)) == 17


async def test_the_dashboards_service_manages_templates_and_reads_their_analytics(dashboard: Dashboard) -> None:
    data = dashboard.service.data
    number_id = await add_number(dashboard)

    numbers = await data("listPhoneNumbers", USER)
    synced = await data("syncTemplates", USER, number_id)
    listed = await data("listTemplates", number_id)
    made = await data("createTemplate", draft(number_id, "Hi {{1}}, see our offers."))
    submitted = await data("submitTemplate", made["template_id"])
    await dashboard.bus.publish(
        ButtonsClicked(items=(tap(template_id=made["template_id"], user_id=USER, contact_phone=PHONE),))
    )
    found = await data("getTemplate", made["template_id"])
    clicks = await data("getTemplateButtonClicks", made["template_id"])
    taps = await data("listButtonClicks", USER, {"templateId": made["template_id"], "limit": 10})
    lead = await data("getLeadButtonActivity", PHONE, USER)
    deleted = await dashboard.service.call("deleteTemplate", made["template_id"])

    assert [number["id"] for number in numbers] == [number_id]
    assert synced["summary"]["totalImported"] == len(listed) > 9
    assert (made["status"], made["warnings"], submitted["status"]) == ("DRAFT", [], "PENDING")
    assert (found["template"]["meta_template_id"], found["analytics"]["total_sends"]) == (
        submitted["meta_template_id"],
        0,
    )
    assert [(button["button_id"], button["total_clicks"]) for button in clicks["buttons"]] == [
        ("get_started", 1),
        ("learn_more", 0),
    ]
    assert [click["customer_phone"] for click in taps] == [PHONE]
    assert [(row["template_name"], row["button_text"]) for row in lead["buttons_clicked"]] == [
        ("promo_offer", "Get Started")
    ]
    assert deleted["message"] == "Template deleted successfully"


async def test_the_dashboards_service_is_told_what_is_wrong(dashboard: Dashboard) -> None:
    number_id = await add_number(dashboard)
    ends_with_a_variable = await dashboard.service.data("createTemplate", draft(number_id, "Hello, {{1}}"))

    refused = await dashboard.service.call("submitTemplate", ends_with_a_variable["template_id"])
    unknown = await dashboard.service.call("getTemplate", "tpl_unknown")

    assert len(ends_with_a_variable["warnings"]) == 1
    assert (refused["success"], refused["error"]) == (False, "Bad Gateway")
    assert "Put text before the first and after the last" in refused["message"]
    assert (unknown["success"], unknown["error"], unknown["message"]) == (False, "Not Found", "Template not found")


async def run(node: Path, *arguments: Path | str) -> str:
    """What a Node program prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        node, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_types_from_the_openapi_document_compile_against_the_dashboards_service(
    node: Path, tmp_path: Path
) -> None:
    packages = FOLDER.parent / "node_modules"
    for name in ("whatsappApi.ts", "types.d.ts", "uses.ts", "tsconfig.json"):
        shutil.copy(FOLDER / name, tmp_path)

    generated = tmp_path / "openapi.ts"
    as_sent = ("--default-non-nullable", "false")  # what has a default may be left out of a request
    await run(node, packages / "openapi-typescript/bin/cli.js", DOCS / DASHBOARD, *as_sent, "-o", generated)

    assert await run(node, packages / "typescript/bin/tsc", "-p", tmp_path) == ""
