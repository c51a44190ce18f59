"""Giving back the credits of those who were not sent to.

What was spent is known to messaging alone, which also keeps the credit of an unknown outcome until that is settled.
"""

from dataclasses import dataclass

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.recipients import RecipientRepository
from shared.contracts.campaigns import Counters


@dataclass(frozen=True, slots=True)
class Settling:
    """A run's release is told as its total so far, so that telling it twice changes nothing."""

    campaigns: CampaignRepository
    recipients: RecipientRepository
    neighbours: Neighbours

    async def release(self, campaign: StoredCampaign, counters: Counters) -> None:
        """Free the credits of the present run's definite failures and of those who were skipped."""
        if campaign.closed or not counters.failed + counters.skipped:
            return
        released = campaign.credits_reserved - await self.recipients.count_reserved(campaign.id, campaign.run)
        if released > campaign.released:
            await self._tell(campaign, released, closed=False)

    async def close(self, campaign: StoredCampaign) -> None:
        """Nothing more of the run will be sent: what was not used becomes free."""
        kept = await self.recipients.count_reserved(campaign.id, campaign.run)
        await self._tell(campaign, max(campaign.credits_reserved - kept, campaign.released), closed=True)

    async def _tell(self, campaign: StoredCampaign, released: int, *, closed: bool) -> None:
        await self.neighbours.release_credits(campaign.user_id, campaign.id, campaign.run, released, closed=closed)
        await self.campaigns.mark_settled(campaign, released, closed=closed)
