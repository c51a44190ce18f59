"""A campaign as the API shows it: its document, its counters, its errors in words, its rate and its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.campaigns.counting import Counting
from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.domain.counters import done
from services.campaigns.domain.error_classes import class_named
from services.campaigns.domain.pacing import campaign_rate
from services.campaigns.domain.states import CREATING, RUNNING
from services.campaigns.repositories.recipients import RecipientRepository
from shared.clock import Clock
from shared.contracts.campaigns import Campaign, Counters, ErrorClass

Failures = tuple[str, int | None, int]  # class, code, how many


@dataclass(frozen=True, slots=True)
class Showing:
    """Joins what is stored and what is counted."""

    counting: Counting
    recipients: RecipientRepository
    now: Clock

    async def campaign(self, stored: StoredCampaign) -> Campaign:
        """One campaign, as it is now."""
        return (await self.campaigns([stored]))[0]

    async def campaigns(self, stored: Sequence[StoredCampaign]) -> list[Campaign]:
        """Several, as they are now."""
        counters = await self.counting.all_recent(stored)
        failures = await self.recipients.count_failures([id_ for id_, counts in counters.items() if counts.failed])
        return [self._shown(each, counters[each.id], failures.get(each.id, [])) for each in stored]

    def _shown(self, stored: StoredCampaign, counters: Counters, failures: Sequence[Failures]) -> Campaign:
        rate = present_rate(stored, counters, self.now())
        return Campaign(
            campaign_id=stored.id,
            user_id=stored.user_id,
            phone_number_id=stored.phone_number_id,
            template_id=stored.template_id,
            name=stored.name,
            status="DRAFT" if stored.status == CREATING else stored.status,
            paused_reason=stored.paused_reason,
            counters=counters,
            contacts_created=stored.contacts_created,
            contacts_updated=stored.contacts_updated,
            duplicates_removed=stored.duplicates_removed,
            credits_reserved=stored.credits_reserved,
            error_classes=error_classes(failures),
            rate_per_second=round(rate, 1),
            estimated_completion_at=self._estimate(stored, counters, rate),
            scheduled_at=stored.scheduled_at,
            local_time=stored.calendar.wall_time is not None,
            quiet_hours=stored.calendar.quiet_hours,
            deadline=stored.deadline,
            created_at=stored.created_at,
            started_at=stored.started_at,
            completed_at=stored.completed_at,
        )

    def _estimate(self, stored: StoredCampaign, counters: Counters, rate: float) -> datetime | None:
        if stored.status != RUNNING or not counters.pending:
            return None
        per_second = rate or campaign_rate(stored.messages_per_second)
        finish = self.now() + timedelta(seconds=counters.pending / per_second)
        return finish.replace(microsecond=finish.microsecond // 1000 * 1000)


def present_rate(stored: StoredCampaign, counters: Counters, now: datetime) -> float:
    """Recipients a second since the last sample; 0 while nothing runs."""
    if stored.status != RUNNING:
        return 0.0
    for sample in stored.samples:  # newest last; the first is old enough to tell a rate
        seconds = (now - sample.at).total_seconds()
        if seconds > 0:
            return max(done(counters) - sample.done, 0) / seconds
    return 0.0


def error_classes(failures: Sequence[Failures]) -> tuple[ErrorClass, ...]:
    """Failures in words, the most frequent first."""
    return tuple(
        ErrorClass(
            error_class=name,
            code=code,
            count=count,
            meaning=class_named(name).meaning,
            remedy=class_named(name).remedy,
        )
        for name, code, count in failures
    )
