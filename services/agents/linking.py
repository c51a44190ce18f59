"""Binding agents to their numbers and opening web chats: steps in several services, each harmless when repeated.

Before the first step the document says that somebody must look again in a minute. Whoever dies half-way is finished by
the sweeper of any replica.
"""

from dataclasses import dataclass

import structlog

from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.channels import ChannelRepository
from shared.bus.port import Bus
from shared.contracts.agents import Agent, CreateAgent, WebchatChannel
from shared.contracts.messaging import AddPhoneNumber
from shared.contracts.numbers import DeletePhoneNumber, LinkAgent, UnlinkAgent
from shared.errors import ConflictError, NotFoundError

log = structlog.get_logger()

_ASK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class AgentLinks:
    """An agent has its number only once messaging says so: there, one update decides who gets it."""

    bus: Bus
    agents: AgentRepository

    async def link(self, agent: Agent) -> None:
        """Give the agent its number. Raises NotFoundError, ConflictError; then the agent is gone."""
        try:
            await self.bus.request(
                LinkAgent(phone_number_id=agent.phone_number_id, agent_id=agent.agent_id, user_id=agent.user_id),
                timeout_seconds=_ASK_SECONDS,
            )
        except (NotFoundError, ConflictError):
            await self.agents.mark_deleted(agent.agent_id)
            raise
        await self.agents.mark_linked(agent.agent_id)

    async def unlink(self, agent: Agent) -> None:
        """Free the number of an agent that is being deleted."""
        await self.bus.request(
            UnlinkAgent(phone_number_id=agent.phone_number_id, agent_id=agent.agent_id), timeout_seconds=_ASK_SECONDS
        )
        await self.agents.mark_deleted(agent.agent_id)

    async def finish(self) -> None:
        """Link and unlink what was left half done."""
        while (found := await self.agents.claim_half_linked()) is not None:
            agent, is_wanted = found
            try:
                await (self.link(agent) if is_wanted else self.unlink(agent))
            except (NotFoundError, ConflictError) as error:
                log.warning("agent_not_linked", agent_id=agent.agent_id, reason=error.message)


@dataclass(frozen=True, slots=True)
class ChannelDoors:
    """A web chat channel is open once it has its number and, on it, its agent."""

    bus: Bus
    channels: ChannelRepository
    agents: AgentRepository
    links: AgentLinks

    async def open(self, channel: WebchatChannel) -> None:
        """Make what the channel needs. The number first, so that the agent never looks for one in vain."""
        number = AddPhoneNumber(
            phone_number_id=channel.phone_number_id,
            user_id=channel.user_id,
            platform="webchat",
            meta_phone_number_id=channel.webchat_id,
            display_name=channel.name,
        )
        await self.bus.request(number, timeout_seconds=_ASK_SECONDS)
        wanted = CreateAgent(
            agent_id=channel.agent_id,
            user_id=channel.user_id,
            phone_number_id=channel.phone_number_id,
            prompt_id=channel.prompt_id,
            name=channel.name,
        )
        source = channel.source_agent_id
        await self.links.link(await self.agents.add_once(wanted, webchat_id=channel.webchat_id, source_agent_id=source))
        await self.channels.mark_open(channel.webchat_id)

    async def close(self, channel: WebchatChannel) -> None:
        """Take it all away again. The agent first, since it keeps the number from being deleted."""
        agent = await self.agents.mark_unlinking(channel.agent_id)
        if agent is not None:
            await self.links.unlink(agent)
        try:
            await self.bus.request(
                DeletePhoneNumber(phone_number_id=channel.phone_number_id), timeout_seconds=_ASK_SECONDS
            )
        except NotFoundError:
            log.info("webchat_number_was_gone", webchat_id=channel.webchat_id)
        await self.channels.mark_closed(channel.webchat_id)

    async def finish(self) -> None:
        """Open and close what was left half done."""
        while (found := await self.channels.claim_half_open()) is not None:
            channel, is_wanted = found
            await (self.open(channel) if is_wanted else self.close(channel))
