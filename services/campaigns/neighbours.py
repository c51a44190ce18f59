"""What campaigns asks of the services that own numbers, contacts, credits and templates."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.campaigns.domain.campaigns import StoredCampaign
from shared.bus.port import Bus
from shared.contracts.campaigns import CreateCampaign
from shared.contracts.contacts import (
    ContactRow,
    PreparedRow,
    PrepareRecipients,
    RecipientRow,
    UpsertContacts,
    UpsertedContacts,
)
from shared.contracts.content import TemplateByIdContent
from shared.contracts.credits import ReleaseCredits, ReleaseRuns, ReserveCredits, RunRelease
from shared.contracts.messaging import (
    Credits,
    GetCredits,
    GetPhoneNumber,
    HoldCampaign,
    PhoneNumber,
    RenderedMessage,
    RenderMessage,
)
from shared.contracts.numbers import HoldNumber, ReleaseNumber, ReleaseNumbers
from shared.contracts.template_drafts import GetTemplate
from shared.contracts.templates import Template
from shared.errors import InvalidInputError, NotFoundError

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Questions and commands to other services. Each raises what its owner raises, or that nobody answers."""

    bus: Bus
    timeout_seconds: float = _SECONDS

    async def number(self, phone_number_id: str) -> PhoneNumber:
        """The number that a campaign sends from."""
        return await self.bus.request(
            GetPhoneNumber(phone_number_id=phone_number_id), timeout_seconds=self.timeout_seconds
        )

    async def template(self, template_id: str) -> Template:
        """A template. Raises NotFoundError."""
        query = GetTemplate(template_id=template_id)
        return (await self.bus.request(query, timeout_seconds=self.timeout_seconds)).template

    async def approved_template(self, command: CreateCampaign) -> Template:
        """The template of a new campaign.

        Raises NotFoundError when it is another user's, InvalidInputError unless it may be sent.
        """
        template = await self.template(command.template_id)
        if template.user_id != command.user_id:
            raise NotFoundError("Template not found")
        if template.status != "APPROVED":
            message = f"The template is {template.status}; only an approved template can be sent"
            details = [{"field": "template_id", "message": message}]
            raise InvalidInputError(message, code="template_not_approved", details=details)
        return template

    async def prepare(
        self, user_id: str, phone_number_id: str, template_id: str, rows: Sequence[RecipientRow]
    ) -> tuple[PreparedRow, ...]:
        """What would be sent to each recipient, or why nothing can be."""
        query = PrepareRecipients(
            user_id=user_id, phone_number_id=phone_number_id, template_id=template_id, rows=tuple(rows)
        )
        return (await self.bus.request(query, timeout_seconds=self.timeout_seconds)).rows

    async def upsert_contacts(self, user_id: str, contacts: Sequence[ContactRow]) -> UpsertedContacts:
        """Make sure that contacts exist, with what is told of them."""
        command = UpsertContacts(user_id=user_id, contacts=tuple(contacts))
        return await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def hold_number(self, phone_number_id: str, user_id: str, campaign_id: str) -> None:
        """Keep the number from being deleted."""
        command = HoldNumber(phone_number_id=phone_number_id, user_id=user_id, holder=campaign_id)
        await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def release_number(self, phone_number_id: str, campaign_id: str) -> None:
        """The number is not needed any more."""
        command = ReleaseNumber(phone_number_id=phone_number_id, holder=campaign_id)
        await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def reserve(self, user_id: str, campaign_id: str, run: int, credits: int) -> None:
        """Set a run's credits aside. Raises InsufficientCreditsError."""
        if credits:
            command = ReserveCredits(user_id=user_id, campaign_id=campaign_id, run=run, credits=credits)
            await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def release_credits(self, user_id: str, campaign_id: str, run: int, released: int, *, closed: bool) -> None:
        """Free what a run will not use."""
        command = ReleaseCredits(user_id=user_id, campaign_id=campaign_id, run=run, released=released, closed=closed)
        await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def release_numbers(self, campaigns: Sequence[StoredCampaign]) -> None:
        """These campaigns do not need their numbers any more."""
        if campaigns:
            numbers = tuple(sorted({each.phone_number_id for each in campaigns}))
            command = ReleaseNumbers(phone_number_ids=numbers, holders=tuple(each.id for each in campaigns))
            await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def release_runs(self, released: Sequence[tuple[StoredCampaign, int]], *, closed: bool) -> None:
        """Free what the present runs of these campaigns will not use: so many credits each, so far."""
        items = tuple(
            RunRelease(user_id=each.user_id, campaign_id=each.id, run=each.run, released=credits, closed=closed)
            for each, credits in released
        )
        await self.bus.request(ReleaseRuns(items=items), timeout_seconds=self.timeout_seconds)

    async def hold_campaign(self, campaign_id: str, version: int, *, held: bool, cancelled: bool) -> None:
        """Keep a campaign's messages back, or let them go; once answered it is so. The highest version counts."""
        command = HoldCampaign(campaign_id=campaign_id, held=held, cancelled=cancelled, version=version)
        await self.bus.request(command, timeout_seconds=self.timeout_seconds)

    async def credits(self, user_id: str) -> Credits:
        """A user's credits."""
        return await self.bus.request(GetCredits(user_id=user_id), timeout_seconds=self.timeout_seconds)

    async def render(
        self, user_id: str, phone_number_id: str, to: str, content: TemplateByIdContent
    ) -> RenderedMessage:
        """The JSON that Meta would get for one recipient."""
        query = RenderMessage(user_id=user_id, phone_number_id=phone_number_id, to=to, content=content)
        return await self.bus.request(query, timeout_seconds=self.timeout_seconds)
