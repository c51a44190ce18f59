"""Counters of campaigns, counted from their rows: exact while that is cheap, a little old where it is not."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.domain.counters import counters_of
from services.campaigns.domain.states import CREATING
from services.campaigns.repositories.recipients import RecipientRepository
from shared.contracts.campaigns import Counters

_KEPT = 10.0  # times as long as counting took: a tenth of the time at most is spent on counting again
_CACHED_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts, and remembers for a while what took long. Every answer is one count, so its identities hold."""

    recipients: RecipientRepository
    monotonic: Callable[[], float] = time.monotonic
    _known: dict[tuple[str, int], tuple[float, Counters]] = field(default_factory=dict)

    async def exact(self, campaign: StoredCampaign) -> Counters:
        """Count now. The rows of an upload that is not finished are left out."""
        return counters_of(await self.recipients.count_by_state(campaign.id, below=_below(campaign)))

    async def all_exact(self, campaigns: Sequence[StoredCampaign]) -> dict[str, Counters]:
        """The same of several campaigns, by id, counted together."""
        counted = await self.recipients.count_by_states([each.id for each in campaigns if _below(each) is None])
        return {
            each.id: await self.exact(each) if _below(each) is not None else counters_of(counted[each.id])
            for each in campaigns
        }

    async def recent(self, campaign: StoredCampaign) -> Counters:
        """Count, unless it was done a moment ago and takes long. A change of the campaign counts anew."""
        return (await self.all_recent([campaign]))[campaign.id]

    async def all_recent(self, campaigns: Sequence[StoredCampaign]) -> dict[str, Counters]:
        """The same of several campaigns, by id."""
        began = self.monotonic()
        known = {each.id: self._known.get((each.id, each.changes), (0.0, Counters())) for each in campaigns}
        found = {id_: counters for id_, (until, counters) in known.items() if began < until}
        due = [each for each in campaigns if each.id not in found]
        if not due:
            return found
        found |= await self.all_exact(due)
        finished = self.monotonic()
        if len(self._known) >= _CACHED_AT_MOST:
            self._known.clear()
        until = finished + (finished - began) / len(due) * _KEPT
        self._known.update({(each.id, each.changes): (until, found[each.id]) for each in due})
        return found


def _below(campaign: StoredCampaign) -> int | None:
    """Where the rows of an upload begin that is not finished; None without one."""
    return campaign.upload.base if campaign.upload is not None and campaign.status != CREATING else None
