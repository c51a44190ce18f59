"""Examples: campaigns."""

from shared.contracts import campaigns, messaging
from shared.contracts.base import Message
from shared.contracts.campaigns import QuietHours
from shared.contracts.contacts import RecipientRow
from tests.contracts.samples.basics import NOON, NUMBER_ID, PHONE, USER_ID
from tests.contracts.samples.numbers import CAMPAIGN_ID

TEMPLATE_ID = "tpl_9aB1cD2eF3gH4iJ5kL6mN7"
UPLOAD_ID = "upl_9aB1cD2eF3gH4iJ5kL6mN7"

EXAMPLES: tuple[Message, ...] = (
    messaging.HoldCampaign(campaign_id=CAMPAIGN_ID, held=True),
    campaigns.CreateCampaign(
        campaign_id=CAMPAIGN_ID,
        user_id=USER_ID,
        phone_number_id=NUMBER_ID,
        template_id=TEMPLATE_ID,
        name="Holiday Promo",
        scheduled_at=NOON,
        local_time=True,
        quiet_hours=QuietHours(start="21:00", end="08:00"),
    ),
    campaigns.StageRecipients(
        campaign_id=CAMPAIGN_ID,
        upload_id=UPLOAD_ID,
        rows=(RecipientRow(row=0, phone=PHONE, name="Sarah", variables={"1": "Sarah"}),),
    ),
    campaigns.FinishCreation(campaign_id=CAMPAIGN_ID, auto_start=True),
    campaigns.BeginUpload(campaign_id=CAMPAIGN_ID, upload_id=UPLOAD_ID),
    campaigns.FinishUpload(campaign_id=CAMPAIGN_ID, upload_id=UPLOAD_ID, duplicates=2),
    campaigns.AbortUpload(campaign_id=CAMPAIGN_ID, upload_id=UPLOAD_ID),
    campaigns.ControlCampaign(campaign_id=CAMPAIGN_ID, action="pause"),
    campaigns.RetryFailed(campaign_id=CAMPAIGN_ID, error_classes=("undeliverable",)),
    campaigns.GetCampaign(campaign_id=CAMPAIGN_ID),
    campaigns.ListCampaigns(user_id=USER_ID, status="RUNNING"),
    campaigns.ListRecipients(campaign_id=CAMPAIGN_ID, state="failed"),
    campaigns.GetPreflight(campaign_id=CAMPAIGN_ID, recipient=PHONE),
    campaigns.TemplateInUse(template_id=TEMPLATE_ID),
    campaigns.CampaignsChanged(
        items=(
            campaigns.CampaignChange(
                id=f"campaign.started:{CAMPAIGN_ID}:1",
                campaign_id=CAMPAIGN_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                template_id=TEMPLATE_ID,
                name="Holiday Promo",
                status="RUNNING",
                counters={"total": 2},
                at=NOON,
            ),
        )
    ),
)
