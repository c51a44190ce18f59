"""What people do to a template before Meta sees it, and to its variables at any time."""

from collections.abc import Callable
from dataclasses import dataclass

from services.templates.domain.drafts import drafted_template, edited_template, said_variables
from services.templates.domain.lint import warnings_of
from services.templates.domain.statuses import drafted
from services.templates.handlers.access import NumberLookup
from services.templates.handlers.announcements import Announcements
from services.templates.handlers.details import Details
from services.templates.repositories.drafts import CHANGEABLE, NAME_TAKEN, DraftRepository
from services.templates.repositories.templates import TemplateRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.template_drafts import (
    CreateTemplate,
    EditTemplate,
    SetTemplateVariables,
    TemplateDetails,
    TemplateDraft,
)
from shared.contracts.templates import Template
from shared.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True)
class DraftHandlers:
    """Every change is one conditional update, announced as all changes of templates are."""

    templates: TemplateRepository
    drafts: DraftRepository
    details: Details
    numbers: NumberLookup
    announcements: Announcements
    bus: Bus
    now: Clock
    new_id: Callable[[str], str]

    def register(self) -> None:
        """Tell the bus which message goes where."""
        self.bus.on(CreateTemplate, self.create_template)
        self.bus.on(EditTemplate, self.edit_template)
        self.bus.on(SetTemplateVariables, self.set_template_variables)

    async def create_template(self, command: CreateTemplate) -> TemplateDraft:
        """Store a draft. Idempotent by its id."""
        access, _ = await self.numbers.whatsapp_access(command.phone_number_id)
        if access.user_id != command.user_id:
            raise NotFoundError("Phone number not found")
        template = drafted_template(command, access, self.now, self.new_id)
        if not await self.templates.add_once(template, drafted()):
            stored = await self.templates.find(command.template_id)
            if stored is None:
                raise ConflictError(NAME_TAKEN, code="template_exists")
            template = stored
        return await self._told(template)

    async def edit_template(self, command: EditTemplate) -> TemplateDraft:
        """Change a draft or a rejected template. Idempotent: it sets values."""
        template = await self.templates.get(command.template_id)
        _require_changeable(template)
        edited = edited_template(template, command, self.new_id)
        if template.meta_template_id is not None and _identity(edited) != _identity(template):
            raise ConflictError("Name, language and kind of variables cannot be changed once Meta knows the template")
        saved = await self.drafts.save_draft(edited, self.now())
        if saved is None:
            raise ConflictError("The template is being submitted; try again when Meta has answered")
        return await self._told(saved)

    async def set_template_variables(self, command: SetTemplateVariables) -> TemplateDetails:
        """Say anew what the variables are. Idempotent: it sets values."""
        template = await self.templates.get(command.template_id)
        variables = said_variables(
            template.components,
            template.category,
            command.variables,
            new_id=self.new_id,
            known=template.variables,
        )
        saved = await self.drafts.save_variables(template.model_copy(update={"variables": variables}), self.now())
        if saved is None:
            raise ConflictError("The template has changed meanwhile; look at it and try again")
        await self.announcements.announce([saved.template_id])
        return await self.details.of(saved)

    async def _told(self, template: Template) -> TemplateDraft:
        await self.announcements.announce([template.template_id])
        return TemplateDraft(template=template, warnings=warnings_of(template))


def _require_changeable(template: Template) -> None:
    if template.status not in CHANGEABLE:
        raise ConflictError(
            f"Only a DRAFT or REJECTED template can be changed; this one is {template.status}", code="template_status"
        )


def _identity(template: Template) -> tuple[str, str, str]:
    return template.name, template.language, template.parameter_format
