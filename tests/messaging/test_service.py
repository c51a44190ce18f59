"""Messaging as it really runs: over RabbitMQ, against the sandbox, which checks what Meta checks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings as SandboxSettings
from shared.bus.rabbit import RabbitBus, rabbit_bus
from shared.clock import utc_now
from shared.contracts.content import TemplateContent
from shared.contracts.messaging import MessageOutcome, SendMessage
from shared.contracts.templates import FindTemplates
from shared.mongo import Database
from shared.sealing import KeyRing
from tests.eventually import eventually
from tests.messaging.doubles import TemplatesStandIn
from tests.messaging.stage import NUMBER, TOKEN, WABA, add_number, message_id, template, text
from tests.servers import RealServers
from tests.started import MASTER_KEY, service_environ, started

NO_WHATSAPP = "+999013102612"  # the sandbox refuses it with 131026
CUT = "+999229000000"  # acted on, but the answer is cut
REFUSED_FIRST = "+999226010000"  # 131000 for the first call


@dataclass
class Around:
    """Everything around messaging: the gateway's side of the bus, and Meta."""

    bus: RabbitBus
    environ: dict[str, str]
    sandbox: TestClient[Any, Any]

    async def ask(self, command: SendMessage) -> MessageOutcome:
        """As the gateway does."""
        return await self.bus.request(command, timeout_seconds=20)

    async def have_number(self) -> None:
        """Number pn_1, its token sealed under the key that messaging starts with."""
        sealed = KeyRing({"k1": MASTER_KEY}).seal(TOKEN, owner_id=NUMBER, field="access_token")
        await self.bus.request(add_number(sealed_access_token=sealed), timeout_seconds=20)

    async def calls(self) -> list[dict[str, Any]]:
        """Every send that reached Meta."""
        answer = await self.sandbox.get("/_sandbox/calls")
        found: list[dict[str, Any]] = (await answer.json())["calls"]
        return found

    async def change_faults(self, **faults: Any) -> None:
        """Have Meta misbehave."""
        answer = await self.sandbox.put("/_sandbox/faults", json=faults)
        assert answer.status == 200


@asynccontextmanager
async def sandbox() -> AsyncIterator[TestClient[Any, Any]]:
    settings = SandboxSettings.from_env({"META_APP_SECRET": "s", "SANDBOX_WEBHOOK_URL": "http://127.0.0.1:9/"})
    client: TestClient[Any, Any] = TestClient(TestServer(build(settings)))
    async with client:
        yield client


@pytest.fixture
async def around(servers: RealServers, rabbit: str, database: Database) -> AsyncIterator[Around]:
    async with (
        service_environ(servers, rabbit, database) as environ,
        sandbox() as meta,
        rabbit_bus(rabbit, service="gateway") as bus,
    ):
        yield Around(bus, {**environ, "META_GRAPH_URL": str(meta.make_url("")).rstrip("/")}, meta)


async def test_messages_go_from_the_bus_to_meta_and_back(around: Around) -> None:
    await around.change_faults(status_webhooks=False)
    async with started("messaging", around.environ):
        await around.have_number()
        sent, again = [await around.ask(text(1, at=utc_now())) for _ in range(2)]
        together = await asyncio.gather(*(around.ask(text(number, at=utc_now())) for number in range(2, 22)))
        refused = await around.ask(text(30, to=NO_WHATSAPP, at=utc_now()))

    calls = await around.calls()
    assert again == sent
    assert sent.wa_message_id == calls[0]["wamid"]
    assert [outcome.status for outcome in together] == ["sent"] * 20
    assert refused.error is not None
    assert (refused.status, refused.error.code) == ("failed", 131026)
    assert len(calls) == 22


async def test_meta_takes_what_is_made_of_a_template(around: Around) -> None:
    await around.change_faults(status_webhooks=False)
    body = {"type": "BODY", "text": "Hello {{1}}."}
    await around.sandbox.post(
        "/_sandbox/templates",
        json={
            "waba_id": WABA,
            "name": "order_shipped",
            "language": "en_US",
            "category": "UTILITY",
            "components": [body | {"example": {"body_text": [["Asha"]]}}],
        },
    )
    async with rabbit_bus(around.environ["AMQP_URL"], service="templates") as owner_bus:
        owner = TemplatesStandIn([template(components=(body,))])
        owner_bus.on(FindTemplates, owner.find_templates)
        async with owner_bus.consuming(), started("messaging", around.environ):
            await around.have_number()
            content = TemplateContent(name="order_shipped", variables=("Asha",))
            outcome = await around.ask(text(at=utc_now(), content=content))

    assert (outcome.status, outcome.error) == ("sent", None)
    assert owner.asked == ["order_shipped"]


async def test_a_stop_waits_for_the_answer_to_a_call_under_way(around: Around) -> None:
    await around.change_faults(status_webhooks=False, latency_ms=300)
    async with started("messaging", around.environ):
        await around.have_number()
        asking = asyncio.create_task(around.ask(text(at=utc_now())))
        await eventually(around.calls)

    assert (await asking).status == "sent"


async def test_what_was_refused_for_now_is_sent_by_the_sweeper_while_its_caller_waits(around: Around) -> None:
    await around.change_faults(status_webhooks=False, rate_limit_per_second=2)
    async with started("messaging", around.environ):
        await around.have_number()
        outcomes = await asyncio.gather(*(around.ask(text(number, at=utc_now())) for number in (1, 2, 3)))

    assert [outcome.status for outcome in outcomes] == ["sent"] * 3
    assert {call["outcome"] for call in await around.calls()} == {"refused", "accepted"}


async def test_the_database_holds_what_the_callers_were_told(around: Around, database: Database) -> None:
    await around.change_faults(status_webhooks=False)
    async with started("messaging", around.environ):
        await around.have_number()
        unknown = await around.ask(text(1, to=REFUSED_FIRST, at=utc_now()))
        await around.bus.send(text(2, to=CUT, at=utc_now()))
        messages = database.client[f"{database.name}_messaging"]["messages"]
        await eventually(lambda: messages.find_one({"_id": message_id(2), "state": "UNKNOWN"}))
        stored = await messages.find_one({"_id": message_id(1)})

    assert (unknown.status, unknown.warnings) == ("failed", ("outcome_unknown",))
    assert stored is not None
    assert (stored["state"], stored["error"]["code"]) == ("UNKNOWN", 131000)
