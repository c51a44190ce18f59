"""The gateway with the owners of phone numbers, agents, prompts and channels behind it, and the sandbox as Meta."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from deploy.sandbox import app as sandbox
from deploy.sandbox.settings import Settings as SandboxSettings
from services.agents import main as agents
from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from services.messaging.clients.graph import GraphReader
from services.messaging.clients.meta import meta_client
from services.messaging.handlers.number_links import NumberLinkHandlers
from services.messaging.handlers.numbers import NumberHandlers
from services.messaging.handlers.verification import VerificationHandlers
from services.messaging.repositories.agent_stats import AgentStatsRepository
from services.messaging.repositories.number_links import NumberLinkRepository
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.clock import utc_now
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.gateway.conftest import ENVIRONMENT, Client, admin_token

VERSION = "v25.0"
USER = "usr_456"
NUMBER = {
    "user_id": USER,
    "platform": "whatsapp",
    "meta_phone_number_id": "1234567890",
    "access_token": "EAAxxxx-canary",
    "display_name": "+1 (234) 567-8900",
    "waba_id": "9876543210",
}

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Joined:
    """What a caller of the private listener sees, and what stands behind it."""

    private: Client
    bus: MemoryBus
    database: Database
    numbers: NumberHandlers

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Status and answer; operators' routes get an operator's token."""
        if path.startswith("/admin"):
            headers.setdefault("Authorization", f"Bearer {admin_token()}")
        async with self.private.request(method, path, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What was created."""
        status, answer = await self.ask("POST", path, body)
        assert status == 201, answer
        made: dict[str, Any] = answer["data"]
        return made

    async def make_user(self, user_id: str = USER) -> None:
        """A user."""
        await self.make("/api/v1/users", {"user_id": user_id, "email": f"{user_id}@example.com"})

    async def make_number(self, **changes: Any) -> dict[str, Any]:
        """A phone number."""
        return await self.make("/api/v1/phone-numbers", NUMBER | changes)

    async def make_agent(self, phone_number_id: str, **changes: Any) -> dict[str, Any]:
        """An agent."""
        body = {"user_id": USER, "phone_number_id": phone_number_id, "prompt_id": "prompt_abc123", "name": "Support"}
        return await self.make("/api/v1/agents", body | changes)


@asynccontextmanager
async def joined_on(database: Database, **environ: str) -> AsyncIterator[Joined]:
    """All of it on one database, configured as usual but for `environ`."""
    bus, settings = MemoryBus(), GatewaySettings.from_env(ENVIRONMENT | environ)
    at_meta = SandboxSettings("127.0.0.1", 0, "an app secret", "verify", "http://127.0.0.1:9/webhooks/meta", "1234")
    numbers = NumberRepository(database, utc_now)
    for repository in (numbers, AgentStatsRepository(database, utc_now)):
        await repository.ensure_indexes()
    await ensure_indexes(database)
    private, _ = build_apps(settings, database, bus, Readiness({}), MemoryStream())
    async with (
        TestServer(sandbox.build(at_meta)) as server,
        meta_client(str(server.make_url("/")), VERSION) as meta,
        TestClient(TestServer(private)) as client,
    ):
        reader = GraphReader(meta.session, meta.base_url)
        owner = NumberHandlers(bus, numbers, meta, settings.key_ring, utc_now, 80)
        links = NumberLinkRepository(database, utc_now)
        owner.register()
        NumberLinkHandlers(bus, numbers, links, AgentStatsRepository(database, utc_now)).register()
        VerificationHandlers(bus, numbers, reader, reader, settings.key_ring).register()
        (await agents.build(database, bus)).register()
        yield Joined(client, bus, database, owner)
