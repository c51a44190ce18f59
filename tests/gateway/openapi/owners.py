"""Owners of what the gateway asks for: agents as it is, numbers that can be bound, and nothing of anything else."""

from dataclasses import dataclass

from services.agents import main as agents
from shared.bus.memory import MemoryBus
from shared.contracts.base import Done, ReplyT, Request
from shared.contracts.conversations import AgentStats, GetAgentStats
from shared.contracts.messaging import GetPhoneNumber, PhoneNumber
from shared.contracts.numbers import (
    DeletePhoneNumber,
    LinkAgent,
    NumberCheck,
    UnlinkAgent,
    UpdatePhoneNumber,
    Verification,
    VerifyPhoneNumber,
)
from shared.errors import NotFoundError
from shared.mongo import Database
from tests.gateway.conftest import MessagingStandIn


class AnsweringBus(MemoryBus):
    """What nobody handles is answered as an owner would who has no such thing, instead of by silence."""

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        if type(request) not in self._handlers:
            raise NotFoundError("There is no such thing")
        return await super().request(request, timeout_seconds=timeout_seconds)


@dataclass(frozen=True)
class NumberBindings:
    """Answers for the numbers that `messaging` stands in for; none is ever deleted, since others need it."""

    messaging: MessagingStandIn

    def register(self, bus: MemoryBus) -> None:
        """Take the places of the real handlers."""
        bus.on(UpdatePhoneNumber, self.update)
        bus.on(LinkAgent, self.link)
        bus.on(UnlinkAgent, self.unlink)
        bus.on(DeletePhoneNumber, self.delete)
        bus.on(VerifyPhoneNumber, self.verify)
        bus.on(GetAgentStats, self.stats)

    async def update(self, command: UpdatePhoneNumber) -> PhoneNumber:
        """As it is."""
        return await self.messaging.get_phone_number(GetPhoneNumber(phone_number_id=command.phone_number_id))

    async def link(self, command: LinkAgent) -> PhoneNumber:
        """Every agent gets every number."""
        return await self.messaging.get_phone_number(GetPhoneNumber(phone_number_id=command.phone_number_id))

    async def unlink(self, _command: UnlinkAgent) -> Done:
        """Done."""
        return Done()

    async def delete(self, _command: DeletePhoneNumber) -> Done:
        """Not really."""
        return Done()

    async def verify(self, query: VerifyPhoneNumber) -> Verification:
        """One check that failed."""
        await self.messaging.get_phone_number(GetPhoneNumber(phone_number_id=query.phone_number_id))
        return Verification(ok=False, checks=(NumberCheck(name="waba", ok=False, message="Check waba_id."),))

    async def stats(self, _query: GetAgentStats) -> AgentStats:
        """Those of the API document."""
        return AgentStats(total_conversations=150, active_conversations=12)


async def register_agents(database: Database, bus: MemoryBus, messaging: MessagingStandIn) -> None:
    """Agents, prompts and channels, kept for real."""
    NumberBindings(messaging).register(bus)
    (await agents.build(database, bus)).register()
