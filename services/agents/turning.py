"""Builds what answers customers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from services.agents.answering import Answering, Defaults
from services.agents.clients.openai import OpenAIClient
from services.agents.handlers.turns import TurnHandlers
from services.agents.pictures import Pictures
from services.agents.replying import Replying
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.budgets import BudgetRepository
from services.agents.repositories.prompts import PromptRepository
from services.agents.repositories.turns import TurnRepository
from services.agents.runner import Runner
from services.agents.settings import AgentsSettings
from services.agents.watching import Watching
from shared.bus.port import Bus
from shared.bus.stream import Stream
from shared.clock import Clock
from shared.mongo import Database


@dataclass(frozen=True, slots=True)
class Turning:
    """The parts of agents that answer."""

    handlers: TurnHandlers
    runner: Runner


async def build_turning(
    database: Database,
    bus: Bus,
    stream: Stream,
    model: OpenAIClient,
    settings: AgentsSettings,
    *,
    now: Clock,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Turning:
    """Put the parts together, with their indexes in place; `pause` is how long (in seconds) a busy model is left."""
    agents, prompts = AgentRepository(database, now), PromptRepository(database, now)
    turns, budgets = TurnRepository(database, now), BudgetRepository(database, now)
    for repository in (turns, budgets):
        await repository.ensure_indexes()
    answering = Answering(
        turns=turns,
        agents=agents,
        prompts=prompts,
        budgets=budgets,
        model=model,
        pictures=Pictures(bus),
        watching=Watching(turns, stream, bus),
        bus=bus,
        now=now,
        defaults=Defaults(settings.openai_model, settings.agent_fallback_text),
        pause=pause,
    )
    runner = Runner(turns, answering, Replying(turns, agents, bus, now), now, settings.agent_concurrency)
    debounce = timedelta(milliseconds=settings.agent_debounce_ms)
    return Turning(TurnHandlers(bus, turns, agents, runner, debounce), runner)
