"""Answering agents as main builds them: a real database, the sandbox's model over HTTP, the bus in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from services.agents.clients.openai import openai_client
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.prompts import PromptRepository
from services.agents.settings import AgentsSettings
from services.agents.turning import Turning, build_turning
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.contracts.agents import Agent, CreateAgent, CreatePrompt
from shared.mongo import Database
from tests.agents.turns.messaging import AGENT, NUMBER, USER, MessagingStandIn, Thread
from tests.messaging.doubles import ManualClock

PROMPT = "prompt_support"
DEBOUNCE_SECONDS = 1.5
FALLBACK = "We will be back soon."

Sandbox = TestClient[web.Request, web.Application]


@dataclass
class Stage:
    """Agents, a messaging that does as it is told, and the model's sandbox."""

    database: Database
    bus: MemoryBus
    stream: MemoryStream
    clock: ManualClock
    messaging: MessagingStandIn
    turning: Turning
    agents: AgentRepository
    prompts: PromptRepository
    sandbox: Sandbox
    settings: AgentsSettings

    async def say(self, thread: Thread, *texts: str) -> None:
        """A customer writes."""
        for text in texts:
            await self.bus.publish(self.messaging.written(thread, text))

    async def answer(self, *, after_seconds: float = DEBOUNCE_SECONDS) -> None:
        """Let time pass, and all answers be given that are due then."""
        self.clock.pass_time(after_seconds)
        await self.work()

    async def work(self) -> None:
        """Let all answers be given that are due."""
        runner = self.turning.runner
        await runner.take_due()
        while runner._workers:
            await runner.idle()
            await runner.take_due()

    async def talk(self, thread: Thread, text: str) -> str:
        """A customer writes and is answered."""
        await self.say(thread, text)
        await self.answer()
        return self.messaging.texts(thread)[-1]

    async def talk_in_vain(self, thread: Thread, text: str) -> None:
        """A customer writes, and what is to be sent is refused."""
        await self.say(thread, text)
        await self.answer()

    async def agent(self) -> Agent:
        """The agent as its operator sees it."""
        return await self.agents.get(AGENT)

    async def switch(self, **faults: Any) -> None:
        """Change what the model does."""
        async with self.sandbox.put("/_sandbox/openai", json=faults) as answer:
            assert answer.status == 200, await answer.text()

    async def asked(self) -> list[dict[str, Any]]:
        """What the model was asked, oldest first."""
        async with self.sandbox.get("/_sandbox/openai/requests") as answer:
            return [each["request"] for each in (await answer.json())["requests"]]

    async def outcomes(self) -> list[str]:
        """What became of each request to the model."""
        async with self.sandbox.get("/_sandbox/openai/requests") as answer:
            return [each["outcome"] for each in (await answer.json())["requests"]]

    async def state_of(self, thread: Thread) -> str:
        """Where the conversation's turn stands."""
        document = await self.database["turns"].find_one({"_id": thread.conversation_id})
        return str(document["state"]) if document else "none"

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Turning]:
        """A second process of agents, with the same database and bus."""
        async with openai_client(self.settings) as model:
            yield await build_turning(
                self.database, MemoryBusOf(self.bus), self.stream, model, self.settings, now=self.clock
            )


class MemoryBusOf(MemoryBus):
    """A bus that asks the same owners as another one, and hears nothing by itself."""

    def __init__(self, other: MemoryBus) -> None:
        super().__init__()
        self.request = other.request  # type: ignore[method-assign]
        self.publish = other.publish  # type: ignore[method-assign]
        self.send = other.send  # type: ignore[method-assign]


@asynccontextmanager
async def stage_on(database: Database, sandbox: Sandbox, **settings: Any) -> AsyncIterator[Stage]:
    """A stage with one agent, whose prompt is registered."""
    clock = ManualClock()
    bus, stream = MemoryBus(clock), MemoryStream()
    given = {
        "master_keys": "k1:" + "A" * 43 + "=",
        "openai_base_url": str(sandbox.make_url("/v1")),
        "openai_api_key": "sk-test",
        "openai_model": "default-model",
        "openai_timeout_seconds": 60,
        "agent_fallback_text": FALLBACK,
    }
    configured = AgentsSettings.model_validate(given | settings)

    async def pause(seconds: float) -> None:
        clock.pass_time(seconds)

    async with openai_client(configured) as model:
        turning = await build_turning(database, bus, stream, model, configured, now=clock, pause=pause)
        turning.handlers.register()
        stage = Stage(
            database=database,
            bus=bus,
            stream=stream,
            clock=clock,
            messaging=MessagingStandIn(bus, clock),
            turning=turning,
            agents=AgentRepository(database, clock),
            prompts=PromptRepository(database, clock),
            sandbox=sandbox,
            settings=configured,
        )
        await _add_agent(stage)
        yield stage


async def _add_agent(stage: Stage) -> None:
    await stage.agents.add_once(
        CreateAgent(agent_id=AGENT, user_id=USER, phone_number_id=NUMBER, prompt_id=PROMPT, name="Support")
    )
    await stage.prompts.add_once(
        CreatePrompt(
            work_id="work_1",
            user_id=USER,
            prompt_id=PROMPT,
            instructions="You help the customers of {{shop}}.",
            variables={"shop": "Lakeside Books"},
        )
    )
