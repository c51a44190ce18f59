"""What campaigns announces; its commands and queries stand beside."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Event, Identifier, Item

CampaignStatus = Literal["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "CANCELLED", "FAILED"]


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
