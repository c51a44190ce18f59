"""What became of messages: recipients' rows move, and what many failures have in common stops the campaign."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.domain.error_classes import ERROR_RATE, FailureClass, classify
from services.campaigns.domain.states import ABANDONED, AFTER_STATUS, FAILED, FAILURES, OVER, RANKS, RUNNING
from services.campaigns.lifecycle import Lifecycle
from services.campaigns.repositories.campaigns import CampaignRepository
from services.campaigns.repositories.outcomes import Explanation, OutcomeRepository, Pairs
from services.campaigns.repositories.recipients import RecipientRepository
from services.campaigns.running import RunningCampaigns
from shared.bus.port import Bus, Received
from shared.clock import Clock
from shared.contracts.messaging import (
    FailedMessage,
    MessagesFailed,
    MessagesSent,
    MessageStatusChange,
    MessageStatusesChanged,
    SentMessage,
)
from shared.crashpoints import crash_point
from shared.errors import ConflictError

log = structlog.get_logger()

_PARKED_FOR = timedelta(hours=24)
_LATEST = 100  # outcomes that tell the error rate
_FEWEST = 50
_TOO_MANY = 0.5

Failure = FailedMessage | MessageStatusChange
Ending = Callable[[Pairs, Explanation], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class OutcomeHandlers:
    """Idempotent by message id and rank: the second time an outcome moves nothing."""

    bus: Bus
    campaigns: CampaignRepository
    recipients: RecipientRepository
    outcomes: OutcomeRepository
    lifecycle: Lifecycle
    running: RunningCampaigns
    now: Clock

    def register(self) -> None:
        """Listen to what became of messages."""
        self.bus.on_group(MessagesSent, self.on_messages_sent)
        self.bus.on_group(MessagesFailed, self.on_messages_failed)
        self.bus.on_group(MessageStatusesChanged, self.on_statuses_changed)

    async def on_messages_sent(self, group: Sequence[Received[MessagesSent]]) -> None:
        """Meta accepted these: one update for all of them, and one for those that it assesses first."""
        items = [item for each in group for item in each.message.items]
        await self.outcomes.reach("sent", _pairs(item for item in items if not item.held))
        await self.outcomes.reach("held", _pairs(item for item in items if item.held))
        self.running.hear_of(item.campaign_id for item in items if item.campaign_id)
        crash_point("campaigns.outcomes_applied")

    async def on_statuses_changed(self, group: Sequence[Received[MessageStatusesChanged]]) -> None:
        """The highest status of each message decides; one update for each status."""
        highest: dict[str, MessageStatusChange] = {}
        for item in (item for each in group for item in each.message.items if item.recipient_id):
            known = highest.get(item.message_id)
            if known is None or _rank(item) > _rank(known):
                highest[item.message_id] = item
        by_state: defaultdict[str, list[MessageStatusChange]] = defaultdict(list)
        for item in highest.values():
            by_state[AFTER_STATUS[item.status]].append(item)
        failed = by_state.pop("bounced", [])
        for state, items in by_state.items():
            await self.outcomes.reach(state, _pairs(items))
        await self._fail(failed)
        crash_point("campaigns.outcomes_applied")

    async def on_messages_failed(self, group: Sequence[Received[MessagesFailed]]) -> None:
        """Meta refused these, or they could not be posted at all."""
        items = [item for each in group for item in each.message.items if item.recipient_id]
        await self._fail(items)
        self.running.hear_of(item.campaign_id for item in items if item.campaign_id)
        crash_point("campaigns.outcomes_applied")

    async def _fail(self, items: Sequence[Failure]) -> None:
        """Rows first, one update for all that failed alike; then what follows for their campaign."""
        alike: defaultdict[tuple[str, int | None, str], list[Failure]] = defaultdict(list)
        for item in items:
            if item.campaign_id is not None:
                alike[item.campaign_id, item.error.code if item.error else None, _word(item)].append(item)
        campaigns = await self.campaigns.list_by_ids({key[0] for key in alike}) if alike else {}
        follows: defaultdict[str, list[FailureClass]] = defaultdict(list)
        for (campaign_id, code, failure), same in alike.items():
            campaign = campaigns.get(campaign_id)
            if campaign is None:
                continue
            failure_class = classify(code, failure)
            if await self._move(campaign, failure_class, code, failure, same):
                follows[campaign_id].append(failure_class)
        for campaign_id, classes in follows.items():
            await self._consider(campaigns[campaign_id], classes)

    async def _move(
        self, campaign: StoredCampaign, why: FailureClass, code: int | None, failure: str, items: Sequence[Failure]
    ) -> int:
        pairs = _pairs(items)
        explanation = Explanation(
            why.name, code, _words(items[0]), unknown=isinstance(items[0], FailedMessage) and items[0].outcome_unknown
        )
        if isinstance(items[0], MessageStatusChange):
            return await self._park_or(self.outcomes.bounce, campaign, why, pairs, explanation)
        if failure == "opted_out":
            await self.outcomes.skip(pairs, "opted_out")
            return 0
        if failure in {"cancelled", "expired"} and code is None:
            await self._not_posted(campaign, failure, pairs)
            return 0
        return await self._park_or(self.outcomes.fail, campaign, why, pairs, explanation)

    async def _not_posted(self, campaign: StoredCampaign, failure: str, pairs: Pairs) -> None:
        """What was never posted takes its turn again, unless the campaign's time is over."""
        if campaign.status in ABANDONED:
            await self.outcomes.skip(pairs, "cancelled" if campaign.status != FAILED else "campaign_failed")
        elif failure == "expired" and campaign.deadline is not None and campaign.deadline <= self.now():
            await self.outcomes.skip(pairs, "deadline")
        else:
            await self.outcomes.next_round(campaign.id, pairs)

    async def _park_or(
        self,
        end: Ending,
        campaign: StoredCampaign,
        why: FailureClass,
        pairs: Pairs,
        explanation: Explanation,
    ) -> int:
        due_at = self.now() + _PARKED_FOR
        if why.follow == "park" and campaign.status not in OVER and due_at <= campaign.parked_until:
            pairs = await self.outcomes.park(campaign.id, pairs, explanation, due_at)
            # It may have ended since it was read, and nobody wakes what is parked in a campaign that is over.
            if (later := await self.campaigns.find(campaign.id)) is not None and later.status in OVER:
                await self.outcomes.fail_parked([campaign.id])
        return await end(pairs, explanation) if pairs else 0

    async def _consider(self, campaign: StoredCampaign, classes: Sequence[FailureClass]) -> None:
        """Stop a campaign whose messages fail for a reason that the next ones share."""
        if campaign.status != RUNNING:
            return
        reason = next((each for each in classes if each.follow in {"fail", "stop"}), None)
        if reason is None and await self._fails_too_often(campaign):
            reason = ERROR_RATE
        if reason is None:
            return
        words = f"{reason.meaning} {reason.remedy}"
        try:
            if reason.follow == "fail":
                await self.lifecycle.abandon(campaign, FAILED, words)
            else:
                await self.lifecycle.pause(campaign, reason.name, words)
        except ConflictError:  # somebody has paused or ended it at the same moment
            log.info("campaign_changed_meanwhile", campaign_id=campaign.id)

    async def _fails_too_often(self, campaign: StoredCampaign) -> bool:
        latest = await self.recipients.latest_outcomes(campaign.id, campaign.run, _LATEST)
        failed = sum(state in FAILURES for state in latest)
        return len(latest) >= _FEWEST and failed >= len(latest) * _TOO_MANY


def _pairs(items: Iterable[SentMessage | Failure]) -> list[tuple[str, str]]:
    return [(item.recipient_id, item.message_id) for item in items if item.recipient_id]


def _rank(item: MessageStatusChange) -> int:
    return RANKS[AFTER_STATUS[item.status]]


def _word(item: Failure) -> str:
    """What failures of one kind have in common; the text of a refusal of ours differs from recipient to recipient."""
    if isinstance(item, MessageStatusChange):
        return "status"
    if item.outcome_unknown:
        return "outcome_unknown"
    return item.failure


def _words(item: Failure) -> str | None:
    if item.error is not None:
        return item.error.details or item.error.message
    return item.failure if isinstance(item, FailedMessage) else None
