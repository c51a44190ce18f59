"""Templates as it really runs: over RabbitMQ, against the sandbox, and across a crash."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestServer, unused_port

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings as SandboxSettings
from services.templates.main import run
from shared.bus.rabbit import RabbitBus, rabbit_bus
from shared.contracts.messaging import GetNumberAccess
from shared.contracts.templates import FindTemplates, ListTemplates, SyncTemplates, TemplatesChanged
from shared.contracts.webhooks import TemplateUpdatesReceived
from shared.crashpoints import KILLED
from shared.mongo import Database
from shared.settings import ConfigurationError
from tests.eventually import eventually
from tests.servers import RealServers
from tests.started import service_environ, started
from tests.templates.stage import MessagingStandIn, update

SYNC = SyncTemplates(user_id="usr_1", phone_number_id="pn_1")


@dataclass
class Neighbours:
    """Messaging, keeping its copy of the templates' statuses, and the environment to start templates in."""

    bus: RabbitBus
    environ: dict[str, str]
    copies: dict[tuple[str, str], str] = field(default_factory=dict)

    async def on_templates_changed(self, event: TemplatesChanged) -> None:
        """As messaging does."""
        self.copies.update({(one.name, one.language): one.status for one in event.items})


@asynccontextmanager
async def sandbox_url() -> AsyncIterator[str]:
    """Meta's stand-in on a free port."""
    settings = SandboxSettings.from_env({"META_APP_SECRET": "s", "SANDBOX_WEBHOOK_URL": "http://127.0.0.1:9/"})
    async with TestServer(build(settings)) as server:
        yield str(server.make_url(""))


@pytest.fixture
async def neighbours(servers: RealServers, rabbit: str, database: Database) -> AsyncIterator[Neighbours]:
    """Everything around templates."""
    messaging = MessagingStandIn()
    messaging.add("pn_1", "usr_1", "102")
    async with (
        service_environ(servers, rabbit, database) as environ,
        sandbox_url() as meta_url,
        rabbit_bus(rabbit, service="messaging") as bus,
    ):
        around = Neighbours(bus, {**environ, "META_GRAPH_URL": meta_url})
        bus.on(GetNumberAccess, messaging.get_number_access)
        bus.on(TemplatesChanged, around.on_templates_changed)
        async with bus.consuming():
            yield around


async def test_templates_travel_from_meta_to_messaging_over_the_real_bus(neighbours: Neighbours) -> None:
    bus, copies = neighbours.bus, neighbours.copies
    async with started("templates", neighbours.environ):
        result = await bus.request(SYNC, timeout_seconds=20)
        (hello,) = (await bus.request(FindTemplates(waba_id="102", name="hello_world"), timeout_seconds=30)).items
        paused = update("PAUSED", hello.updated_at, hello.meta_template_id or "", name="hello_world")
        await bus.publish(TemplateUpdatesReceived(items=(paused,)))
        await eventually(lambda: copies.get(("hello_world", "en_US")) == "PAUSED")
        listed = await bus.request(ListTemplates(phone_number_id="pn_1"), timeout_seconds=30)

    assert len(copies) == len(result.imported)
    assert len(listed.items) == len(result.imported) - 1
    assert "hello_world" not in {one.name for one in listed.items}


async def test_a_crash_between_storing_and_announcing_loses_no_announcement(neighbours: Neighbours) -> None:
    await neighbours.bus.send(SYNC)
    status = await exit_status_of_process({**neighbours.environ, "CRASH_AT": "templates.synced"})
    heard_before_the_restart = dict(neighbours.copies)

    async with started("templates", neighbours.environ):
        stored = (await neighbours.bus.request(ListTemplates(phone_number_id="pn_1"), timeout_seconds=30)).items
        await eventually(lambda: len(neighbours.copies) == len(stored))

    assert status == KILLED
    assert heard_before_the_restart == {}
    assert len(stored) > 9


async def exit_status_of_process(environ: dict[str, str]) -> int:
    """Run templates as a process of its own until it ends."""
    bind = f"127.0.0.1:{unused_port()}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services", "templates"),
        env={**environ, "PATH": os.environ["PATH"], "TEMPLATES_OPS_BIND": bind},
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(60):
        return await process.wait()


@pytest.mark.parametrize("keys", ["", "k1:short"])
async def test_templates_do_not_start_without_usable_master_keys(keys: str) -> None:
    with pytest.raises(ConfigurationError, match="MASTER_KEYS"):
        await run({"MASTER_KEYS": keys}, asyncio.Event())
