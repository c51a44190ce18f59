"""A number's rate against a Meta that enforces it: one and three processes of messaging share one pot of tokens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from deploy.sandbox.app import build as sandbox
from deploy.sandbox.settings import Settings as SandboxSettings
from services.messaging.clients.meta import meta_client
from services.messaging.main import Messaging, build
from services.messaging.settings import Settings
from shared.bus.memory import MemoryBus
from shared.clock import utc_now
from shared.contracts.content import TemplateContent
from shared.contracts.messaging import BatchMessage, SendBatch
from shared.contracts.templates import TemplatesChanged
from shared.ids import derived_hex_id
from shared.mongo import Client, Database
from shared.periodic import repeating
from tests.eventually import eventually
from tests.messaging.stage import MASTER_KEYS, META_ID, NUMBER, USER, WABA, add_number, template
from tests.sandbox.conftest import APP_SECRET, VERIFY_TOKEN
from tests.servers import fresh_name

ENFORCED = 80
MESSAGES = 150
BATCH = 50
TOO_FAST = 130429


@dataclass(frozen=True)
class Fleet:
    """Processes of messaging, and the Meta that all of them call."""

    messaging: list[Messaging]
    meta: TestClient  # type: ignore[type-arg]
    database: Database

    async def calls(self) -> list[dict[str, object]]:
        """Everything that Meta was asked, refusals included."""
        answer = await self.meta.get("/_sandbox/calls")
        calls: list[dict[str, object]] = (await answer.json())["calls"]
        return calls

    async def are_sent(self) -> bool:
        """Whether nothing waits any longer."""
        return bool(await self.database["messages"].count_documents({"state": "SENT"}) == MESSAGES)


@pytest.fixture
async def database(mongodb_client: Client) -> AsyncIterator[Database]:
    """An empty one."""
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture(params=[1, 3], ids=["one process", "three processes"])
async def fleet(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Fleet]:
    """A sandbox that lets 80 messages a second through, and so many processes that sweep as in production."""
    settings = SandboxSettings(
        host="127.0.0.1", port=0, app_secret=APP_SECRET, verify_token=VERIFY_TOKEN, webhook_url="", app_id="1234"
    )
    async with TestClient(TestServer(sandbox(settings))) as meta:
        await meta.put(
            "/_sandbox/faults", json={"rate_limit_per_second": ENFORCED, "status_webhooks": False, "latency_ms": 5}
        )
        body = {"type": "BODY", "text": "Hello {{1}}, hello.", "example": {"body_text": [["Ana"]]}}
        made = {"name": "offer", "language": "en_US", "category": "MARKETING", "components": [body]}
        await meta.post("/_sandbox/templates", json={"waba_id": WABA, **made})
        url, own = str(meta.make_url("")), Settings.model_validate({"master_keys": MASTER_KEYS})
        async with meta_client(url, "v25.0", f"{url}/v25.0") as client:
            bus = MemoryBus()
            fleet = [await build(database, bus, client, own, worker=f"worker {n}") for n in range(request.param)]
            fleet[0].register()
            await bus.request(add_number(meta_phone_number_id=META_ID), timeout_seconds=30)
            offer = template("offer", category="MARKETING", components=(body,))
            await bus.publish(TemplatesChanged(items=(offer,)))
            async with repeating("sweeps", lambda: _sweep(fleet), seconds=0.1):
                yield Fleet(fleet, meta, database)
            for messaging in fleet:
                await messaging.drain()


async def _sweep(fleet: list[Messaging]) -> None:
    await asyncio.gather(*(messaging.sweeper.sweep() for messaging in fleet))


def batch(number: int) -> SendBatch:
    """The number-th fifty."""
    items = tuple(
        BatchMessage(
            message_id=derived_hex_id("rate", str(each)),
            recipient_id=f"rcp_{each}",
            to=f"+9198{each:08d}",
            variables={"1": "Ana"},
        )
        for each in range(number * BATCH, (number + 1) * BATCH)
    )
    return SendBatch(
        user_id=USER,
        phone_number_id=NUMBER,
        campaign_id="camp_1",
        content=TemplateContent(name="offer", language="en_US"),
        items=items,
        expires_at=utc_now() + timedelta(hours=1),
    )


async def test_meta_never_finds_the_number_too_fast(fleet: Fleet) -> None:
    handed_over = [
        fleet.messaging[number % len(fleet.messaging)].batches.send_batch(batch(number))
        for number in range(MESSAGES // BATCH)
    ]

    await asyncio.gather(*handed_over)
    await eventually(fleet.are_sent, timeout_seconds=30)
    calls = await fleet.calls()

    assert [call for call in calls if call.get("error_code") == TOO_FAST] == []
    assert len(calls) == MESSAGES
