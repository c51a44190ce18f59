"""Agents: made, shown, changed and deleted."""

from dataclasses import dataclass

from services.agents.linking import AgentLinks
from services.agents.repositories.agents import AgentRepository
from shared.bus.port import Bus
from shared.contracts.agents import Agent, Agents, CreateAgent, DeleteAgent, GetAgent, ListAgents, UpdateAgent
from shared.contracts.base import Done
from shared.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True)
class AgentHandlers:
    """Creating is idempotent by the agent's id, changing sets values, deleting ends in the same state."""

    bus: Bus
    agents: AgentRepository
    links: AgentLinks

    def register(self) -> None:
        """Own the agents."""
        self.bus.on(CreateAgent, self.create_agent)
        self.bus.on(ListAgents, self.list_agents)
        self.bus.on(GetAgent, self.get_agent)
        self.bus.on(UpdateAgent, self.update_agent)
        self.bus.on(DeleteAgent, self.delete_agent)

    async def create_agent(self, command: CreateAgent) -> Agent:
        """Store the agent, then ask for its number; one that does not get it was never there."""
        agent = await self.agents.add_once(command)
        await self.links.link(agent)
        return agent

    async def list_agents(self, query: ListAgents) -> Agents:
        """A user's agents, newest first."""
        return Agents(items=await self.agents.list_by_user(query.user_id))

    async def get_agent(self, query: GetAgent) -> Agent:
        """One agent."""
        return await self.agents.get(query.agent_id)

    async def update_agent(self, command: UpdateAgent) -> Agent:
        """Set what was given; the next answer already follows it."""
        given = command.model_dump(exclude={"agent_id", "cleared"}, exclude_none=True)
        return await self.agents.change(command.agent_id, given | dict.fromkeys(command.cleared))

    async def delete_agent(self, command: DeleteAgent) -> Done:
        """Nobody answers on the number any longer, and another agent may be given to it."""
        agent = await self.agents.find(command.agent_id)
        if agent is not None and agent.webchat_id is not None:
            raise ConflictError(
                "This agent belongs to a webchat channel and is deleted with it: "
                f"DELETE /api/v1/webchat/channels/{agent.webchat_id}"
            )
        leaving = await self.agents.mark_unlinking(command.agent_id)
        if leaving is None:
            raise NotFoundError("Agent not found")
        await self.links.unlink(leaving)
        return Done()
