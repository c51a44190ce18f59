"""Start, pause, resume, cancel, retry: what people do to campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.domain.error_classes import NAMES
from services.campaigns.domain.states import ABANDONED, CANCELLED, DONE_ALREADY, OVER, RUNNING, STARTS_FROM, Status
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.neighbours import Neighbours
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.settling import Settling
from services.campaigns.showing import Showing
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.campaigns import Campaign, ControlCampaign, RetryFailed
from shared.crashpoints import crash_point
from shared.errors import ConflictError, InsufficientCreditsError, InvalidInputError, NotFoundError


@dataclass(frozen=True, slots=True)
class ControlHandlers:
    """Each action is a step from certain statuses; where it has been done already, nothing is done but telling it."""

    bus: Bus
    campaigns: CampaignRepository
    recipients: RecipientRepository
    lifecycle: Lifecycle
    neighbours: Neighbours
    settling: Settling
    showing: Showing
    now: Clock

    def register(self) -> None:
        """Take what people do to campaigns."""
        self.bus.on(ControlCampaign, self.control_campaign)
        self.bus.on(RetryFailed, self.retry_failed)

    async def control_campaign(self, command: ControlCampaign) -> Campaign:
        """Do it, unless it is done."""
        campaign = await self.campaigns.get(command.campaign_id)
        if campaign.has_seen(command.action_id):
            return await self.showing.campaign(campaign)
        if campaign.status in DONE_ALREADY[command.action]:
            await self.lifecycle.tell_hold(campaign.id)  # a first try may have died before it told messaging
            return await self.showing.campaign(campaign)
        _require(campaign, STARTS_FROM[command.action], command.action)
        # Noted by the step itself: whoever has the answer may do something else, which a redelivery must not undo.
        noted = campaign.noting(command.action_id)
        match command.action:
            case "start":
                changed = await self.lifecycle.start(campaign, noted)
            case "pause":
                changed = await self.lifecycle.pause(campaign, "asked", None, noted)
            case "resume":
                changed = await self.lifecycle.resume(campaign, noted)
            case "cancel":
                changed = await self.lifecycle.abandon(campaign, CANCELLED, noted=noted)
        return await self.showing.campaign(changed)

    async def retry_failed(self, command: RetryFailed) -> Campaign:
        """Send again to those that definitely failed; their credits are reserved first."""
        unknown = sorted(set(command.error_classes) - set(NAMES))
        if unknown:
            message = f"there is no error class {', '.join(unknown)}; there are {', '.join(NAMES)}"
            raise InvalidInputError(message, details=[{"field": "error_classes", "message": message}])
        campaign = await self.campaigns.get(command.campaign_id)
        if campaign.has_seen(command.action_id) or (campaign.status == RUNNING and campaign.run > 0):
            return await self.showing.campaign(campaign)
        _require(campaign, OVER, "retry-failed")
        if campaign.retry is None:
            asked = {
                "classes": list(command.error_classes),
                "unknown": command.include_unknown,
                "action": command.action_id,
            }
            begun = await self.campaigns.change(campaign, {"starting_at": self.now(), "retry": asked})
            if begun is None:
                raise ConflictError("The campaign is being changed by somebody else; look at it and try again")
        else:  # one is under way, or its process has died: rows may have moved, so that it must be finished as begun
            begun, asked = campaign, dict(campaign.retry)
        return await self.showing.campaign(await self._retry(begun, asked))

    async def go_on_starting(self, campaign: StoredCampaign) -> StoredCampaign:
        """Finish a start or a retry whose process died."""
        if campaign.retry is not None:
            return await self._retry(campaign, campaign.retry)
        return await self.lifecycle.start(campaign)

    async def _retry(self, campaign: StoredCampaign, asked: Mapping[str, Any]) -> StoredCampaign:
        """Credits, then a round of their own for the rows, then RUNNING: each part may be done twice."""
        run, classes, unknown = campaign.run + 1, asked["classes"], asked["unknown"]
        if "count" not in asked:  # later on, those who are pending are those who are to be tried again
            while campaign.status in ABANDONED and await self.lifecycle.skip_rest(campaign):
                pass
        if not campaign.closed:
            released = await self.settling.close([campaign])
            await self.campaigns.mark_settled(campaign, released[campaign.id])
        wanted = asked.get("count") or await self.recipients.count_retryable(campaign.id, classes, unknown)
        try:
            await self._reserve(campaign, run, wanted)
        except (ConflictError, InsufficientCreditsError, NotFoundError):
            await self.campaigns.change(campaign, {"number_held": True}, unset=("starting_at", "retry"))
            raise
        crash_point("campaigns.reserved")
        moved = 0
        while moved < wanted and (more := await self.recipients.begin_round(campaign.id, classes, unknown, run)):
            moved += more
        fields = {
            **campaign.noting(asked.get("action")),
            "run": run,
            "credits_reserved": wanted,
            "released": 0,
            "closed": False,
            "number_held": True,
            "hold_due": True,
        }
        unset = ("starting_at", "retry", "completed_at", "paused_reason")
        running = await self.lifecycle.to(campaign, RUNNING, fields, "started", unset=unset)
        await self.lifecycle.tell_hold(campaign.id)
        return running

    async def _reserve(self, campaign: StoredCampaign, run: int, wanted: int) -> None:
        if not wanted:
            raise ConflictError("No recipient has failed in a way that can be tried again", code="nothing_to_retry")
        # The number of the first try is kept: a reservation has one size.
        await self.campaigns.mark(campaign.id, {"retry.count": wanted})
        await self.neighbours.hold_number(campaign.phone_number_id, campaign.user_id, campaign.id)
        await self.neighbours.reserve(campaign.user_id, campaign.id, run, wanted)


def _require(campaign: StoredCampaign, allowed: tuple[Status, ...], action: str) -> None:
    if campaign.status not in allowed:
        raise ConflictError(
            f"A campaign that is {campaign.status} cannot {_VERBS.get(action, action)}; "
            f"it would have to be {' or '.join(allowed)}",
            code="wrong_campaign_status",
        )


_VERBS = {
    "start": "be started",
    "pause": "be paused",
    "resume": "be resumed",
    "cancel": "be cancelled",
    "retry-failed": "be retried",
}
