"""What templates does, answers and announces."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

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
    rejected_reason: str | None = None  # Meta's word, e.g. INVALID_FORMAT
    status_reason: str | None = None  # what Meta told people about it: why it was refused, rejected or paused
    correct_category: str | None = None  # what Meta has announced to change the category to
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Templates(Reply):
    """Templates, newest first. Without items when `version` is the one that whoever asked has said to know."""

    items: tuple[Template, ...]
    version: str | None = None  # of a list: while it is the same, the list is


class ListTemplates(Query[Templates]):
    """The templates of a phone number's WABA. `status` None means all. Raises NotFoundError for an unknown number.

    `known_version` is that of an earlier answer to the same question, which the caller still has.
    """

    message_type: ClassVar[str] = "templates.list_templates.v1"
    reply_type: ClassVar[type[Reply]] = Templates

    phone_number_id: Identifier
    status: TemplateStatus | None = "APPROVED"
    known_version: str | None = None


class FindTemplates(Query[Templates]):
    """All approved languages of one name in a WABA; for messaging, when its own copy does not hold them."""

    message_type: ClassVar[str] = "templates.find_templates.v1"
    reply_type: ClassVar[type[Reply]] = Templates

    waba_id: str
    name: str


class TemplateHeader(Contract):
    """A template's header, read from its components. `example` is Meta's, as it is."""

    format: str  # TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, …
    text: str | None
    variable_count: int
    example: Any = None


class TemplateBody(Contract):
    """A template's body; `text` is None where it is Meta's own, of a code, and Meta does not tell it."""

    text: str | None
    variable_count: int
    example: Any = None


class TemplateButton(Contract):
    """A button; `index` is the one by which a message addresses it."""

    index: int
    type: str  # QUICK_REPLY, URL, COPY_CODE, PHONE_NUMBER, …
    text: str | None
    url: str | None
    phone_number: str | None
    variable_count: int
    example: Any = None


class DiscoveredTemplate(Item):
    """A template as somebody who wants to send it needs to see it."""

    name: str
    language: str
    category: str
    status: TemplateStatus
    parameter_format: ParameterFormat
    meta_template_id: str | None
    quality_score: str | None
    header: TemplateHeader | None
    body: TemplateBody | None
    footer: str | None
    buttons: tuple[TemplateButton, ...]
    components: tuple[dict[str, Any], ...]


class DiscoveredTemplates(Reply):
    """One page, newest first, and how many there are on all pages."""

    items: tuple[DiscoveredTemplate, ...]
    total: int


class DiscoverTemplates(Query[DiscoveredTemplates]):
    """What may be sent from a phone number. `status` None means all that exist at Meta or here as drafts.

    `search` is a part of the name in either case, `name` the whole of it. Raises NotFoundError for a number that is
    unknown or another user's and for a `name` that finds nothing (with names like it), InvalidInputError for a number
    that is not WhatsApp's.
    """

    message_type: ClassVar[str] = "templates.discover_templates.v1"
    reply_type: ClassVar[type[Reply]] = DiscoveredTemplates

    user_id: Identifier
    phone_number_id: Identifier
    status: TemplateStatus | None = "APPROVED"
    language: str | None = None
    search: str | None = None
    name: str | None = None
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=200)


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
