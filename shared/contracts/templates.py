"""What templates does, answers and announces."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime

from shared.contracts.base import Command, Contract, Event, Identifier, Item, Query, Reply

TemplateStatus = str  # Meta's, upper case (APPROVED, PENDING, …), and our own DRAFT
ParameterFormat = Literal["positional", "named"]


class TemplateVariable(Contract):
    """One variable of a template, as the dashboard API shows it."""

    variable_id: Identifier
    variable_name: str
    position: int
    component_type: Literal["HEADER", "BODY", "BUTTON"]
    extraction_field: str | None = None
    default_value: str | None = None
    sample_value: str | None = None
    description: str | None = None
    is_required: bool = False
    placeholder: str | None = None


class Template(Item):
    """A template: Meta's components as they are, and our variables beside them."""

    template_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier  # the number it was created or imported through
    waba_id: str
    name: str
    language: str
    category: str  # MARKETING, UTILITY or AUTHENTICATION
    status: TemplateStatus
    parameter_format: ParameterFormat = "positional"
    components: tuple[dict[str, Any], ...]
    variables: tuple[TemplateVariable, ...] = ()
    meta_template_id: str | None = None
    quality_score: str | None = None
    rejected_reason: str | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Templates(Reply):
    """Templates, newest first."""

    items: tuple[Template, ...]


class ListTemplates(Query[Templates]):
    """The templates of a phone number's WABA. `status` None means all. Raises NotFoundError for an unknown number."""

    message_type: ClassVar[str] = "templates.list_templates.v1"
    reply_type: ClassVar[type[Reply]] = Templates

    phone_number_id: Identifier
    status: TemplateStatus | None = "APPROVED"


class FindTemplates(Query[Templates]):
    """All approved languages of one name in a WABA; for messaging, when its own copy does not hold them."""

    message_type: ClassVar[str] = "templates.find_templates.v1"
    reply_type: ClassVar[type[Reply]] = Templates

    waba_id: str
    name: str


class SyncedTemplate(Item):
    """One template that a sync imported or changed."""

    template_id: Identifier
    name: str


class SyncError(Item):
    """One template that could not be taken over."""

    name: str
    language: str | None
    error: str


class SyncResult(Reply):
    """What a sync did."""

    imported: tuple[SyncedTemplate, ...]
    updated: tuple[SyncedTemplate, ...]
    errors: tuple[SyncError, ...]


class SyncTemplates(Command[SyncResult]):
    """Import the WABA's approved templates and refresh the known ones. Idempotent: it converges on what Meta holds.

    Raises NotFoundError (number unknown or another user's), InvalidInputError (not a WhatsApp number),
    UpstreamRejectedError or UpstreamUnavailableError.
    """

    message_type: ClassVar[str] = "templates.sync_templates.v1"
    reply_type: ClassVar[type[Reply]] = SyncResult

    user_id: Identifier
    phone_number_id: Identifier


class TemplatesChanged(Event):
    """Templates appeared or changed; each item is the whole present state, so the latest `updated_at` wins."""

    message_type: ClassVar[str] = "templates.templates_changed.v1"

    items: tuple[Template, ...]
