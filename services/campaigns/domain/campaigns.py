"""A campaign as its document tells it, and when somebody has to look at it next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from services.campaigns.domain.schedule import EARLIEST_ZONE, Calendar
from services.campaigns.domain.states import (
    DRAFT,
    OVER,
    PAUSED,
    RUNNING,
    SCHEDULED,
    Status,
)
from shared.contracts.campaigns import CampaignChange

CREATION_LASTS: Final = timedelta(hours=1)
UPLOAD_LEASE: Final = timedelta(minutes=2)  # renewed by every chunk
RUNNING_LOOK: Final = timedelta(seconds=5)
PAUSED_LOOK: Final = timedelta(minutes=1)
PARKED_AT_MOST: Final = timedelta(hours=48)
_ACTIONS_KEPT: Final = 20
NO_DEADLINE: Final = timedelta(days=7)  # how long messaging may keep a message of a campaign without deadline


@dataclass(frozen=True, slots=True)
class Upload:
    """The open upload of a campaign: at most one. Its rows do not count yet."""

    upload_id: str
    base: int  # added to a row's number, so that later uploads are sent later
    until: datetime


@dataclass(frozen=True, slots=True)
class TemplateSummary:
    """What of the template does not change."""

    name: str
    language: str
    category: str


@dataclass(frozen=True, slots=True)
class Sample:
    """How many recipients were done at a moment, to tell the present rate."""

    at: datetime
    done: int


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """Everything but the recipients."""

    id: str
    user_id: str
    phone_number_id: str
    template_id: str
    name: str
    status: Status
    template: TemplateSummary
    calendar: Calendar
    created_at: datetime
    changes: int = 0
    scheduled_at: datetime | None = None
    deadline: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    paused_code: str | None = None
    paused_reason: str | None = None
    upload: Upload | None = None
    uploads: int = 0
    last_upload: str | None = None
    zones: tuple[str, ...] = ()
    messages_per_second: int = 80
    contacts_created: int = 0
    contacts_updated: int = 0
    duplicates_removed: int = 0
    credits_reserved: int = 0  # by the present run
    run: int = 0
    released: int = 0  # credits of the present run given back
    closed: bool = True  # whether the run's credits are settled
    starting_at: datetime | None = None  # a start or retry under way, which somebody has to finish if its process died
    retry: Mapping[str, Any] | None = None  # what that retry asked for
    hold_due: bool = False  # messaging has not heard of the status yet
    number_held: bool = False
    contacts_told: int = -1  # the place up to which messaging has heard of names; -1: nothing yet
    contacts_due: bool = False  # uploaded names that messaging has not heard of yet
    unheard: tuple[CampaignChange, ...] = field(default=())  # changes that were not announced yet
    samples: tuple[Sample, ...] = ()
    actions: tuple[str, ...] = ()  # the latest that people have taken

    def has_seen(self, action_id: str | None) -> bool:
        """Whether an action was carried out before."""
        return action_id is not None and action_id in self.actions

    def noting(self, action_id: str | None) -> dict[str, Any]:
        """What a step sets to be known as that action's: written with the step, so that no crash parts them."""
        return {"actions": [*self.actions, action_id][-_ACTIONS_KEPT:]} if action_id is not None else {}

    @property
    def parked_until(self) -> datetime:
        """How long a parked recipient may wait."""
        return self.deadline or (self.started_at or self.created_at) + PARKED_AT_MOST

    def starts_at(self) -> datetime | None:
        """When a scheduled campaign begins to run: at local time in the zone that is ahead of all others."""
        if self.scheduled_at is None:
            return None
        return self.scheduled_at - EARLIEST_ZONE if self.calendar.wall_time is not None else self.scheduled_at


def first_status(campaign: StoredCampaign, now: datetime) -> Status:
    """What a campaign that starts now becomes."""
    starts_at = campaign.starts_at()
    return SCHEDULED if starts_at is not None and starts_at > now else RUNNING


def next_look(campaign: StoredCampaign, now: datetime) -> datetime | None:
    """When the sweeper has to look at a campaign that has just been tended; None: nothing is left to do."""
    soon = now + RUNNING_LOOK
    if campaign.unheard or campaign.hold_due or campaign.starting_at or campaign.contacts_due:
        return soon
    if campaign.upload is not None:
        return campaign.upload.until
    if campaign.status in OVER:
        return _look_after_end(campaign, soon)
    by_status = {DRAFT: None, SCHEDULED: campaign.starts_at(), RUNNING: soon, PAUSED: now + PAUSED_LOOK}
    return by_status.get(campaign.status)


def _look_after_end(campaign: StoredCampaign, soon: datetime) -> datetime | None:
    return soon if campaign.number_held or not campaign.closed else None
