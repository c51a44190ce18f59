"""Builds agents and runs it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from services.agents.clients.openai import openai_client
from services.agents.clients.rehearsal import rehearse
from services.agents.handlers.agents import AgentHandlers
from services.agents.handlers.channels import ChannelHandlers
from services.agents.handlers.prompts import PromptHandlers
from services.agents.handlers.sessions import SessionHandlers
from services.agents.linking import AgentLinks, ChannelDoors
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.channels import ChannelRepository
from services.agents.repositories.prompts import PromptRepository
from services.agents.repositories.sessions import SessionRepository
from services.agents.settings import AgentsSettings
from services.agents.turning import build_turning
from shared.bus.port import Bus
from shared.bus.stream import rabbit_stream
from shared.clock import Clock, utc_now
from shared.mongo import Database
from shared.periodic import repeating
from shared.sealing import KeyRing
from shared.service import running

LINKS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Agents:
    """The service's working parts."""

    agents: AgentHandlers
    prompts: PromptHandlers
    channels: ChannelHandlers
    links: AgentLinks
    doors: ChannelDoors

    def register(self) -> None:
        """Take every message that is agents'."""
        for handlers in (self.agents, self.prompts, self.channels):
            handlers.register()


async def build(database: Database, bus: Bus, *, now: Clock = utc_now) -> Agents:
    """Put the parts together, with their indexes in place."""
    agents = AgentRepository(database, now)
    prompts = PromptRepository(database, now)
    channels = ChannelRepository(database, now)
    for repository in (agents, prompts, channels):
        await repository.ensure_indexes()
    links = AgentLinks(bus, agents)
    doors = ChannelDoors(bus, channels, agents, links)
    return Agents(
        agents=AgentHandlers(bus, agents, links),
        prompts=PromptHandlers(bus, prompts),
        channels=ChannelHandlers(bus, channels, agents, doors),
        links=links,
        doors=doors,
    )


async def _register_sessions(database: Database, bus: Bus, keys: KeyRing) -> None:
    sessions = SessionRepository(database, utc_now)
    await sessions.ensure_indexes()
    SessionHandlers(ChannelRepository(database, utc_now), sessions, keys, bus).register()


async def run(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Run until told to stop. Raises ConfigurationError when the environment does not allow a start."""
    settings = AgentsSettings.from_env(environ)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running("agents", settings, settings.agents_ops_bind))
        await rehearse()
        agents = await build(service.database, service.bus)
        agents.register()
        await _register_sessions(service.database, service.bus, settings.key_ring())
        url = settings.amqp_url.get_secret_value()
        stream = await stack.enter_async_context(rabbit_stream(url, service="agents"))
        model = await stack.enter_async_context(openai_client(settings))
        turning = await build_turning(service.database, service.bus, stream, model, settings, now=utc_now)
        turning.handlers.register()
        await stack.enter_async_context(turning.runner.running())
        for name, work, seconds in (
            ("agents.links", agents.links.finish, LINKS_SECONDS),
            ("agents.channels", agents.doors.finish, LINKS_SECONDS),
        ):
            await stack.enter_async_context(repeating(name, work, seconds=seconds))
        await service.until(stop)
