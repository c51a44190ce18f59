"""Giving back the credits of those who were not sent to.

What was spent is known to messaging alone, which also keeps the credit of an unknown outcome until that is settled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.recipients import RecipientRepository
from shared.contracts.campaigns import Counters


@dataclass(frozen=True, slots=True)
class Settling:
    """A run's release is told as its total so far, so that telling it twice changes nothing."""

    recipients: RecipientRepository
    neighbours: Neighbours

    async def release(self, campaigns: Sequence[StoredCampaign], counters: Mapping[str, Counters]) -> dict[str, int]:
        """Free the credits of the present runs' definite failures and of those who were skipped; by id, how many.

        Left out is who has nothing to release that was not released before.
        """
        unsettled = [each for each in campaigns if not each.closed and _unsent(counters[each.id])]
        unused = await self._unused(unsettled)
        more = {each.id: unused[each.id] for each in unsettled if unused[each.id] > each.released}
        await self._tell(unsettled, more, closed=False)
        return more

    async def close(self, campaigns: Sequence[StoredCampaign]) -> dict[str, int]:
        """Nothing more of these runs will be sent: what was not used becomes free; by id, how many credits."""
        unused = await self._unused(campaigns)
        released = {each.id: max(unused[each.id], each.released) for each in campaigns}
        await self._tell(campaigns, released, closed=True)
        return released

    async def _unused(self, campaigns: Sequence[StoredCampaign]) -> dict[str, int]:
        kept = await self.recipients.count_reserved(campaigns)
        return {each.id: each.credits_reserved - kept[each.id] for each in campaigns}

    async def _tell(self, campaigns: Sequence[StoredCampaign], released: Mapping[str, int], *, closed: bool) -> None:
        if released:
            told = [(each, released[each.id]) for each in campaigns if each.id in released]
            await self.neighbours.release_runs(told, closed=closed)


def _unsent(counters: Counters) -> int:
    return counters.failed + counters.skipped
