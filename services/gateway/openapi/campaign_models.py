"""What campaigns answer, for their description; the routes write plain JSON."""

from typing import Any, Literal, get_args

from pydantic import Field

from services.gateway.openapi.dashboard_models import Enveloped
from services.gateway.openapi.shown import Shown, Time, left_out

Status = Literal["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "CANCELLED", "FAILED"]
State = Literal["pending", "sent", "delivered", "read", "failed", "skipped", "refused"]
STATUSES: tuple[str, ...] = get_args(Status)
RECIPIENT_STATES: tuple[str, ...] = get_args(State)


class Answered(Enveloped):
    """A success."""

    success: Literal[True]


class RecipientStats(Shown):
    """Where recipients are now; pending, sent, delivered, failed and skipped are all of them."""

    pending: int
    """Not sent yet, on their way, or tried again later."""
    sent: int
    """Accepted by Meta, nothing heard since."""
    delivered: int
    """Includes those who have read it."""
    read: int
    failed: int
    skipped: int = Field(default_factory=left_out)
    """Opted out, too late or cancelled; left out when there are none."""


class ErrorClassShown(Shown):
    """One reason for failures."""

    error_class: str
    """Stable name, for `retry-failed`."""
    code: int | None
    """Meta's."""
    count: int
    meaning: str
    remedy: str


class QuietHoursShown(Shown):
    """Hours in which nobody is written to."""

    start: str
    end: str


class CampaignShown(Shown):
    """A campaign; its `…_count`s are milestones that recipients have reached."""

    campaign_id: str
    name: str
    status: Status
    total_recipients: int
    sent_count: int
    """Accepted by Meta, whatever came after."""
    delivered_count: int
    read_count: int
    failed_count: int
    progress_percent: int
    """100 only when nobody is pending."""
    started_at: Time | None
    completed_at: Time | None
    recipient_stats: RecipientStats
    user_id: str
    phone_number_id: str
    template_id: str
    paused_reason: str | None
    """Why it was stopped, and what to do; null when a person paused it."""
    credits_reserved: int
    duplicates_removed: int
    error_classes: list[ErrorClassShown]
    rate_per_second: float
    """Over the last seconds."""
    estimated_completion_at: Time | None
    scheduled_at: Time | None
    local_time: bool
    quiet_hours: QuietHoursShown | None
    deadline: Time | None
    created_at: Time


class Pagination(Shown):
    """Where the page stands."""

    limit: int
    next_cursor: str | None
    """For the next page; null on the last."""


class RefusedRecipient(Shown):
    """A recipient that was not taken."""

    index: int = Field(default_factory=left_out)
    """Its place in `contacts`."""
    line: int = Field(default_factory=left_out)
    """Its line in the file."""
    phone: str
    code: str
    reason: str


class RefusedRecipients(Shown):
    """How many were not taken, and the first thousand of them."""

    count: int
    rows: list[RefusedRecipient]


class NewCampaign(Shown):
    """A campaign that was just made."""

    campaign_id: str
    name: str
    status: Status
    total_recipients: int
    contacts_created: int
    contacts_updated: int
    credits_reserved: int
    duplicates_removed: int
    skipped: int = Field(default_factory=left_out)
    """Recipients who have opted out; left out when there are none."""
    refused: RefusedRecipients = Field(default_factory=left_out)
    """Present with `skip_invalid`."""


class NewCampaignAnswer(Answered):
    """A new campaign."""

    data: NewCampaign


class CampaignAnswer(Answered):
    """One campaign."""

    data: CampaignShown


class CampaignPage(Shown):
    """One page."""

    campaigns: list[CampaignShown]
    pagination: Pagination


class CampaignsAnswer(Answered):
    """Campaigns."""

    data: CampaignPage


class RecipientShown(Shown):
    """One recipient, or a row that was refused."""

    recipient_id: str | None
    """Null for a refused row."""
    row: int
    """Its place in what was handed over: an index of `contacts`, or a line of a file."""
    phone: str
    state: State
    message_id: str | None
    """Ours, once it was handed over."""
    round: int
    """How often it was begun anew."""
    error_code: int | None
    error_class: str | None
    reason: str | None
    due_at: Time | None
    """When a recipient that Meta asked us to wait with is tried again."""
    updated_at: Time | None


class RecipientPage(Shown):
    """One page."""

    recipients: list[RecipientShown]
    pagination: Pagination


class RecipientsAnswer(Answered):
    """Recipients."""

    data: RecipientPage


class Upload(Shown):
    """What became of a file's rows."""

    campaign_id: str
    total_recipients: int
    """Of the campaign, by now."""
    rows: int
    accepted: int
    duplicates_removed: int
    skipped: int
    """Accepted, but opted out."""
    refused: RefusedRecipients


class UploadAnswer(Answered):
    """An upload."""

    data: Upload


class PreflightTemplate(Shown):
    """The template."""

    name: str
    language: str
    category: str


class PreflightNumber(Shown):
    """The phone number."""

    messages_per_second: int
    quality_rating: str | None


class Preview(Shown):
    """One recipient's message."""

    recipient_id: str | None
    phone: str
    payload: dict[str, Any] | None
    """The JSON that Meta would get; null when it cannot be made."""


class Preflight(Shown):
    """What would happen."""

    campaign: CampaignShown
    cost: int
    remaining_credits: int
    duplicates_removed: int
    skipped: int
    refused: RefusedRecipients
    template: PreflightTemplate
    phone_number: PreflightNumber
    estimated_seconds: float
    problems: list[str]
    """What stands against a start, in plain words."""
    preview: Preview | None


class PreflightAnswer(Answered):
    """A look before starting."""

    data: Preflight
