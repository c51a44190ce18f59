"""`/api/v1/agents`."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, required_query_id
from services.gateway.schemas.agents import ChangeAgentBody, CreateAgentBody
from shared.clock import iso_millis
from shared.contracts.agents import Agent, CreateAgent, DeleteAgent, GetAgent, ListAgents, UpdateAgent
from shared.contracts.conversations import AgentStats, GetAgentStats
from shared.contracts.messaging import GetPhoneNumber, ListPhoneNumbers, PhoneNumber
from shared.errors import NotFoundError
from shared.ids import new_id
from shared.web.body import parse_body
from shared.web.envelopes import success

_UNKNOWN = "Agent not found"


@dataclass(frozen=True, slots=True)
class AgentRoutes:
    """Agents belong to agents; their numbers and figures are asked of messaging and joined here."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/agents", self.list_agents),
            web.post("/api/v1/agents", self.create_agent),
            web.get("/api/v1/agents/{agent_id}", self.get_agent),
            web.patch("/api/v1/agents/{agent_id}", self.change_agent),
            web.delete("/api/v1/agents/{agent_id}", self.delete_agent),
        ]

    async def list_agents(self, request: web.Request) -> web.Response:
        """200 with a user's agents and what their numbers are called, newest first."""
        user_id = required_query_id(request, "user_id")
        agents, numbers = await asyncio.gather(
            self.asking.query(ListAgents(user_id=user_id)), self.asking.query(ListPhoneNumbers(user_id=user_id))
        )
        by_id = {number.id: number for number in numbers.items}
        return success(
            request, [_agent(agent, phone_number=_called(by_id.get(agent.phone_number_id))) for agent in agents.items]
        )

    async def create_agent(self, request: web.Request) -> web.Response:
        """201 with the agent; 404 for an unknown user or number, 409 when the number has an agent."""
        body = await parse_body(request, CreateAgentBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = CreateAgent(agent_id=fixed["agent_id"], **body.model_dump())
            made = await self.asking.command(command, look_at=f"GET /api/v1/agents?user_id={body.user_id}")
            return success(request, _agent(made), status=201)

        return await self.idempotency.run(request, owner=body.user_id, fixed={"agent_id": new_id("agt_")}, work=work)

    async def get_agent(self, request: web.Request) -> web.Response:
        """200 with the agent, its number, how busy it is, and why it could not answer last, if so."""
        agent = await self.asking.query(GetAgent(agent_id=_agent_id(request)))
        number, stats = await asyncio.gather(self._number(agent), self._stats(agent))
        shown = _agent(agent, phone_number=_reached(number), stats=stats.model_dump())
        return success(request, shown | _behaviour(agent) | {"last_error": _error(agent)})

    async def change_agent(self, request: web.Request) -> web.Response:
        """200 with the agent as it is now."""
        agent_id = _agent_id(request)
        changes = (await parse_body(request, ChangeAgentBody)).changes()
        cleared = tuple(name for name, value in changes.items() if value is None)
        command = UpdateAgent.model_validate({"agent_id": agent_id, "cleared": cleared, **changes})
        agent = await self.asking.command(command, look_at=f"GET /api/v1/agents/{agent_id}")
        return success(request, _agent(agent) | _behaviour(agent))

    async def delete_agent(self, request: web.Request) -> web.Response:
        """200; the number may have another agent."""
        agent_id = _agent_id(request)
        await self.asking.command(DeleteAgent(agent_id=agent_id), look_at=f"GET /api/v1/agents/{agent_id}")
        return success(request, message="Agent deleted successfully", data_key=False)

    async def _number(self, agent: Agent) -> PhoneNumber | None:
        try:
            return await self.asking.query(GetPhoneNumber(phone_number_id=agent.phone_number_id))
        except NotFoundError:
            return None

    async def _stats(self, agent: Agent) -> AgentStats:
        return await self.asking.query(GetAgentStats(phone_number_id=agent.phone_number_id))


def _agent_id(request: web.Request) -> str:
    return path_id(request, "agent_id", unknown=_UNKNOWN)


def _agent(agent: Agent, **joined: Any) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "user_id": agent.user_id,
        "phone_number_id": agent.phone_number_id,
        "prompt_id": agent.prompt_id,
        "name": agent.name,
        **joined,
        "created_at": iso_millis(agent.created_at),
        "updated_at": iso_millis(agent.updated_at),
    }


def _called(number: PhoneNumber | None) -> dict[str, Any] | None:
    return {"platform": number.platform, "display_name": number.display_name} if number else None


def _reached(number: PhoneNumber | None) -> dict[str, Any] | None:
    called = _called(number)
    return called | {"meta_phone_number_id": number.meta_phone_number_id} if called and number else None


def _behaviour(agent: Agent) -> dict[str, Any]:
    return agent.model_dump(include={"debounce_ms", "fallback_text", "daily_budget"})


def _error(agent: Agent) -> dict[str, Any] | None:
    error = agent.last_error
    return {"code": error.code, "message": error.message, "at": iso_millis(error.at)} if error else None
