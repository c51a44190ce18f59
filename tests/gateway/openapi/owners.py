"""Owners of what the gateway asks for: agents as it is, numbers that can be bound, and nothing of anything else."""

from dataclasses import dataclass
from typing import Any, cast

from services.agents import main as agents
from shared.bus.dead_letters import DeadLetter
from shared.bus.memory import MemoryBus
from shared.contracts.base import Done, Reply, ReplyT, Request
from shared.contracts.button_clicks import ButtonClicks, GetLeadButtonActivity, LeadButtonActivity, ListButtonClicks
from shared.contracts.campaigns import Campaigns, ListCampaigns
from shared.contracts.contacts import Contacts, ListContacts
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
from shared.contracts.threads import Conversations, ListConversations
from shared.errors import NotFoundError
from shared.mongo import Database
from tests.gateway.conftest import MessagingStandIn

_EMPTY_LISTS: dict[type[Request[Any]], Reply] = {
    ListButtonClicks: ButtonClicks(items=(), total=0),
    GetLeadButtonActivity: LeadButtonActivity(buttons_clicked=(), total_clicks=0),
    ListCampaigns: Campaigns(items=()),
    ListContacts: Contacts(items=()),
    ListConversations: Conversations(items=()),
}


class AnsweringBus(MemoryBus):
    """What nobody handles is answered as an owner would who has no such thing, instead of by silence."""

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        if type(request) in self._handlers:
            return await super().request(request, timeout_seconds=timeout_seconds)
        if type(request) in _EMPTY_LISTS:
            return cast("ReplyT", _EMPTY_LISTS[type(request)])
        raise NotFoundError("There is no such thing")


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


class NoDeadLetters:
    """One empty queue."""

    async def count(self) -> dict[str, int]:
        """None."""
        return {"messaging.send.v1": 0}

    async def look(self, queue: str, limit: int) -> list[DeadLetter]:
        """Nothing to see, in the one queue that is known."""
        if queue != "messaging.send.v1":
            raise NotFoundError("Queue not found")
        return [][:limit]

    async def replay(self, queue: str) -> int:
        """Nothing to do."""
        return len(await self.look(queue, 1))

    async def drop(self, queue: str) -> int:
        """The same."""
        return len(await self.look(queue, 1))
