"""Who tapped which button."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass

from services.templates.domain.buttons import buttons_of, tapped
from services.templates.repositories.clicks import ButtonTotal, ClickRepository
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus, Received
from shared.contracts.button_clicks import (
    ButtonClicks,
    ButtonCount,
    ClickedOnce,
    GetLeadButtonActivity,
    GetTemplateButtonClicks,
    LeadButtonActivity,
    ListButtonClicks,
    TemplateButtonClicks,
)
from shared.contracts.conversations import ButtonsClicked
from shared.contracts.templates import Template
from shared.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class ClickHandlers:
    """Keeps taps, and answers what they come to. Idempotent by each tap's id."""

    templates: TemplateRepository
    clicks: ClickRepository
    bus: Bus

    def register(self) -> None:
        """Tell the bus which message goes where."""
        self.bus.on_group(ButtonsClicked, self.on_buttons_clicked)
        self.bus.on(GetTemplateButtonClicks, self.get_template_button_clicks)
        self.bus.on(ListButtonClicks, self.list_button_clicks)
        self.bus.on(GetLeadButtonActivity, self.get_lead_button_activity)

    async def on_buttons_clicked(self, group: Sequence[Received[ButtonsClicked]]) -> None:
        """Store each tap once, under the id of its button."""
        items = [item for received in group for item in received.message.items]
        templates = await self._named({item.template_id for item in items if item.template_id is not None})
        await self.clicks.add_once([(item, *tapped(item, templates.get(item.template_id or ""))) for item in items])

    async def get_template_button_clicks(self, query: GetTemplateButtonClicks) -> TemplateButtonClicks:
        """Every button with its count, also those that nobody tapped."""
        template, totals = await gather(
            self.templates.find(query.template_id), self.clicks.totals_of(query.template_id)
        )
        if template is None:
            raise NotFoundError("Template not found")
        return TemplateButtonClicks(
            template_id=template.template_id,
            template_name=template.name,
            buttons=_counts(template, totals),
            total_clicks=sum(total.total for total in totals),
        )

    async def list_button_clicks(self, query: ListButtonClicks) -> ButtonClicks:
        """One page of a user's taps."""
        page, total = await gather(
            self.clicks.list_of(query.user_id, query.template_id, offset=query.offset, limit=query.limit),
            self.clicks.count_of(query.user_id, query.template_id),
        )
        return ButtonClicks(items=tuple(page), total=total)

    async def get_lead_button_activity(self, query: GetLeadButtonActivity) -> LeadButtonActivity:
        """What one customer tapped, each button once."""
        latest, total = await self.clicks.latest_of(query.user_id, query.customer_phone)
        templates = await self._named({click.template_id for click in latest if click.template_id is not None})
        names = {template_id: template.name for template_id, template in templates.items()}
        return LeadButtonActivity(
            buttons_clicked=tuple(
                ClickedOnce(
                    template_name=names.get(click.template_id or ""),
                    button_text=click.button_text,
                    clicked_at=click.clicked_at,
                )
                for click in latest
            ),
            total_clicks=total,
        )

    async def _named(self, template_ids: set[str]) -> dict[str, Template]:
        return {template.template_id: template for template in await self.templates.list_by_ids(sorted(template_ids))}


def _counts(template: Template, totals: Sequence[ButtonTotal]) -> tuple[ButtonCount, ...]:
    counted = {total.button_id: total for total in totals}
    counts = []
    for button in buttons_of(template):
        total = counted.pop(button.button_id, ButtonTotal(button.button_id, button.text, 0, 0))
        counts.append(_count(total, button.text, button.type))
    return (*counts, *(_count(total, total.button_text, None) for total in counted.values()))


def _count(total: ButtonTotal, text: str, kind: str | None) -> ButtonCount:
    return ButtonCount(
        button_id=total.button_id,
        button_text=text,
        type=kind,
        total_clicks=total.total,
        unique_clicks=total.unique,
    )
