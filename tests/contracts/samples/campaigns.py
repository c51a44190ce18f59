"""Examples: campaigns."""

from shared.contracts import campaigns, messaging
from shared.contracts.base import Message
from tests.contracts.samples.basics import NOON, NUMBER_ID, USER_ID
from tests.contracts.samples.numbers import CAMPAIGN_ID

EXAMPLES: tuple[Message, ...] = (
    messaging.HoldCampaign(campaign_id=CAMPAIGN_ID, held=True),
    campaigns.CampaignsChanged(
        items=(
            campaigns.CampaignChange(
                id=f"campaign.started:{CAMPAIGN_ID}:1",
                campaign_id=CAMPAIGN_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                template_id="tpl_9aB1cD2eF3gH4iJ5kL6mN7",
                name="Holiday Promo",
                status="RUNNING",
                counters={"total": 2},
                at=NOON,
            ),
        )
    ),
)
