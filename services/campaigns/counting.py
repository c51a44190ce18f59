"""Counters of campaigns, counted from their rows: exact while that is cheap, a little old where it is not."""

import time
from collections.abc import Callable
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
        is_open = campaign.upload is not None and campaign.status != CREATING
        below = campaign.upload.base if campaign.upload is not None and is_open else None
        return counters_of(await self.recipients.count_by_state(campaign.id, below=below))

    async def recent(self, campaign: StoredCampaign) -> Counters:
        """Count, unless it was done a moment ago and takes long. A change of the campaign counts anew."""
        key, now = (campaign.id, campaign.changes), self.monotonic()
        until, counters = self._known.get(key, (0.0, Counters()))
        if now < until:
            return counters
        counters = await self.exact(campaign)
        finished = self.monotonic()
        if len(self._known) >= _CACHED_AT_MOST:
            self._known.clear()
        self._known[key] = (finished + (finished - now) * _KEPT, counters)
        return counters
