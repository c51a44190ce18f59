"""What time or a crash has left to do for campaigns: each has a moment at which somebody must look at it.

A campaign is claimed for half a minute, so that replicas do not do the same at once; doing it twice would be harmless.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from services.campaigns.counting import Counting
from services.campaigns.dispatcher import Dispatcher
from services.campaigns.domain.campaigns import CREATION_LASTS, PARKED_AT_MOST, Sample, StoredCampaign, next_look
from services.campaigns.domain.counters import done
from services.campaigns.domain.pacing import RELEASED_AGAIN_AFTER, next_release
from services.campaigns.domain.states import (
    ABANDONED,
    COMPLETED,
    CREATING,
    HANDED_OVER,
    OVER,
    RUNNING,
    SCHEDULED,
)
from services.campaigns.handlers.control import ControlHandlers
from services.campaigns.handlers.creation import CreationHandlers
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository, Look
from services.campaigns.repositories.handover import HandoverRepository
from services.campaigns.repositories.outcomes import OutcomeRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.running import RunningCampaigns
from services.campaigns.settling import Settling
from services.campaigns.telling import ContactTelling
from shared.clock import Clock
from shared.crashpoints import crash_point
from shared.errors import (
    ConflictError,
    InsufficientCreditsError,
    InvalidInputError,
    NotFoundError,
    ReplyTimeoutError,
    ServiceUnavailableError,
    WaapiError,
)
from shared.mongo import TRANSIENT_ERRORS

log = structlog.get_logger()

_TOGETHER = 100  # campaigns for which everything is asked and changed at once
_ROUNDS_AT_MOST = 20  # then the pause of the caller
_OVERDUE_AT_ONCE = 500
_SKIPPED_AT_ONCE = 5_000
_STARTING_LASTS = timedelta(seconds=90)  # a caller waits sixty
_TIME_FOR_COUNTING = 40.0  # counting may take so small a part of the time


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Tends campaigns whose moment has come."""

    campaigns: CampaignRepository
    rows: HandoverRepository
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
    running: RunningCampaigns
    now: Clock
    monotonic: Callable[[], float] = time.monotonic
    patience: timedelta = RELEASED_AGAIN_AFTER  # with a recipient without outcome

    async def sweep(self) -> None:
        """Everything that is due now."""
        for _ in range(_ROUNDS_AT_MOST):
            due = await self.campaigns.claim_due(_TOGETHER)
            for group in _groups(due):
                await self._tend_safely(group)
                crash_point("campaigns.swept")
            if len(due) < _TOGETHER:
                return

    async def _tend_safely(self, group: Sequence[StoredCampaign]) -> None:
        """One campaign that cannot be tended keeps no other from it: after a failure each is tended by itself."""
        try:
            await self._tend(group)
        except (*TRANSIENT_ERRORS, ServiceUnavailableError, ReplyTimeoutError) as error:
            # The database or a neighbour is away; all are looked at again when they are not claimed any more.
            log.info("campaigns_not_tended", campaigns=len(group), error=str(error))
        except Exception as error:
            if len(group) > 1:
                for each in group:
                    await self._tend_safely([each])
            elif isinstance(error, WaapiError):  # somebody changed it meanwhile: looked at again
                log.info("campaign_not_tended", campaign_id=group[0].id, error=error.message)
            else:
                log.exception("campaign_not_tended", campaign_id=group[0].id)

    async def _tend(self, group: Sequence[StoredCampaign]) -> None:
        """Campaigns of one status; one with something unusual about it comes by itself."""
        group = await self.lifecycle.announce(group)
        if _is_unusual(group[0]):
            group = await self._finish_what_was_left(group[0])
        status = group[0].status if group else None
        if status == SCHEDULED:
            looks = await self._start(group)
        elif status == RUNNING:
            looks = await self._keep_running(group)
        elif status in OVER:
            looks = await self._wind_up(group)
        else:
            looks = [Look(each, next_look(each, self.now())) for each in group]
        await self.campaigns.look_again(looks)

    async def _finish_what_was_left(self, campaign: StoredCampaign) -> list[StoredCampaign]:
        """What others were not told of, and what was cut short; returns the campaign as it is then, if it still is."""
        if campaign.hold_due:
            await self.lifecycle.tell_hold(campaign.id)
        if campaign.contacts_due:
            await self.contacts.tell_uploaded(campaign)
        await self._finish_what_was_cut_short(campaign)
        return list((await self.campaigns.list_by_ids([campaign.id])).values())

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

    async def _start(self, campaigns: Sequence[StoredCampaign]) -> list[Look]:
        now = self.now()
        due = {each.id for each in campaigns if (each.starts_at() or now) <= now}
        await self.lifecycle.run_scheduled([each for each in campaigns if each.id in due])
        return [Look(each, next_look(each, now)) for each in campaigns if each.id not in due]

    async def _keep_running(self, campaigns: Sequence[StoredCampaign]) -> list[Look]:
        began, now, ids = self.monotonic(), self.now(), [each.id for each in campaigns]
        for late in (each for each in campaigns if each.deadline is not None and each.deadline <= now):
            while await self.recipients.skip_unsent(late.id, "deadline", _SKIPPED_AT_ONCE):
                self.running.hear_of([late.id])
        await self.rows.wake_parked(ids)
        await self.recipients.let_held_be(ids, now - PARKED_AT_MOST)
        await self._hand_over_again(campaigns)
        counters = await self.counting.all_recent(campaigns)
        released = await self.settling.release(campaigns, counters)
        after_counting = now + timedelta(seconds=(self.monotonic() - began) * _TIME_FOR_COUNTING)
        return [
            Look(
                each,
                max(next_look(each, now) or now, after_counting),
                {"released": released[each.id]} if each.id in released else {},
                Sample(now, done(counters[each.id])),
            )
            for each in campaigns
        ]

    async def _hand_over_again(self, campaigns: Sequence[StoredCampaign]) -> None:
        """Recipients without outcome for long: their batch was lost, or is known to messaging, which drops it then."""
        overdue = await self.rows.list_overdue([each.id for each in campaigns], _OVERDUE_AT_ONCE)
        for campaign in (each for each in campaigns if each.id in overdue):
            for releases in {row.releases for row in overdue[campaign.id]}:
                same = [row for row in overdue[campaign.id] if row.releases == releases]
                due_at = next_release(self.now(), releases + 1, self.patience)
                await self.rows.mark_released_again([row.id for row in same], due_at)
                await self.dispatcher.hand_over(campaign, same)
                log.info("batches_handed_over_again", campaign_id=campaign.id, recipients=len(same))

    async def _wind_up(self, campaigns: Sequence[StoredCampaign]) -> list[Look]:
        """After the end: nobody left unsent, the numbers free, the credits settled."""
        ended = [each for each in campaigns if each.retry is None and not await self._skips_more(each)]
        await self.outcomes.fail_parked([each.id for each in ended if each.status == COMPLETED])  # meanwhile
        await self.neighbours.release_numbers([each for each in ended if each.number_held])
        await self._hand_over_again(ended)  # an abandoned campaign's messages end at messaging
        unsettled = [each for each in ended if not each.closed]
        waiting = await self.recipients.list_having([each.id for each in unsettled], HANDED_OVER)
        released = await self.settling.close([each for each in unsettled if each.id not in waiting])
        noted: dict[str, dict[str, Any]] = {each.id: {"number_held": False} for each in ended}
        for id_, credits in released.items():
            noted[id_] |= {"released": credits, "closed": True}
        return [
            Look(each, next_look(replace(each, **noted.get(each.id, {})), self.now()), noted.get(each.id, {}))
            for each in campaigns
        ]

    async def _skips_more(self, campaign: StoredCampaign) -> bool:
        return campaign.status in ABANDONED and await self.lifecycle.skip_rest(campaign)


def _groups(due: Sequence[StoredCampaign]) -> list[list[StoredCampaign]]:
    """Campaigns that are tended together: those of one status, but each with something unusual about it by itself."""
    groups: defaultdict[str, list[StoredCampaign]] = defaultdict(list)
    for each in due:
        groups[each.id if _is_unusual(each) else each.status].append(each)
    return list(groups.values())


def _is_unusual(campaign: StoredCampaign) -> bool:
    """Whether others were not told of something, or something may have been cut short."""
    return campaign.hold_due or campaign.contacts_due or campaign.upload is not None or campaign.starting_at is not None
