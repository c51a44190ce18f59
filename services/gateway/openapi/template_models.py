"""What the routes of templates and of taps on their buttons answer, for their document."""

from typing import Any, Literal

from services.gateway.openapi.dashboard_models import Answered
from services.gateway.openapi.shown import Shown, Time


class TemplateIdentity(Shown):
    """Which template it is."""

    template_id: str
    user_id: str
    phone_number_id: str
    """The number through which it was made or brought over; others of the account share it."""
    name: str
    category: str
    """`MARKETING`, `UTILITY` or `AUTHENTICATION`."""
    status: str
    """`DRAFT`, `PENDING`, `APPROVED`, `REJECTED`, `PAUSED`, … as Meta has it."""
    language: str


class DraftedTemplate(TemplateIdentity):
    """A template that was made or changed."""

    created_at: Time
    warnings: list[str]
    """What Meta will refuse, each as `code: member and reason`; empty when nothing is known against it."""


class TemplateShown(TemplateIdentity):
    """Everything about a template but its variables."""

    components: list[dict[str, Any]]
    """Meta's components as they are."""
    parameter_format: Literal["positional", "named"]
    meta_template_id: str | None
    quality_score: str | None
    """`GREEN`, `YELLOW`, `RED` or `UNKNOWN`, once Meta has told."""
    rejected_reason: str | None
    """Meta's word, e.g. `INVALID_FORMAT`."""
    status_reason: str | None
    """What Meta told people: why it was refused, rejected or paused."""
    correct_category: str | None
    """What Meta has announced to change the category to."""
    submitted_at: Time | None
    created_at: Time
    updated_at: Time


class VariableDetails(Shown):
    """One variable of a template."""

    variable_id: str
    variable_name: str
    position: int
    component_type: Literal["HEADER", "BODY", "BUTTON"]
    extraction_field: str | None
    default_value: str | None
    sample_value: str | None
    description: str | None
    is_required: bool
    placeholder: str | None


class AnalyticsShown(Shown):
    """What became of messages with a template."""

    total_sends: int
    delivered_count: int
    """Read messages are delivered ones, too."""
    read_count: int
    failed_count: int


class TemplateDetailsShown(Shown):
    """A template, its variables and its analytics."""

    template: TemplateShown
    variables: list[VariableDetails]
    analytics: AnalyticsShown


class SubmittedShown(Shown):
    """A template that Meta has taken."""

    template_id: str
    status: str
    meta_template_id: str
    submitted_at: Time


class ButtonShown(Shown):
    """A button and how often it was tapped."""

    button_id: str
    button_text: str
    type: str | None
    """Meta's; null for a button that the template no longer has. Meta reports taps on `QUICK_REPLY` only."""
    total_clicks: int
    unique_clicks: int
    """By how many customers."""


class TemplateClicksShown(Shown):
    """The buttons of a template."""

    template_id: str
    template_name: str
    buttons: list[ButtonShown]
    total_clicks: int


class ClickShown(Shown):
    """One tap."""

    click_id: str
    template_id: str | None
    """Null for a message that was made from no template."""
    button_id: str
    button_text: str
    customer_phone: str
    clicked_at: Time


class Page(Shown):
    """Where a page stands."""

    total: int
    limit: int
    offset: int


class TappedShown(Shown):
    """The latest tap on one button."""

    template_name: str | None
    button_text: str
    clicked_at: Time


class LeadActivityShown(Shown):
    """What one customer tapped."""

    customer_phone: str
    buttons_clicked: list[TappedShown]
    """Each button once, the latest first."""
    total_clicks: int
    """Every tap."""


class DraftedTemplateAnswer(Answered):
    """The draft, and what Meta will refuse in it."""

    data: DraftedTemplate


class TemplateDetailsAnswer(Answered):
    """200."""

    data: TemplateDetailsShown


class SubmittedAnswer(Answered):
    """200."""

    data: SubmittedShown


class TemplateClicksAnswer(Answered):
    """200."""

    data: TemplateClicksShown


class ClicksAnswer(Answered):
    """200, newest first."""

    data: list[ClickShown]
    pagination: Page


class LeadActivityAnswer(Answered):
    """200."""

    data: LeadActivityShown
