"""Campaigns come to be: opened unseen, filled in chunks, then made real in one update; uploads in the same way."""

from contextlib import suppress
from dataclasses import dataclass

from services.campaigns.domain.campaigns import UPLOAD_LEASE, StoredCampaign, TemplateSummary
from services.campaigns.domain.recipients import UPLOAD_SPAN
from services.campaigns.domain.states import CREATING, DRAFT
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.showing import Showing
from services.campaigns.telling import ContactTelling
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.base import Done
from shared.contracts.campaigns import (
    AbortUpload,
    BeginUpload,
    Campaign,
    CreateCampaign,
    FinishCreation,
    FinishUpload,
)
from shared.errors import ConflictError, InsufficientCreditsError, InvalidInputError, NotFoundError


@dataclass(frozen=True, slots=True)
class CreationHandlers:
    """Every step is idempotent: by campaign id, by upload id, by what the document says already."""

    bus: Bus
    campaigns: CampaignRepository
    recipients: RecipientRepository
    lifecycle: Lifecycle
    neighbours: Neighbours
    contacts: ContactTelling
    showing: Showing
    now: Clock

    def register(self) -> None:
        """Take what makes campaigns and fills them."""
        self.bus.on(CreateCampaign, self.create_campaign)
        self.bus.on(FinishCreation, self.finish_creation)
        self.bus.on(BeginUpload, self.begin_upload)
        self.bus.on(FinishUpload, self.finish_upload)
        self.bus.on(AbortUpload, self.abort_upload)

    async def create_campaign(self, command: CreateCampaign) -> Done:
        """Check number and template, and open the campaign."""
        number = await self.neighbours.number(command.phone_number_id)
        if number.user_id != command.user_id:
            raise NotFoundError("Phone number not found")
        template = await self.neighbours.approved_template(command)
        # The owner's own checks of number and template, before a single recipient is sent over.
        await self.neighbours.prepare(command.user_id, command.phone_number_id, command.template_id, ())
        summary = TemplateSummary(template.name, template.language, template.category)
        await self.campaigns.add_once(command, summary, number.messages_per_second)
        return Done()

    async def finish_creation(self, command: FinishCreation) -> Campaign:
        """Contacts, then number and credits where it is to start, then its first status in one update."""
        campaign = await self.campaigns.find(command.campaign_id)
        if campaign is None:
            raise NotFoundError("Campaign not found")
        if campaign.status != CREATING:
            return await self.showing.campaign(campaign)
        created, updated = await self.contacts.tell_all(campaign)
        fields = {
            "uploads": 1,
            "contacts_created": created,
            "contacts_updated": updated,
            "duplicates_removed": command.duplicates,
        }
        made = await (
            self._make_started(campaign, fields) if command.auto_start else self._make_draft(campaign, fields)
        )
        return await self.showing.campaign(made)

    async def begin_upload(self, command: BeginUpload) -> Done:
        """Open the one upload that a draft may have."""
        campaign = await self.campaigns.get(command.campaign_id)
        now, upload = self.now(), campaign.upload
        if command.upload_id in {campaign.last_upload, upload.upload_id if upload else None}:
            return Done()
        if campaign.status != DRAFT or campaign.starting_at is not None:
            raise ConflictError("Recipients can be added to a DRAFT only", code="not_a_draft")
        if upload is not None:
            if upload.until > now:
                seconds = int((upload.until - now).total_seconds()) + 1
                raise ConflictError(
                    "Another upload to this campaign is under way", code="upload_open", retry_after_seconds=seconds
                )
            await self.recipients.delete_upload(campaign.id, upload.base)
        opened = {
            "id": command.upload_id,
            "base": max(campaign.uploads, 1) * UPLOAD_SPAN,
            "until": now + UPLOAD_LEASE,
        }
        if await self.campaigns.change(campaign, {"upload": opened}) is None:
            raise ConflictError("The campaign is being changed by somebody else; try again")
        return Done()

    async def finish_upload(self, command: FinishUpload) -> Campaign:
        """Let an upload's recipients count."""
        campaign = await self.campaigns.get(command.campaign_id)
        if campaign.last_upload == command.upload_id:
            return await self.showing.campaign(campaign)
        _require_open(campaign, command.upload_id)
        fields = {
            "uploads": max(campaign.uploads, 1) + 1,
            "last_upload": command.upload_id,
            "duplicates_removed": campaign.duplicates_removed + command.duplicates,
            "contacts_due": True,
        }
        finished = await self.campaigns.change(campaign, fields, unset=("upload",))
        if finished is None:
            raise ConflictError("The upload has ended meanwhile", code="upload_not_open")
        return await self.showing.campaign(finished)

    async def abort_upload(self, command: AbortUpload) -> Done:
        """Leave nothing of an upload; nor of a campaign that is being created."""
        campaign = await self.campaigns.find(command.campaign_id)
        if campaign is not None and campaign.upload is not None and campaign.upload.upload_id == command.upload_id:
            await self.undo_upload(campaign)
        return Done()

    async def undo_upload(self, campaign: StoredCampaign) -> None:
        """Remove an upload's rows, then the upload; a campaign that is being created goes with it."""
        if campaign.upload is None:
            return
        if campaign.status == CREATING:
            await self._undo_creation(campaign)
            return
        # Nobody can add rows from here on: every chunk asks for the upload first.
        closing = {"upload": {"id": "", "base": campaign.upload.base, "until": self.now() + UPLOAD_LEASE}}
        closed = await self.campaigns.change(campaign, closing)
        if closed is not None:
            await self.recipients.delete_upload(campaign.id, campaign.upload.base)
            await self.campaigns.change(closed, {}, unset=("upload",))

    async def _undo_creation(self, campaign: StoredCampaign) -> None:
        if campaign.starting_at is not None:  # a start was cut short: what it reserved becomes free
            with suppress(NotFoundError):  # it died before it reserved any
                await self.neighbours.release_credits(campaign.user_id, campaign.id, 0, 0, closed=True)
            await self.neighbours.release_number(campaign.phone_number_id, campaign.id)
        if await self.campaigns.change(campaign, {"upload.id": ""}) is not None:
            await self.recipients.delete_all(campaign.id)
            await self.campaigns.delete(campaign.id)

    async def _make_draft(self, campaign: StoredCampaign, fields: dict[str, int]) -> StoredCampaign:
        return await self.lifecycle.to(campaign, DRAFT, fields, None, unset=("upload",))

    async def _make_started(self, campaign: StoredCampaign, fields: dict[str, int]) -> StoredCampaign:
        try:
            return await self.lifecycle.start(campaign, fields)
        except (InsufficientCreditsError, InvalidInputError):
            again = await self.campaigns.find(campaign.id)
            if again is not None and again.status == CREATING:
                await self._undo_creation(again)
            raise


def _require_open(campaign: StoredCampaign, upload_id: str) -> None:
    if campaign.upload is None or campaign.upload.upload_id != upload_id:
        raise ConflictError("The upload is not open (any longer); begin again", code="upload_not_open")
