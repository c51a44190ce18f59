"""What time or a crash has left to do for campaigns: each has a moment at which somebody must look at it.

A campaign is claimed for half a minute, so that replicas do not do the same at once; doing it twice would be harmless.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.campaigns.counting import Counting
from services.campaigns.dispatcher import Dispatcher
from services.campaigns.domain.campaigns import CREATION_LASTS, PARKED_AT_MOST, StoredCampaign, next_look
from services.campaigns.domain.counters import done
from services.campaigns.domain.pacing import RELEASED_AGAIN_AFTER, next_release
from services.campaigns.domain.states import (
    ABANDONED,
    COMPLETED,
    CREATING,
    HANDED_OVER,
    HOLDING,
    OVER,
    RUNNING,
    SCHEDULED,
)
from services.campaigns.handlers.control import ControlHandlers
from services.campaigns.handlers.creation import CreationHandlers
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.outcomes import OutcomeRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.settling import Settling
from services.campaigns.telling import ContactTelling
from shared.clock import Clock
from shared.crashpoints import crash_point
from shared.errors import ConflictError, InsufficientCreditsError, InvalidInputError, NotFoundError, WaapiError

log = structlog.get_logger()

_ROUND = 200  # campaigns in one round
_OVERDUE_AT_ONCE = 500
_SKIPPED_AT_ONCE = 5_000
_STARTING_LASTS = timedelta(seconds=90)  # a caller waits sixty
_TIME_FOR_COUNTING = 40.0  # counting may take so small a part of the time


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Tends campaigns whose moment has come."""

    campaigns: CampaignRepository
    recipients: RecipientRepository
    outcomes: OutcomeRepository
    counting: Counting
    lifecycle: Lifecycle
    dispatcher: Dispatcher
    creation: CreationHandlers
    control: ControlHandlers
    contacts: ContactTelling
    settling: Settling
    neighbours: Neighbours
    now: Clock
    monotonic: Callable[[], float] = time.monotonic
    patience: timedelta = RELEASED_AGAIN_AFTER  # with a recipient without outcome

    async def sweep(self) -> None:
        """Everything that is due now."""
        for _ in range(_ROUND):
            campaign = await self.campaigns.claim_due()
            if campaign is None:
                return
            try:
                await self._tend(campaign)
            except WaapiError as error:  # a neighbour is away, or somebody changed it meanwhile: looked at again
                log.info("campaign_not_tended", campaign_id=campaign.id, error=error.message)
            crash_point("campaigns.swept")

    async def _tend(self, campaign: StoredCampaign) -> None:
        began = self.monotonic()
        await self.lifecycle.announce(campaign)
        if campaign.hold_due:
            await self.lifecycle.tell_hold(campaign.id)
        if campaign.contacts_due:
            await self.contacts.tell_uploaded(campaign)
        await self._finish_what_was_cut_short(campaign)
        if campaign.status == SCHEDULED and (campaign.starts_at() or self.now()) <= self.now():
            await self.lifecycle.run_scheduled(campaign)
        elif campaign.status == RUNNING:
            await self._keep_running(campaign)
        elif campaign.status in OVER and campaign.retry is None:
            await self._wind_up(campaign)
        await self._look_again(campaign, self.monotonic() - began)

    async def _look_again(self, tended: StoredCampaign, took_seconds: float) -> None:
        campaign = await self.campaigns.find(tended.id)
        if campaign is None:
            return
        at = next_look(campaign, self.now())
        if at is not None and campaign.status == RUNNING:
            at = max(at, self.now() + timedelta(seconds=took_seconds * _TIME_FOR_COUNTING))
        await self.campaigns.look_again(campaign, at)

    async def _finish_what_was_cut_short(self, campaign: StoredCampaign) -> None:
        """Creations, uploads and starts whose process died."""
        now = self.now()
        if campaign.status == CREATING:
            if campaign.created_at + CREATION_LASTS <= now:
                await self.creation.undo_upload(campaign)
        elif campaign.upload is not None and campaign.upload.until <= now:
            await self.creation.undo_upload(campaign)
        elif campaign.starting_at is not None and campaign.starting_at + _STARTING_LASTS <= now:
            try:
                await self.control.go_on_starting(campaign)
            except (InsufficientCreditsError, InvalidInputError, NotFoundError, ConflictError) as error:
                log.info("start_given_up", campaign_id=campaign.id, error=error.message)

    async def _keep_running(self, campaign: StoredCampaign) -> None:
        now = self.now()
        if campaign.deadline is not None and campaign.deadline <= now:
            while await self.recipients.skip_unsent(campaign.id, "deadline", _SKIPPED_AT_ONCE):
                pass
        await self.recipients.wake_parked(campaign.id)
        await self.recipients.let_held_be(campaign.id, now - PARKED_AT_MOST)
        await self._hand_over_again(campaign)
        counters = await self.counting.recent(campaign)
        await self.campaigns.add_sample(campaign.id, now, done(counters))
        await self.settling.release(campaign, counters)

    async def _hand_over_again(self, campaign: StoredCampaign) -> None:
        """Recipients without outcome for long: their batch was lost, or is known to messaging, which drops it then."""
        overdue = await self.recipients.list_overdue(campaign.id, _OVERDUE_AT_ONCE)
        for releases in {row.releases for row in overdue}:
            same = [row for row in overdue if row.releases == releases]
            due_at = next_release(self.now(), releases + 1, self.patience)
            await self.recipients.mark_released_again([row.id for row in same], due_at)
            await self.dispatcher.hand_over(campaign, same)
            log.info("batches_handed_over_again", campaign_id=campaign.id, recipients=len(same))

    async def _wind_up(self, campaign: StoredCampaign) -> None:
        """After the end: nobody left unsent, the number free, the credits settled."""
        if campaign.status in ABANDONED and await self.lifecycle.skip_rest(campaign):
            return
        if campaign.status == COMPLETED:
            await self.outcomes.fail_parked(campaign.id)  # parked while it came to its end
        if campaign.number_held and campaign.status not in HOLDING:
            await self.neighbours.release_number(campaign.phone_number_id, campaign.id)
            await self.campaigns.mark(campaign.id, {"number_held": False})
        await self._hand_over_again(campaign)  # an abandoned campaign's messages end at messaging
        if not campaign.closed and not await self.recipients.has(campaign.id, HANDED_OVER):
            await self.settling.close(campaign)
