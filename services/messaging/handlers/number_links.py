"""Phone numbers as other services need them: given to an agent, held by a campaign, changed, and deleted."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.messaging.repositories.agent_stats import AgentStatsRepository
from services.messaging.repositories.number_links import AgentLink, NumberLinkRepository
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.port import Bus
from shared.contracts.agents import GetAgent
from shared.contracts.base import Done
from shared.contracts.conversations import AgentStats, GetAgentStats
from shared.contracts.messaging import PhoneNumber
from shared.contracts.numbers import (
    DeletePhoneNumber,
    HoldNumber,
    LinkAgent,
    ReleaseNumber,
    ReleaseNumbers,
    UnlinkAgent,
    UpdatePhoneNumber,
)
from shared.errors import NotFoundError

log = structlog.get_logger()

_ASK_SECONDS = 5.0


def _nobody_keeps_numbers(_phone_number_id: str) -> None:
    """What was read of numbers is kept by nobody who would have to forget it."""


@dataclass(frozen=True, slots=True)
class NumberLinkHandlers:
    """Each command is one conditional update, so that a repetition does nothing."""

    bus: Bus
    numbers: NumberRepository
    links: NumberLinkRepository
    stats: AgentStatsRepository
    on_change: Callable[[str], None] = _nobody_keeps_numbers  # told the id of a number that has changed

    def register(self) -> None:
        """Guard the phone numbers."""
        self.bus.on(UpdatePhoneNumber, self.update_phone_number)
        self.bus.on(DeletePhoneNumber, self.delete_phone_number)
        self.bus.on(LinkAgent, self.link_agent)
        self.bus.on(UnlinkAgent, self.unlink_agent)
        self.bus.on(HoldNumber, self.hold_number)
        self.bus.on(ReleaseNumber, self.release_number)
        self.bus.on(ReleaseNumbers, self.release_numbers)
        self.bus.on(GetAgentStats, self.get_agent_stats)

    async def update_phone_number(self, command: UpdatePhoneNumber) -> PhoneNumber:
        """Set what was given; a new WABA or token is subscribed with in the background."""
        changed = await self.numbers.change(command)
        self.on_change(command.phone_number_id)
        return changed

    async def delete_phone_number(self, command: DeletePhoneNumber) -> Done:
        """Archive the number, if nothing binds it."""
        await self.links.archive(command.phone_number_id)
        self.on_change(command.phone_number_id)
        log.info("phone_number_deleted", phone_number_id=command.phone_number_id)
        return Done()

    async def link_agent(self, command: LinkAgent) -> PhoneNumber:
        """Let one agent answer on the number."""
        await self.links.link_agent(command.phone_number_id, command.agent_id, command.user_id)
        return await self.numbers.get(command.phone_number_id)

    async def unlink_agent(self, command: UnlinkAgent) -> Done:
        """Nobody answers on the number any longer."""
        await self.links.unlink_agent(command.phone_number_id, command.agent_id)
        return Done()

    async def hold_number(self, command: HoldNumber) -> Done:
        """A campaign needs the number."""
        await self.links.hold(command.phone_number_id, command.user_id, command.holder)
        return Done()

    async def release_number(self, command: ReleaseNumber) -> Done:
        """A campaign no longer needs the number."""
        await self.links.release([command.phone_number_id], [command.holder])
        return Done()

    async def release_numbers(self, command: ReleaseNumbers) -> Done:
        """The same of several campaigns that have come to their end together."""
        await self.links.release(command.phone_number_ids, command.holders)
        return Done()

    async def get_agent_stats(self, query: GetAgentStats) -> AgentStats:
        """How busy the number's agent is."""
        return await self.stats.count(query.phone_number_id)

    async def check_links(self) -> None:
        """Ask after the agents of new links, and unlink those that are not there.

        A LinkAgent that was delivered again after its agent was deleted would otherwise bind the number for ever.
        """
        while (link := await self.links.claim_unchecked()) is not None:
            if await self._agent_is_there(link):
                await self.links.mark_checked(link)
            else:
                await self.links.unlink_agent(link.phone_number_id, link.agent_id)
                log.warning("agent_unlinked", phone_number_id=link.phone_number_id, agent_id=link.agent_id)

    async def _agent_is_there(self, link: AgentLink) -> bool:
        """Any other error leaves the link for the next round."""
        try:
            agent = await self.bus.request(GetAgent(agent_id=link.agent_id), timeout_seconds=_ASK_SECONDS)
        except NotFoundError:
            return False
        return agent.phone_number_id == link.phone_number_id
