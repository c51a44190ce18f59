"""Agents as main builds it beside messaging's phone numbers, on a real database, with the bus in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from services.agents.main import Agents, build
from services.messaging.clients.meta import meta_client
from services.messaging.handlers.number_links import NumberLinkHandlers
from services.messaging.handlers.numbers import NumberHandlers
from services.messaging.repositories.agent_stats import AgentStatsRepository
from services.messaging.repositories.number_links import NumberLinkRepository
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.memory import MemoryBus
from shared.contracts.agents import Agent, CreateAgent, CreateWebchatChannel, WebchatChannel
from shared.contracts.base import ReplyT, Request
from shared.contracts.messaging import AddPhoneNumber, GetPhoneNumber, PhoneNumber
from shared.mongo import Database
from shared.sealing import KeyRing
from tests.agents.dying import DyingBus, DyingDatabase, Steps
from tests.messaging.doubles import ManualClock

USER, NUMBER, AGENT, PROMPT = "usr_1", "pn_1", "agt_1", "prompt_abc123"
WEBCHAT = "webchat_1"
KEYS = KeyRing.parse("k1:" + "A" * 43 + "=")
_SECONDS = 5


@dataclass
class Stage:
    """Agents, the numbers it asks for, and how to make it die."""

    database: Database
    bus: MemoryBus
    clock: ManualClock
    agents: Agents
    numbers: NumberLinkHandlers
    steps: Steps

    async def ask(self, request: Request[ReplyT]) -> ReplyT:
        """What the gateway would be told; the caller's own request is no step of the service's."""
        return await MemoryBus.request(self.bus, request, timeout_seconds=_SECONDS)

    async def add_number(self, phone_number_id: str = NUMBER, **changes: Any) -> PhoneNumber:
        """Have a number."""
        fields: dict[str, Any] = {
            "phone_number_id": phone_number_id,
            "user_id": USER,
            "platform": "whatsapp",
            "meta_phone_number_id": phone_number_id.removeprefix("pn_"),
            "sealed_access_token": KEYS.seal("EAAtoken", owner_id=phone_number_id, field="access_token"),
            "waba_id": "102290129340398",
        }
        return await self.ask(AddPhoneNumber(**(fields | changes)))

    async def agent_of(self, phone_number_id: str = NUMBER) -> str | None:
        """Who answers on a number."""
        return (await self.ask(GetPhoneNumber(phone_number_id=phone_number_id))).agent_id

    async def create_agent(self, agent_id: str = AGENT, **changes: Any) -> Agent:
        """Make an agent for number pn_1."""
        return await self.ask(create_agent(agent_id, **changes))

    async def open_channel(self, webchat_id: str = WEBCHAT, **changes: Any) -> WebchatChannel:
        """Open a channel."""
        return await self.ask(create_channel(webchat_id, **changes))

    async def sweep(self, *, after_seconds: float = 61) -> None:
        """Let time pass and have everything finished that was left half done; nothing dies any more."""
        self.steps.dies_before = 0
        self.clock.pass_time(after_seconds)
        await self.agents.doors.finish()
        await self.agents.links.finish()
        await self.numbers.check_links()


def create_agent(agent_id: str = AGENT, **changes: Any) -> CreateAgent:
    """A command to make an agent for number pn_1."""
    fields: dict[str, Any] = {
        "agent_id": agent_id,
        "user_id": USER,
        "phone_number_id": NUMBER,
        "prompt_id": PROMPT,
        "name": "Customer Support Agent",
    }
    return CreateAgent(**(fields | changes))


def create_channel(webchat_id: str = WEBCHAT, **changes: Any) -> CreateWebchatChannel:
    """A command to open a channel."""
    fields: dict[str, Any] = {
        "webchat_id": webchat_id,
        "phone_number_id": f"pn_{webchat_id}",
        "agent_id": f"agent_{webchat_id}",
        "user_id": USER,
        "name": "Customer Support Chat",
        "prompt_id": PROMPT,
    }
    return CreateWebchatChannel(**(fields | changes))


@asynccontextmanager
async def stage_on(database: Database) -> AsyncIterator[Stage]:
    """A stage with number pn_1 of usr_1."""
    clock, steps = ManualClock(), Steps()
    bus = DyingBus(clock, steps)
    numbers, links = NumberRepository(database, clock), NumberLinkRepository(database, clock)
    await numbers.ensure_indexes()
    await links.ensure_indexes()
    async with meta_client("http://127.0.0.1:9", "v25.0") as meta:  # nobody calls it
        NumberHandlers(bus, numbers, meta, KEYS, clock, 80).register()
        linking = NumberLinkHandlers(bus, numbers, links, AgentStatsRepository(database, clock))
        linking.register()
        agents = await build(cast("Database", DyingDatabase(database, steps)), bus, now=clock)
        agents.register()
        stage = Stage(database, bus, clock, agents, linking, steps)
        await stage.add_number()
        steps.taken = 0
        yield stage
