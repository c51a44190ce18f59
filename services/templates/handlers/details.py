"""One template with everything that is known of it."""

from asyncio import gather
from dataclasses import dataclass

from services.templates.repositories.counters import CounterRepository
from services.templates.repositories.drafts import DraftRepository
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.contracts.template_drafts import GetTemplate, TemplateDetails
from shared.contracts.templates import Template


@dataclass(frozen=True, slots=True)
class Details:
    """Only reads."""

    templates: TemplateRepository
    drafts: DraftRepository
    counters: CounterRepository
    bus: Bus

    def register(self) -> None:
        """Answer questions for one template."""
        self.bus.on(GetTemplate, self.get_template)

    async def get_template(self, query: GetTemplate) -> TemplateDetails:
        """The template, its variables and what became of its messages."""
        (template, submitted_at), analytics = await gather(
            self.templates.get_with_submission(query.template_id), self.counters.get(query.template_id)
        )
        return TemplateDetails(template=template, analytics=analytics, submitted_at=submitted_at)

    async def of(self, template: Template) -> TemplateDetails:
        """As above, for a template that is at hand."""
        return TemplateDetails(
            template=template,
            analytics=await self.counters.get(template.template_id),
            submitted_at=await self.drafts.find_submitted_at(template.template_id),
        )
