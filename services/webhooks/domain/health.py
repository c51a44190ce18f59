"""Whether an endpoint is worth trying now: its breaker, its pace, and when it counts as given up by its owner.

The breaker opens after ten failures in a row, or when 70 % of at least ten attempts of five minutes failed. It lets one
delivery try after thirty seconds, and after twice the time whenever that fails, up to an hour. What waits meanwhile
loses no attempt of its schedule.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES_IN_A_ROW = 10
WINDOW = timedelta(minutes=5)
FEWEST_ATTEMPTS = 10
FAILING_SHARE = 0.7
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

DISABLED_AFTER = timedelta(hours=120)
# The schedule's longest pause is 24 hours and a fifth. A failure after a longer silence says nothing about the time
# between, so it starts the clock anew.
LONGEST_SILENCE = timedelta(hours=36)

SLOW, FAST = 4, 32  # deliveries in flight
FAST_WINDOW = timedelta(minutes=1)
FAST_SHARE = 0.99

_BUCKET_SECONDS = 10

Bucket = tuple[int, int, int]  # its number since 1970, successes, failures


@dataclass(frozen=True, slots=True)
class Health:
    """What the last attempts at an endpoint showed. `pause` is set from the breaker's opening until a success."""

    failures_in_a_row: int = 0
    buckets: tuple[Bucket, ...] = ()  # oldest first, of the last five minutes
    pause: timedelta | None = None
    open_until: datetime | None = None
    failing_since: datetime | None = None
    failed_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether nothing may be tried now."""
        return self.open_until is not None and now < self.open_until

    @property
    def is_probing(self) -> bool:
        """Whether the next attempt shows if the endpoint is back."""
        return self.pause is not None

    def is_hopeless(self, now: datetime) -> bool:
        """Whether every attempt of 120 hours has failed."""
        return self.failing_since is not None and now - self.failing_since >= DISABLED_AFTER

    def after_success(self, now: datetime) -> "Health":
        """A success ends every failure's consequences."""
        before = () if self.is_probing else self.buckets
        return Health(buckets=_counted(before, now, succeeded=True))

    def after_failure(self, now: datetime) -> "Health":
        """One more failure, which may open the breaker."""
        failed = replace(
            self,
            failures_in_a_row=self.failures_in_a_row + 1,
            buckets=_counted(self.buckets, now, succeeded=False),
            failing_since=now if self._is_first_failure(now) else self.failing_since,
            failed_at=now,
        )
        if self.is_open(now):  # an attempt that had begun before it opened
            return failed
        if self.pause is not None:
            return failed._opened(min(self.pause * 2, LONGEST_PAUSE), now)
        return failed._opened(FIRST_PAUSE, now) if failed._is_bad(now) else failed

    def success_share(self, now: datetime, span: timedelta) -> float:
        """The share of successes within the last `span`; 1 when nothing was tried."""
        succeeded, failed = self._tally(now, span)
        return succeeded / (succeeded + failed) if succeeded + failed else 1.0

    def _opened(self, pause: timedelta, now: datetime) -> "Health":
        return replace(self, pause=pause, open_until=now + pause)

    def _is_first_failure(self, now: datetime) -> bool:
        return self.failing_since is None or self.failed_at is None or now - self.failed_at > LONGEST_SILENCE

    def _is_bad(self, now: datetime) -> bool:
        succeeded, failed = self._tally(now, WINDOW)
        attempts = succeeded + failed
        is_failing = attempts >= FEWEST_ATTEMPTS and failed / attempts >= FAILING_SHARE
        return is_failing or self.failures_in_a_row >= FAILURES_IN_A_ROW

    def _tally(self, now: datetime, span: timedelta) -> tuple[int, int]:
        since = _bucket(now - span)
        counted = [bucket for bucket in self.buckets if bucket[0] > since]
        return sum(bucket[1] for bucket in counted), sum(bucket[2] for bucket in counted)


def next_limit(limit: int, health: Health, now: datetime, *, succeeded: bool) -> int:
    """How many deliveries may be in flight after an attempt: one more for each success of a healthy minute."""
    if health.is_probing:
        return 1
    if not succeeded:
        return SLOW
    is_fast = health.success_share(now, FAST_WINDOW) >= FAST_SHARE
    return min(max(limit, SLOW) + 1, FAST) if is_fast else SLOW


def _bucket(moment: datetime) -> int:
    return int(moment.timestamp()) // _BUCKET_SECONDS


def _counted(buckets: tuple[Bucket, ...], now: datetime, *, succeeded: bool) -> tuple[Bucket, ...]:
    number, oldest = _bucket(now), _bucket(now - WINDOW)
    last = buckets[-1] if buckets and buckets[-1][0] == number else (number, 0, 0)
    counted = (number, last[1] + 1, last[2]) if succeeded else (number, last[1], last[2] + 1)
    if buckets and buckets[-1][0] == number:
        return (*buckets[:-1], counted)
    return (*(bucket for bucket in buckets if bucket[0] > oldest), counted)
