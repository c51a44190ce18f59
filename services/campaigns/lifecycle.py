"""A campaign's life: each step is one update of its document, then what others have to be told of it.

Whoever dies between the two leaves a mark in the document (`unheard`, `hold_due`, `starting_at`), and the sweeper does
the rest. Every step may run twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog

from services.campaigns.counting import Counting
from services.campaigns.domain.campaigns import RUNNING_LOOK, StoredCampaign, first_status
from services.campaigns.domain.states import ABANDONED, CANCELLED, COMPLETED, CREATING, PAUSED, RUNNING, Status
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.locks import LockRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.running import RunningCampaigns
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.campaigns import CampaignChange, CampaignsChanged, Counters
from shared.crashpoints import crash_point
from shared.errors import BusUnavailableError, ConflictError, InsufficientCreditsError, InvalidInputError, NotFoundError

log = structlog.get_logger()

Kind = Literal["started", "paused", "completed", "failed", "cancelled"]

_SKIPPED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The steps from DRAFT to the end."""

    bus: Bus
    campaigns: CampaignRepository
    recipients: RecipientRepository
    locks: LockRepository
    counting: Counting
    neighbours: Neighbours
    running: RunningCampaigns
    now: Clock

    async def start(self, campaign: StoredCampaign, fields: Mapping[str, Any] | None = None) -> StoredCampaign:
        """Let a campaign run, now or when it is due: number held, credits reserved, all or nothing.

        `fields` are set with its first status. Raises ConflictError, InvalidInputError, NotFoundError,
        InsufficientCreditsError; the campaign then is as it was.
        """
        if campaign.upload is not None and campaign.status != CREATING:
            raise ConflictError("An upload to this campaign is under way", code="upload_open")
        if campaign.starting_at is None:
            campaign = _mine(await self.campaigns.change(campaign, {"starting_at": self.now()}))
        crash_point("campaigns.starting")
        try:
            pending = await self._reserve(campaign)
        except (InvalidInputError, InsufficientCreditsError, ConflictError, NotFoundError):
            await self._take_back(campaign)
            raise
        crash_point("campaigns.reserved")
        status = first_status(campaign, self.now())
        credits = {"credits_reserved": pending, "run": 0, "released": 0, "closed": pending == 0}
        return await self._begin(campaign, status, {**(fields or {}), **credits})

    async def run_scheduled(self, campaigns: Sequence[StoredCampaign]) -> None:
        """The time of these scheduled campaigns has come. Who was changed meanwhile is left as it is."""
        now = self.now()
        fields = {"started_at": now, "number_held": True, "look_at": now + RUNNING_LOOK}
        counters = await self.counting.all_exact(campaigns)
        await self._step_all(campaigns, RUNNING, fields, "started", counters, unset=("starting_at", "upload"))

    async def pause(
        self, campaign: StoredCampaign, code: str, reason: str | None, noted: Mapping[str, Any] | None = None
    ) -> StoredCampaign:
        """Pause; when this returns, messaging stores no intent of the campaign any more."""
        fields = {**(noted or {}), "paused_code": code, "paused_reason": reason, "hold_due": True}
        paused = await self.to(campaign, PAUSED, fields, "paused", reason)
        await self.tell_hold(campaign.id)
        log.info("campaign_paused", campaign_id=campaign.id, code=code)
        return paused

    async def resume(self, campaign: StoredCampaign, noted: Mapping[str, Any] | None = None) -> StoredCampaign:
        """Go on with the very next recipient."""
        status = first_status(campaign, self.now()) if campaign.started_at is None else RUNNING
        fields: dict[str, Any] = {**(noted or {}), "hold_due": True}
        if status == RUNNING and campaign.started_at is None:
            fields["started_at"] = self.now()
        resumed = await self.to(
            campaign, status, fields, "started" if status == RUNNING else None, unset=("paused_code", "paused_reason")
        )
        await self.tell_hold(campaign.id)
        return resumed

    async def abandon(
        self,
        campaign: StoredCampaign,
        status: Literal["CANCELLED", "FAILED"],
        reason: str | None = None,
        noted: Mapping[str, Any] | None = None,
    ) -> StoredCampaign:
        """End a campaign for good; when this returns, messaging stores no intent of it any more."""
        kind: Kind = "cancelled" if status == CANCELLED else "failed"
        fields = {**(noted or {}), "completed_at": self.now(), "hold_due": True, "paused_reason": reason}
        ended = await self.to(campaign, status, fields, kind, reason, unset=("paused_code",))
        await self.tell_hold(campaign.id)
        await self.skip_rest(ended)
        log.info("campaign_ended", campaign_id=campaign.id, status=status, reason=reason)
        return ended

    async def complete(self, campaigns: Sequence[StoredCampaign]) -> None:
        """End those of the campaigns in which nobody is left to be sent to. Who was changed meanwhile is left as it is.

        Whoever asks has looked already; but a look may miss a row that moves meanwhile, and a count meets each.
        """
        counters = await self.counting.all_exact(campaigns)
        done = [each for each in campaigns if not counters[each.id].pending]
        for campaign in await self._step_all(done, COMPLETED, {"completed_at": self.now()}, "completed", counters):
            log.info("campaign_completed", campaign_id=campaign.id)

    async def skip_rest(self, campaign: StoredCampaign) -> bool:
        """Skip some of those who were not sent to; whether any were left."""
        reason = "cancelled" if campaign.status == CANCELLED else "campaign_failed"
        return await self.recipients.skip_unsent(campaign.id, reason, _SKIPPED_AT_ONCE) > 0

    async def to(
        self,
        campaign: StoredCampaign,
        status: Status,
        fields: Mapping[str, Any],
        kind: Kind | None,
        reason: str | None = None,
        *,
        unset: tuple[str, ...] = (),
    ) -> StoredCampaign:
        """One step to another status. Raises ConflictError when somebody was quicker."""
        change = None
        if kind is not None:
            change = self._change_of(campaign, status, kind, await self.counting.recent(campaign), reason)
        stepped = await self.campaigns.change(
            campaign, {**fields, "status": status}, unset=unset, announce=change.model_dump() if change else None
        )
        crash_point("campaigns.stepped")
        if stepped is not None:
            self.running.hear_of([stepped.id])
            await self.announce([stepped])
        return _mine(stepped)

    async def announce(self, campaigns: Sequence[StoredCampaign]) -> list[StoredCampaign]:
        """Publish what nobody has heard yet of these, then forget that it was due. As they are then."""
        unheard = tuple(change for campaign in campaigns for change in campaign.unheard)
        if not unheard:
            return list(campaigns)
        try:
            await self.bus.publish(CampaignsChanged(items=unheard))
        except BusUnavailableError as error:
            log.warning("campaign_changes_postponed", changes=len(unheard), error=error.message)
            return list(campaigns)
        crash_point("campaigns.announced")
        await self.campaigns.mark_heard({change.campaign_id for change in unheard}, [change.id for change in unheard])
        return [replace(each, unheard=()) for each in campaigns]

    async def tell_hold(self, campaign_id: str) -> None:
        """Have messaging hold a campaign or let it go, as its status says by then; one teller at a time.

        Two tellers could overtake each other on the way, and a pause would end as its opposite.
        """
        async with self.locks.held(f"hold:{campaign_id}"):
            while (campaign := await self.campaigns.find(campaign_id)) is not None and campaign.hold_due:
                crash_point("campaigns.hold_due")
                abandoned = campaign.status in ABANDONED
                await self.neighbours.hold_campaign(
                    campaign_id, campaign.changes, held=abandoned or campaign.status == PAUSED, cancelled=abandoned
                )
                await self.campaigns.mark_told(campaign)

    async def _reserve(self, campaign: StoredCampaign) -> int:
        """Hold the number and set the credits aside; how many."""
        counters = await self.counting.exact(campaign)
        if counters.total == 0:
            raise InvalidInputError("The campaign has no recipients", code="no_recipients")
        await self.neighbours.hold_number(campaign.phone_number_id, campaign.user_id, campaign.id)
        await self.neighbours.reserve(campaign.user_id, campaign.id, 0, counters.pending)
        return counters.pending

    async def _begin(self, campaign: StoredCampaign, status: Status, fields: Mapping[str, Any]) -> StoredCampaign:
        started = {"started_at": self.now()} if status == RUNNING else {}
        return await self.to(
            campaign,
            status,
            {**fields, **started, "number_held": True},
            "started" if status == RUNNING else None,
            unset=("starting_at", "upload"),
        )

    async def _take_back(self, campaign: StoredCampaign) -> None:
        await self.neighbours.release_number(campaign.phone_number_id, campaign.id)
        await self.campaigns.change(campaign, {}, unset=("starting_at",))

    async def _step_all(
        self,
        campaigns: Sequence[StoredCampaign],
        status: Status,
        fields: Mapping[str, Any],
        kind: Kind,
        counters: Mapping[str, Counters],
        *,
        unset: tuple[str, ...] = (),
    ) -> list[StoredCampaign]:
        """The same step of several campaigns; those that have taken it."""
        if not campaigns:
            return []
        changes = {each.id: self._change_of(each, status, kind, counters[each.id]).model_dump() for each in campaigns}
        stepped = await self.campaigns.change_all(
            campaigns, {**fields, "status": status}, unset=unset, announce=changes
        )
        crash_point("campaigns.stepped")
        await self.announce(stepped)
        return stepped

    def _change_of(
        self, campaign: StoredCampaign, status: Status, kind: Kind, counters: Counters, reason: str | None = None
    ) -> CampaignChange:
        return CampaignChange.model_validate(
            {
                "id": f"campaign.{kind}:{campaign.id}:{campaign.changes + 1}",
                "campaign_id": campaign.id,
                "user_id": campaign.user_id,
                "phone_number_id": campaign.phone_number_id,
                "template_id": campaign.template_id,
                "name": campaign.name,
                "status": status,
                "reason": reason,
                "counters": counters.model_dump(),
                "at": self.now(),
            }
        )


def _mine(changed: StoredCampaign | None) -> StoredCampaign:
    if changed is None:
        raise ConflictError("The campaign is being changed by somebody else; look at it and try again")
    return changed
