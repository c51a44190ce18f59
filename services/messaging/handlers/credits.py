"""Credits: looked at, granted, and set aside for campaigns."""

from dataclasses import dataclass

from services.messaging.ledger import Ledger
from shared.bus.port import Bus
from shared.contracts.base import Done
from shared.contracts.credits import GrantCredits, ReleaseCredits, ReleaseRuns, ReserveCredits
from shared.contracts.messaging import Credits, GetCredits


@dataclass(frozen=True, slots=True)
class CreditHandlers:
    """Idempotent by the ledger's entries: a grant's id, a campaign's run."""

    bus: Bus
    ledger: Ledger

    def register(self) -> None:
        """Own the credits."""
        self.bus.on(GetCredits, self.get_credits)
        self.bus.on(GrantCredits, self.grant_credits)
        self.bus.on(ReserveCredits, self.reserve_credits)
        self.bus.on(ReleaseCredits, self.release_credits)
        self.bus.on(ReleaseRuns, self.release_runs)

    async def get_credits(self, query: GetCredits) -> Credits:
        """A user's balance; the first look opens the account."""
        return await self.ledger.get(query.user_id)

    async def grant_credits(self, command: GrantCredits) -> Credits:
        """Add credits, once for each grant's id."""
        return await self.ledger.grant(command.user_id, command.grant_id, command.credits, note=command.note)

    async def reserve_credits(self, command: ReserveCredits) -> Credits:
        """Set a run's credits aside, all or nothing."""
        return await self.ledger.reserve_run(command.user_id, command.campaign_id, command.run, command.credits)

    async def release_credits(self, command: ReleaseCredits) -> Done:
        """Free what a run will not use."""
        await self.ledger.release_run(
            command.user_id, command.campaign_id, command.run, command.released, closed=command.closed
        )
        return Done()

    async def release_runs(self, command: ReleaseRuns) -> Done:
        """The same of several runs."""
        await self.ledger.release_runs(command.items)
        return Done()
