"""Looking at campaigns. Changes nothing."""

from dataclasses import dataclass

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.domain.cursors import campaign_cursor, read_campaign_cursor, read_row_cursor
from services.campaigns.domain.pacing import campaign_rate
from services.campaigns.domain.recipients import Row, shown
from services.campaigns.domain.states import IN_USE, SHOWN_STATES
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.showing import Showing
from shared.bus.port import Bus
from shared.contracts.campaigns import (
    Campaign,
    Campaigns,
    GetCampaign,
    GetPreflight,
    ListCampaigns,
    ListRecipients,
    Preflight,
    Recipients,
    RefusedRow,
    TemplateInUse,
    TemplateUse,
)
from shared.contracts.content import TemplateByIdContent
from shared.contracts.messaging import PhoneNumber
from shared.contracts.templates import Template
from shared.errors import InvalidInputError, NotFoundError

_NAMED_AT_MOST = 10
_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class QueryHandlers:
    """What people and other services want to know."""

    bus: Bus
    campaigns: CampaignRepository
    recipients: RecipientRepository
    neighbours: Neighbours
    showing: Showing

    def register(self) -> None:
        """Take questions."""
        self.bus.on(GetCampaign, self.get_campaign)
        self.bus.on(ListCampaigns, self.list_campaigns)
        self.bus.on(ListRecipients, self.list_recipients)
        self.bus.on(GetPreflight, self.get_preflight)
        self.bus.on(TemplateInUse, self.template_in_use)

    async def get_campaign(self, query: GetCampaign) -> Campaign:
        """One campaign with its counters."""
        return await self.showing.campaign(await self.campaigns.get(query.campaign_id))

    async def list_campaigns(self, query: ListCampaigns) -> Campaigns:
        """A user's, newest first."""
        before = read_campaign_cursor(query.cursor) if query.cursor else None
        found = await self.campaigns.list_by_user(query.user_id, query.status, query.limit + 1, before)
        page = found[: query.limit]
        more = len(found) > query.limit
        items = await self.showing.campaigns(page)
        return Campaigns(
            items=tuple(items), next_cursor=campaign_cursor(page[-1].created_at, page[-1].id) if more else None
        )

    async def list_recipients(self, query: ListRecipients) -> Recipients:
        """Recipients in order of sending; those of an upload that is not finished are left out."""
        campaign = await self.campaigns.get(query.campaign_id)
        states = SHOWN_STATES[query.state] if query.state else None
        after = read_row_cursor(query.cursor) if query.cursor else -1
        below = campaign.upload.base if campaign.upload else None
        rows = await self.recipients.page(campaign.id, states, query.limit + 1, after=after, below=below)
        page = rows[: query.limit]
        cursor = str(page[-1].n) if len(rows) > query.limit else None
        return Recipients(items=tuple(map(shown, page)), next_cursor=cursor)

    async def get_preflight(self, query: GetPreflight) -> Preflight:
        """Cost, what is wrong, and what one recipient would get."""
        stored = await self.campaigns.get(query.campaign_id)
        campaign = await self.showing.campaign(stored)
        number = await self.neighbours.number(stored.phone_number_id)
        template = await self.neighbours.template(stored.template_id)
        credits = await self.neighbours.credits(stored.user_id)
        refused = await self.recipients.page(stored.id, ("refused",), _EXAMPLES, after=-1, below=None)
        row = await self.recipients.find(stored.id, query.recipient)
        if row is None and query.recipient is not None:
            raise NotFoundError("Recipient not found")
        payload, trouble = await self._preview(stored, row)
        cost = campaign.counters.pending if stored.status in {"DRAFT", "SCHEDULED"} else stored.credits_reserved
        problems = _problems(campaign, cost, credits.remaining_credits, template, number)
        return Preflight(
            campaign=campaign,
            cost=cost,
            remaining_credits=credits.remaining_credits,
            refused=await self.recipients.count_in(stored.id, "refused"),
            refused_examples=tuple(map(_refused, refused)),
            template_name=template.name,
            template_language=template.language,
            template_category=template.category,
            messages_per_second=number.messages_per_second,
            quality_rating=number.quality_rating,
            estimated_seconds=round(campaign.counters.pending / campaign_rate(number.messages_per_second), 1),
            problems=(*problems, *trouble),
            preview_recipient=shown(row) if row else None,
            preview_payload=payload,
        )

    async def template_in_use(self, query: TemplateInUse) -> TemplateUse:
        """Campaigns of a template that are not over."""
        found = await self.campaigns.list_by_template(query.template_id, IN_USE, _NAMED_AT_MOST)
        return TemplateUse(in_use=bool(found), campaign_ids=tuple(campaign.id for campaign in found))

    async def _preview(
        self, campaign: StoredCampaign, row: Row | None
    ) -> tuple[dict[str, object] | None, tuple[str, ...]]:
        """The JSON that Meta would get for a recipient, or why it cannot be made."""
        if row is None:
            return None, ()
        content = TemplateByIdContent(template_id=campaign.template_id, values=dict(row.values))
        try:
            rendered = await self.neighbours.render(campaign.user_id, campaign.phone_number_id, row.phone, content)
        except (InvalidInputError, NotFoundError) as error:
            return None, (f"The message to {row.phone} cannot be made: {error.message}",)
        return rendered.payload, ()


def _problems(campaign: Campaign, cost: int, credits: int, template: Template, number: PhoneNumber) -> list[str]:
    problems = []
    if campaign.counters.total == 0:
        problems.append("The campaign has no recipients.")
    if campaign.status == "DRAFT" and cost > credits:
        problems.append(f"It costs {cost} credits, and {credits} are left.")
    if template.status != "APPROVED":
        problems.append(f"The template is {template.status}.")
    if number.quality_rating == "RED":
        problems.append("Meta rates the quality of the phone number as low (RED).")
    return problems


def _refused(row: Row) -> RefusedRow:
    return RefusedRow(row=shown(row).row, phone=row.phone, code=row.failure_class or "", reason=row.reason or "")
