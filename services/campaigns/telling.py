"""Telling messaging of the people in a campaign, page by page."""

from dataclasses import dataclass

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.recipients import RecipientRepository
from shared.contracts.contacts import ContactRow
from shared.mongo import Document

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ContactTelling:
    """Contacts are messaging's. The place that was reached is kept, so that a repetition goes on from there."""

    campaigns: CampaignRepository
    recipients: RecipientRepository
    neighbours: Neighbours

    async def tell_all(self, campaign: StoredCampaign) -> tuple[int, int]:
        """Tell of everybody who was added since the last time; contacts created and updated by the whole campaign."""
        created, updated, place = campaign.contacts_created, campaign.contacts_updated, campaign.contacts_told
        while page := await self.recipients.list_people(campaign.id, place, _PAGE):
            people = [_contact(row) for row in page]
            told = await self.neighbours.upsert_contacts(campaign.user_id, people)
            created, updated, place = created + told.created, updated + told.updated, page[-1]["n"]
            progress = {"contacts_created": created, "contacts_updated": updated, "contacts_told": place}
            await self.campaigns.mark(campaign.id, progress)
        return created, updated

    async def tell_uploaded(self, campaign: StoredCampaign) -> None:
        """The names of uploads: beside the upload itself they would double its time."""
        await self.tell_all(campaign)
        await self.campaigns.mark_contacts_told(campaign)


def _contact(row: Document) -> ContactRow:
    known = row.get("contact", {})
    return ContactRow(
        phone=row["phone"], name=known.get("name"), email=known.get("email"), company=known.get("company")
    )
