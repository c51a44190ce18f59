"""What campaigns does, answers and announces."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Command, Contract, Done, Event, HexId, Identifier, Item, Query, Reply
from shared.contracts.contacts import RecipientRow

CampaignStatus = Literal["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "CANCELLED", "FAILED"]
RecipientState = Literal["pending", "sent", "delivered", "read", "failed", "skipped", "refused"]


class CampaignChange(Item):
    """One change of a campaign's state. `id` is `campaign.<started|paused|completed|failed|cancelled>:<id>:<n>`."""

    id: str
    campaign_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    template_id: Identifier
    name: str
    status: CampaignStatus
    reason: str | None = None  # why it was paused or failed, in plain words
    counters: dict[str, Any] = Field(default_factory=dict)
    at: AwareDatetime


class CampaignsChanged(Event):
    """Campaigns started, paused, ended."""

    message_type: ClassVar[str] = "campaigns.campaigns_changed.v1"

    items: tuple[CampaignChange, ...]


Action = Literal["start", "pause", "resume", "cancel"]


class QuietHours(Contract):
    """Local hours in which nobody is written to; `start` later than `end` spans midnight. Both `HH:MM`."""

    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class Counters(Contract):
    """What became of a campaign's recipients, counted from their rows at one instant.

    pending + waiting + delivered + failed + skipped = total; reached = waiting + delivered + failed after acceptance.
    """

    total: int = 0
    pending: int = 0  # not sent yet, on its way, or parked
    waiting: int = 0  # accepted by Meta, nothing heard since
    delivered: int = 0  # includes read
    read: int = 0
    failed: int = 0
    skipped: int = 0
    reached: int = 0  # ever accepted by Meta


class ErrorClass(Contract):
    """How many recipients failed for one reason, what it means and what to do."""

    error_class: str  # stable, snake case
    code: int | None  # Meta's, where there is one
    count: int
    meaning: str
    remedy: str


class Campaign(Reply):
    """A campaign with its counters."""

    campaign_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    template_id: Identifier
    name: str
    status: CampaignStatus
    paused_reason: str | None = None
    counters: Counters
    contacts_created: int = 0
    contacts_updated: int = 0
    duplicates_removed: int = 0
    credits_reserved: int = 0
    error_classes: tuple[ErrorClass, ...] = ()
    rate_per_second: float = 0.0
    estimated_completion_at: AwareDatetime | None = None
    scheduled_at: AwareDatetime | None = None
    local_time: bool = False
    quiet_hours: QuietHours | None = None
    deadline: AwareDatetime | None = None
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None


class Campaigns(Reply):
    """One page of a user's campaigns, newest first; their counters may be some seconds old."""

    items: tuple[Campaign, ...]
    next_cursor: str | None = None


class CreateCampaign(Command[Done]):
    """Open a campaign that nobody sees until FinishCreation; it is undone an hour later. Idempotent by id.

    Raises NotFoundError and InvalidInputError as PrepareRecipients does.
    """

    message_type: ClassVar[str] = "campaigns.create_campaign.v1"
    reply_type: ClassVar[type[Reply]] = Done

    campaign_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    template_id: Identifier
    name: str
    scheduled_at: AwareDatetime | None = None
    local_time: bool = False
    quiet_hours: QuietHours | None = None
    deadline: AwareDatetime | None = None


class RefusedRow(Contract):
    """A recipient that was not taken, and why."""

    row: int
    phone: str
    code: str
    reason: str


class StagedRecipients(Reply):
    """What became of one chunk."""

    accepted: int
    duplicates: int
    opted_out: int
    refused: tuple[RefusedRow, ...] = ()


class StageRecipients(Command[StagedRecipients]):
    """Check and keep up to 1,000 recipients of an upload. Idempotent by campaign, upload and row.

    Raises ConflictError when the upload is not (or no longer) the campaign's open one.
    """

    message_type: ClassVar[str] = "campaigns.stage_recipients.v1"
    reply_type: ClassVar[type[Reply]] = StagedRecipients

    campaign_id: Identifier
    upload_id: Identifier
    rows: tuple[RecipientRow, ...] = Field(max_length=1000)
    unreadable: tuple[RefusedRow, ...] = ()  # rows that whoever read the file could not make sense of


class FinishCreation(Command[Campaign]):
    """Make a staged campaign real: contacts, credits and hold if it is to start, then its first status.

    Idempotent: a finished one is told as it is. Raises InsufficientCreditsError, after which there is no campaign.
    """

    message_type: ClassVar[str] = "campaigns.finish_creation.v1"
    reply_type: ClassVar[type[Reply]] = Campaign

    campaign_id: Identifier
    auto_start: bool = False
    duplicates: int = 0  # recipients that stood there twice


class BeginUpload(Command[Done]):
    """Open an upload of a DRAFT; one at a time. Idempotent by upload id.

    Raises NotFoundError, ConflictError.
    """

    message_type: ClassVar[str] = "campaigns.begin_upload.v1"
    reply_type: ClassVar[type[Reply]] = Done

    campaign_id: Identifier
    upload_id: Identifier


class FinishUpload(Command[Campaign]):
    """Add an upload's recipients to its campaign: all of them, in one update. Idempotent by upload id."""

    message_type: ClassVar[str] = "campaigns.finish_upload.v1"
    reply_type: ClassVar[type[Reply]] = Campaign

    campaign_id: Identifier
    upload_id: Identifier
    duplicates: int = 0


class AbortUpload(Command[Done]):
    """Undo an upload that was not finished; of a campaign that is being created, the campaign. Idempotent."""

    message_type: ClassVar[str] = "campaigns.abort_upload.v1"
    reply_type: ClassVar[type[Reply]] = Done

    campaign_id: Identifier
    upload_id: Identifier


class ControlCampaign(Command[Campaign]):
    """Start, pause, resume or cancel. The action just done is no error.

    After the answer to pause and cancel no intent of the campaign is stored. Raises NotFoundError, ConflictError,
    InsufficientCreditsError.
    """

    message_type: ClassVar[str] = "campaigns.control_campaign.v1"
    reply_type: ClassVar[type[Reply]] = Campaign

    campaign_id: Identifier
    action: Action
    action_id: Identifier | None = None  # known again when it comes late, so that it does not undo a later action


class RetryFailed(Command[Campaign]):
    """Send again to those that definitely failed, in a round of their own. Raises as ControlCampaign does."""

    message_type: ClassVar[str] = "campaigns.retry_failed.v1"
    reply_type: ClassVar[type[Reply]] = Campaign

    campaign_id: Identifier
    action_id: Identifier | None = None
    error_classes: tuple[str, ...] = ()  # none: all
    include_unknown: bool = False  # also those of which only Meta knows


class GetCampaign(Query[Campaign]):
    """One campaign. Raises NotFoundError."""

    message_type: ClassVar[str] = "campaigns.get_campaign.v1"
    reply_type: ClassVar[type[Reply]] = Campaign

    campaign_id: Identifier


class ListCampaigns(Query[Campaigns]):
    """A user's campaigns; an unknown user has none."""

    message_type: ClassVar[str] = "campaigns.list_campaigns.v1"
    reply_type: ClassVar[type[Reply]] = Campaigns

    user_id: Identifier
    status: CampaignStatus | None = None
    limit: int = 50
    cursor: str | None = None


class Recipient(Contract):
    """One recipient, or a row that was refused (`state` refused: no id, the phone as it was given)."""

    recipient_id: Identifier | None
    row: int
    phone: str
    state: str
    message_id: HexId | None = None
    round: int = 0
    error_code: int | None = None
    error_class: str | None = None
    reason: str | None = None
    due_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None


class Recipients(Reply):
    """One page of recipients, in the order in which they are sent."""

    items: tuple[Recipient, ...]
    next_cursor: str | None = None


class ListRecipients(Query[Recipients]):
    """A campaign's recipients; `state` as the counters name it. Raises NotFoundError, InvalidInputError."""

    message_type: ClassVar[str] = "campaigns.list_recipients.v1"
    reply_type: ClassVar[type[Reply]] = Recipients

    campaign_id: Identifier
    state: RecipientState | None = None
    limit: int = Field(default=50, le=1000)
    cursor: str | None = None


class Preflight(Reply):
    """What would happen if the campaign started now."""

    campaign: Campaign
    cost: int  # credits
    remaining_credits: int
    refused: int
    refused_examples: tuple[RefusedRow, ...] = ()
    template_name: str
    template_language: str
    template_category: str
    messages_per_second: int
    quality_rating: str | None
    estimated_seconds: float
    problems: tuple[str, ...] = ()  # what stands against a start, in plain words
    preview_recipient: Recipient | None = None
    preview_payload: dict[str, Any] | None = None  # the JSON that Meta would get


class GetPreflight(Query[Preflight]):
    """Look before starting; `recipient` (an id or a phone) chooses the preview. Raises NotFoundError."""

    message_type: ClassVar[str] = "campaigns.get_preflight.v1"
    reply_type: ClassVar[type[Reply]] = Preflight

    campaign_id: Identifier
    recipient: str | None = None


class TemplateUse(Reply):
    """Which campaigns of a template are not over; some of them."""

    in_use: bool
    campaign_ids: tuple[Identifier, ...] = ()


class TemplateInUse(Query[TemplateUse]):
    """Whether a campaign that is not over (DRAFT, SCHEDULED, RUNNING, PAUSED) uses a template."""

    message_type: ClassVar[str] = "campaigns.template_in_use.v1"
    reply_type: ClassVar[type[Reply]] = TemplateUse

    template_id: Identifier
