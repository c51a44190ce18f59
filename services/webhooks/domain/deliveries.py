"""A delivery of one event to one endpoint: what an attempt brought, and what comes next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

# Standard Webhooks' schedule: 75 h 35 min from the first attempt to the tenth and last.
RETRY_AFTER_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_ATTEMPTS = len(RETRY_AFTER_SECONDS) + 1
LONGEST_RETRY_AFTER_SECONDS = 86_400  # a receiver may ask for more time, but not for ever

ATTEMPT_SECONDS = 15.0

GONE = 410

DeliveryState = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that has not come to its end. Deliveries of one `thread` are told one after the other."""

    id: str
    event_id: str
    webhook_id: str
    body: bytes
    attempts_made: int
    next_attempt_at: datetime
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attempt brought. Without a `status_code` the receiver did not answer, and `error` says why."""

    status_code: int | None
    latency_ms: int
    error: str | None = None
    response: str | None = None
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Only 2xx is: a redirect is a failure, since following it would leave the endpoint that was checked."""
        return self.status_code is not None and 200 <= self.status_code <= 299


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery; `next_attempt_at` is set while it is pending."""

    state: DeliveryState
    next_attempt_at: datetime | None = None
    disables_endpoint: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt with its verdict, to be recorded; `id` lets a repeated record change nothing."""

    id: str
    delivery: Delivery
    at: datetime
    url: str
    answer: Answer
    verdict: Verdict


def judge(answer: Answer, *, attempts_made: int, now: datetime, jitter: float) -> Verdict:
    """Decide after an attempt that was the `attempts_made`-th. `jitter` is a factor from 0.8 to 1.2."""
    if answer.is_success:
        return Verdict("delivered")
    is_gone = answer.status_code == GONE
    if attempts_made >= MAX_ATTEMPTS:
        return Verdict("failed", disables_endpoint=is_gone)
    if is_gone:  # kept with everything else until the endpoint comes back
        return Verdict("pending", now, disables_endpoint=True)
    scheduled = RETRY_AFTER_SECONDS[attempts_made - 1] * jitter
    asked_for = retry_after_seconds(answer.retry_after, now)
    return Verdict("pending", now + timedelta(seconds=max(scheduled, asked_for)))


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """How long a `Retry-After` asks us to wait: seconds or a date (RFC 9110, 10.2.3); 0 when it says nothing."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), LONGEST_RETRY_AFTER_SECONDS))
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), float(LONGEST_RETRY_AFTER_SECONDS))
