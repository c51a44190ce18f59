"""What the external send API answers, for its document; the routes themselves write plain JSON."""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.gateway.openapi.shown import FieldProblem, Shown, Time, left_out

HexId = Annotated[str, Field(pattern="^[0-9a-f]{24}$")]


class SentMessage(Shown):
    """A message that Meta accepted."""

    message_id: HexId
    """Our id of the message."""
    wa_message_id: str
    """WhatsApp's id of the message, given by Meta."""
    conversation_id: HexId
    """The thread with the recipient, made by the first message to them."""
    status: Literal["sent"]
    warnings: list[str] = Field(default_factory=left_out)
    """What was accepted with a remark, e.g. `ignored_field: media.colour`; left out when there is nothing."""


class QueuedMessage(Shown):
    """A message whose outcome is not known yet."""

    message_id: HexId
    """Our id of the message, which its webhooks carry."""
    wa_message_id: None
    """Not known yet."""
    conversation_id: HexId | None
    """The thread with the recipient; null when it is not known yet."""
    status: Literal["queued"]
    warnings: list[str] = Field(default_factory=left_out)
    """What was accepted with a remark; left out when there is nothing."""


class FailedMessage(Shown):
    """A message that was not sent."""

    message_id: HexId
    """Our id of the message."""
    conversation_id: HexId | None
    """The thread with the recipient."""
    status: Literal["failed"]
    warnings: list[str] = Field(default_factory=left_out)
    """`outcome_unknown` is among them when Meta never said whether it sent the message."""


class Rendering(Shown):
    """What a dry run shows."""

    dry_run: Literal[True]
    payload: dict[str, Any]
    """The JSON that would be posted to Meta, but for the member by which its status webhooks are recognised."""
    warnings: list[str] = Field(default_factory=left_out)
    """What would be accepted with a remark; left out when there is nothing."""


class TemplateHeaderShown(Shown):
    """A template's header."""

    format: str
    """TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION."""
    text: str | None
    """The text, with its variable."""
    variable_count: Annotated[int, Field(ge=0)]
    """How many values are needed."""
    example: Any
    """Meta's sample values."""


class TemplateBodyShown(Shown):
    """A template's body."""

    text: str | None
    """The text, with its variables; null where Meta does not tell it, as for one-time codes."""
    variable_count: Annotated[int, Field(ge=0)]
    """How many values are needed."""
    example: Any
    """Meta's sample values."""


class TemplateFooterShown(Shown):
    """A template's footer."""

    text: str


class TemplateButtonShown(Shown):
    """A template's button."""

    index: Annotated[int, Field(ge=0)]
    """The index by which a message addresses it."""
    type: str
    """QUICK_REPLY, URL, COPY_CODE, PHONE_NUMBER, …"""
    text: str | None
    """The label."""
    url: str | None
    """The base URL, with the variable of its suffix."""
    phone_number: str | None
    """What it calls."""
    variable_count: Annotated[int, Field(ge=0)]
    """How many values are needed."""
    example: Any
    """Meta's sample values."""


class TemplateShown(Shown):
    """One language of a template; all members are always there."""

    template_name: str
    language: str
    category: str
    """`marketing`, `utility` or `authentication`."""
    meta_status: str
    """`APPROVED`, `PENDING`, `REJECTED`, …"""
    meta_template_id: str | None
    """Meta's id of it."""
    quality_score: str | None
    """`GREEN`, `YELLOW`, `RED` or `UNKNOWN`."""
    parameter_format: Literal["positional", "named"]
    """Whether `body.variables` is an array or an object."""
    header: TemplateHeaderShown | None
    body: TemplateBodyShown | None
    footer: TemplateFooterShown | None
    buttons: list[TemplateButtonShown]
    raw_components: list[dict[str, Any]]
    """Meta's components as they are."""


class Pagination(Shown):
    """Which page this is."""

    page: Annotated[int, Field(ge=1)]
    limit: Annotated[int, Field(ge=1, le=200)]
    total: Annotated[int, Field(ge=0)]
    """Templates on all pages."""
    totalPages: Annotated[int, Field(ge=0)]  # noqa: N815 - the API document's own spelling


class TemplatePage(Shown):
    """A page of templates."""

    templates: list[TemplateShown]
    pagination: Pagination


class SentAnswer(Shown):
    """200."""

    success: Literal[True]
    data: SentMessage
    message: str


class DryRunAnswer(Shown):
    """200 with `dry_run=true`."""

    success: Literal[True]
    data: Rendering
    message: str


class QueuedAnswer(Shown):
    """202."""

    success: Literal[True]
    data: QueuedMessage
    message: str


class TemplatesAnswer(Shown):
    """200."""

    success: Literal[True]
    data: TemplatePage
    message: str


class Refusal(Shown):
    """What every error answer has beside `error`."""

    success: Literal[False]
    code: str
    """Stable name of the error, in snake case."""
    details: list[FieldProblem] = Field(default_factory=left_out)
    """All fields that are wrong; left out when the error is not about fields."""
    timestamp: Time
    correlationId: str  # noqa: N815 - the API document's own spelling
    """The request's id in our logs."""


class ErrorAnswer(Refusal):
    """An error; `error` explains."""

    error: str


class UpstreamError(Shown):
    """Meta's refusal, in Meta's words; all members are always there."""

    message: str
    code: int | None
    subcode: int | None
    type: str | None
    details: str | None
    fbtrace_id: str | None


class UpstreamErrorAnswer(Refusal):
    """502: `error` is an object."""

    error: UpstreamError
    data: FailedMessage = Field(default_factory=left_out)
    """The stored message; left out when there is none."""
