"""The life of a template in our hands: drafted, changed, submitted, deleted, and looked at with what became of it."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime

from shared.contracts.base import Command, Contract, Done, Identifier, Query, Reply
from shared.contracts.templates import ParameterFormat, Template


class VariableInput(Contract):
    """What somebody says of a variable. In a template with named variables the name alone says which one is meant."""

    variable_name: str
    position: int | None = None  # in header and body from 1; of a button its index in the template, from 0
    component_type: Literal["HEADER", "BODY", "BUTTON"] = "BODY"
    extraction_field: str | None = None  # name, email, company, phone or attributes.<key> of the contact
    default_value: str | None = None
    sample_value: str | None = None
    description: str | None = None
    is_required: bool = False
    placeholder: str | None = None


class TemplateDraft(Reply):
    """A template that was drafted or changed; `warnings` say what Meta will refuse, each as `code: explanation`."""

    template: Template
    warnings: tuple[str, ...] = ()


class CreateTemplate(Command[TemplateDraft]):
    """Draft a template for a phone number's WABA. Idempotent by `template_id`.

    Raises NotFoundError (number unknown or another user's), InvalidInputError (not a WhatsApp number; a variable
    without a place in the components) and ConflictError when the account has this name in this language.
    """

    message_type: ClassVar[str] = "templates.create_template.v1"
    reply_type: ClassVar[type[Reply]] = TemplateDraft

    template_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    name: str
    category: str
    language: str
    parameter_format: ParameterFormat | None = None  # None: as the placeholders look
    components: tuple[dict[str, Any], ...]
    variables: tuple[VariableInput, ...] = ()


class EditTemplate(Command[TemplateDraft]):
    """Change a template that is a DRAFT or was REJECTED; None leaves a part as it is. Idempotent: it sets values.

    Name and language can be changed until Meta knows the template. Variables that are not given keep what was said of
    them. Raises NotFoundError, InvalidInputError, and ConflictError in any other state or for a name that is taken.
    """

    message_type: ClassVar[str] = "templates.edit_template.v1"
    reply_type: ClassVar[type[Reply]] = TemplateDraft

    template_id: Identifier
    name: str | None = None
    category: str | None = None
    language: str | None = None
    components: tuple[dict[str, Any], ...] | None = None
    variables: tuple[VariableInput, ...] | None = None


class SubmittedTemplate(Reply):
    """What Meta answered to a submission."""

    template_id: Identifier
    status: str
    meta_template_id: str
    submitted_at: AwareDatetime


class SubmitTemplate(Command[SubmittedTemplate]):
    """Hand a DRAFT, or what was REJECTED, to Meta for approval.

    Claimed by a conditional update; one whose answer was lost is looked up at Meta before it is handed over again.
    Raises NotFoundError, ConflictError (another state, or it is being submitted), InvalidInputError (a header's sample
    cannot be fetched), UpstreamRejectedError with Meta's words, which stay with the template, or
    UpstreamUnavailableError.
    """

    message_type: ClassVar[str] = "templates.submit_template.v1"
    reply_type: ClassVar[type[Reply]] = SubmittedTemplate

    template_id: Identifier


class DeleteTemplate(Command[Done]):
    """Delete one language of a template at Meta and here, where it stays for what was sent with it.

    Raises NotFoundError (also when it was deleted before), ConflictError when a campaign needs it,
    ServiceUnavailableError when campaigns cannot say, UpstreamRejectedError, UpstreamUnavailableError.
    """

    message_type: ClassVar[str] = "templates.delete_template.v1"
    reply_type: ClassVar[type[Reply]] = Done

    template_id: Identifier


class TemplateAnalytics(Contract):
    """What became of messages with a template. A read message was delivered; every message here was a send."""

    total_sends: int = 0
    delivered_count: int = 0
    read_count: int = 0
    failed_count: int = 0


class TemplateDetails(Reply):
    """A template and what became of its messages."""

    template: Template
    analytics: TemplateAnalytics
    submitted_at: AwareDatetime | None = None


class GetTemplate(Query[TemplateDetails]):
    """One template that is not deleted. Raises NotFoundError."""

    message_type: ClassVar[str] = "templates.get_template.v1"
    reply_type: ClassVar[type[Reply]] = TemplateDetails

    template_id: Identifier


class SetTemplateVariables(Command[TemplateDetails]):
    """Say anew what the variables of a template are, whatever its status; unnamed ones lose what was said of them.

    Idempotent: it sets values. Raises NotFoundError, InvalidInputError for a variable that the template does not have.
    """

    message_type: ClassVar[str] = "templates.set_template_variables.v1"
    reply_type: ClassVar[type[Reply]] = TemplateDetails

    template_id: Identifier
    variables: tuple[VariableInput, ...]
