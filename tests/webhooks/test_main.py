"""Webhooks as it really runs: over RabbitMQ, as Meta and a vendor see it, and across a crash at every named point."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from services.webhooks.domain.signing import hex_signature
from services.webhooks.main import run
from shared.bus.rabbit import RabbitBus, rabbit_bus
from shared.clock import utc_now
from shared.contracts.webhooks import MetaStatus, MetaStatusesReceived
from shared.crashpoints import KILLED
from shared.mongo import Database
from shared.sealing import KeyRing
from shared.settings import ConfigurationError
from tests.eventually import eventually
from tests.servers import RealServers
from tests.started import MASTER_KEY, service_environ, started
from tests.webhooks.receiver import Receiver
from tests.webhooks.stage import SECRET, create_subscription, meta_post, sent, sent_message, status

APP_SECRET = "app-secret"
SEALED = KeyRing({"k1": MASTER_KEY}).seal(SECRET, owner_id="wh_1", field="secret")


@dataclass
class Neighbours:
    """Messaging on the bus, Meta over HTTP, and the environment to start webhooks in."""

    bus: RabbitBus
    environ: dict[str, str]
    database: Database
    heard: list[MetaStatus] = field(default_factory=list)

    async def on_meta_statuses_received(self, event: MetaStatusesReceived) -> None:
        """As messaging does."""
        self.heard.extend(event.items)

    async def post(self, raw: bytes) -> int | None:
        """Post as Meta does; None when no answer comes."""
        headers = {"X-Hub-Signature-256": f"sha256={hex_signature(raw, APP_SECRET)}"}
        url = f"http://{self.environ['WEBHOOKS_BIND']}/webhooks/meta"
        try:
            async with aiohttp.ClientSession() as session, session.post(url, data=raw, headers=headers) as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return None

    async def is_marked_published(self) -> bool:
        """Whether every post of Meta's counts as announced."""
        stored = await self.database["inbound_events"].count_documents({"raw": {"$exists": True}})
        waiting = await self.database["inbound_events"].count_documents({"waiting_since": {"$exists": True}})
        return stored > 0 and not waiting


@pytest.fixture
async def neighbours(servers: RealServers, rabbit: str, database: Database) -> AsyncIterator[Neighbours]:
    """Everything around webhooks."""
    own = {
        "META_APP_SECRET": APP_SECRET,
        "META_VERIFY_TOKEN": "let me in",
        "WEBHOOKS_BIND": f"127.0.0.1:{unused_port()}",
    }
    async with (
        service_environ(servers, rabbit, database) as environ,
        rabbit_bus(rabbit, service="messaging") as bus,
    ):
        around = Neighbours(bus, environ | own, database.client[f"{database.name}_webhooks"])
        bus.on(MetaStatusesReceived, around.on_meta_statuses_received)
        async with bus.consuming():
            yield around


@asynccontextmanager
async def crashing(neighbours: Neighbours, point: str) -> AsyncIterator[None]:
    """Webhooks as a process that is ready within the block and dies at a named point, at the latest at its end."""
    ops = f"127.0.0.1:{unused_port()}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services", "webhooks"),
        env={**neighbours.environ, "PATH": os.environ["PATH"], "WEBHOOKS_OPS_BIND": ops, "CRASH_AT": point},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: _is_ready(ops), timeout_seconds=30)
        yield
        async with asyncio.timeout(60):
            assert await process.wait() == KILLED
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_status_travels_from_meta_to_messaging_and_a_sent_message_to_the_vendor(
    neighbours: Neighbours, receiver: Receiver
) -> None:
    async with started("webhooks", neighbours.environ):
        assert await neighbours.post(meta_post(status(1))) == 200
        await eventually(lambda: [item.wa_message_id for item in neighbours.heard] == ["wamid.1"])
        made = await neighbours.bus.request(
            create_subscription(receiver.url(), sealed_secret=SEALED), timeout_seconds=5
        )
        await neighbours.bus.publish(sent(1))
        await eventually(lambda: receiver.posts)

    (post,) = receiver.posts
    assert made.status == "active"
    assert post.headers["X-Webhook-Signature"] == hex_signature(post.body, SECRET)
    assert await neighbours.is_marked_published()


async def test_a_crash_after_storing_a_post_loses_nothing(neighbours: Neighbours) -> None:
    async with crashing(neighbours, "webhooks.stored"):
        assert await neighbours.post(meta_post(status(1))) is None  # Meta would come again

    async with started("webhooks", neighbours.environ):
        await eventually(lambda: [item.wa_message_id for item in neighbours.heard] == ["wamid.1"])
        assert await neighbours.post(meta_post(status(1))) == 200
        await eventually(neighbours.is_marked_published)

    assert len(neighbours.heard) == 1


async def test_a_crash_after_announcing_a_post_announces_it_again(neighbours: Neighbours) -> None:
    async with crashing(neighbours, "webhooks.published"):
        await neighbours.post(meta_post(status(1)))

    async with started("webhooks", neighbours.environ):
        await eventually(neighbours.is_marked_published)
        await eventually(lambda: len(neighbours.heard) == 2)

    assert neighbours.heard[0] == neighbours.heard[1]


async def test_a_crash_after_storing_deliveries_delivers_each_once(neighbours: Neighbours, receiver: Receiver) -> None:
    async with crashing(neighbours, "webhooks.delivery_stored"):
        await neighbours.bus.request(create_subscription(receiver.url(), sealed_secret=SEALED), timeout_seconds=30)
        await neighbours.bus.publish(sent(1))

    async with started("webhooks", neighbours.environ):
        await eventually(lambda: receiver.posts)
        await neighbours.bus.publish(sent(2))
        await eventually(lambda: len(receiver.posts) == 2)

    assert {post.headers["webhook-id"] for post in receiver.posts} == {sent_message(1).id, sent_message(2).id}


async def test_a_crash_after_a_post_to_a_vendor_posts_once_more_under_the_same_id(
    neighbours: Neighbours, receiver: Receiver
) -> None:
    async with crashing(neighbours, "webhooks.delivered"):
        await neighbours.bus.request(create_subscription(receiver.url(), sealed_secret=SEALED), timeout_seconds=30)
        await neighbours.bus.publish(sent(1))
    (held,) = await neighbours.database["deliveries"].find().to_list()
    # As if the lease had run out.
    await neighbours.database["subscriptions"].update_one({}, {"$set": {"lane.until": utc_now()}})

    async with started("webhooks", neighbours.environ):
        await eventually(lambda: len(receiver.posts) == 2)
        await eventually(lambda: _is_delivered(neighbours.database))

    assert (held["state"], held["attempts"]) == ("pending", [])
    assert {post.headers["webhook-id"] for post in receiver.posts} == {sent_message(1).id}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"META_APP_SECRET": ""}, "META_APP_SECRET"),
        ({"META_APP_SECRET": " , "}, "META_APP_SECRET holds no secret"),
        ({"META_VERIFY_TOKEN": ""}, "META_VERIFY_TOKEN"),
        ({"MASTER_KEYS": ""}, "MASTER_KEYS"),
        ({"MASTER_KEYS": "k1:short"}, "MASTER_KEYS"),
        ({"WEBHOOK_ALLOW_CIDRS": "10.0.0.0/8,inner"}, "WEBHOOK_ALLOW_CIDRS.*'inner'"),
        ({"WEBHOOK_ALLOW_CIDRS": "10.0.0.1/8"}, "WEBHOOK_ALLOW_CIDRS.*host bits"),
    ],
)
async def test_webhooks_does_not_start_with_settings_that_cannot_work(changes: dict[str, str], words: str) -> None:
    good = {"META_APP_SECRET": "s", "META_VERIFY_TOKEN": "t", "MASTER_KEYS": "k1:" + "A" * 43 + "="}

    with pytest.raises(ConfigurationError, match=words):
        await run(good | changes, asyncio.Event())


async def _is_ready(bind: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://{bind}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def _is_delivered(database: Database) -> bool:
    delivery = await database["deliveries"].find_one()
    return delivery is not None and delivery["state"] == "delivered"
