"""The states of a message, the ranks of Meta's statuses, and how long each kind of message may take.

`wake_at` is the moment at which the sweeper must look at a message again; it is absent when nothing is left to do.

| state | meaning | wake_at |
|---|---|---|
| QUEUED | nobody works on it | when it is due |
| GROUPED | a worker has it in a group, whose own document says whether it may have been posted | absent: the group's |
| CLAIMED | a worker prepares it; nothing was posted | when the claim's lease ends |
| DISPATCHING | the intent is stored; it may have been posted | when the lease ends: then only Meta knows |
| RETRY_WAIT | Meta refused it for now, and did not act | when it is due |
| UNKNOWN | it may have been posted, and no answer is known | when its policy decides, or a status came in |
| SENT, FAILED | the outcome is known | until its event has been published |
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

State = Literal["QUEUED", "GROUPED", "CLAIMED", "DISPATCHING", "RETRY_WAIT", "UNKNOWN", "SENT", "FAILED"]
MessageClass = Literal["authentication", "marketing", "utility", "service"]

QUEUED: Final = "QUEUED"
GROUPED: Final = "GROUPED"
CLAIMED: Final = "CLAIMED"
DISPATCHING: Final = "DISPATCHING"
RETRY_WAIT: Final = "RETRY_WAIT"
UNKNOWN: Final = "UNKNOWN"
SENT: Final = "SENT"
FAILED: Final = "FAILED"

# Before the outcome is known. An acceptance ends each of these states, whoever works on the message: Meta has it.
OPEN_STATES: Final = (QUEUED, GROUPED, CLAIMED, DISPATCHING, RETRY_WAIT, UNKNOWN)
# A status ends these: UNKNOWN, and what a repetition of an unknown outcome may be waiting in. DISPATCHING and GROUPED
# have an answer coming, or a lease that ends.
LIFTABLE_STATES: Final = (QUEUED, CLAIMED, RETRY_WAIT, UNKNOWN)

# Only ever raised, so that any order and any number of statuses end in the same state. `failed` counts unless the
# message is known to have arrived.
RANKS: Final[dict[str, int]] = {"sent": 2, "failed": 3, "delivered": 4, "read": 5, "played": 6}

ANNOUNCE_AFTER: Final = timedelta(
    seconds=5
)  # how long a recorded outcome may go unannounced before the sweeper does it


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one attempt may take. A lease is at least four HTTP timeouts, so that it outlives every call."""

    lease: timedelta
    http_timeout_seconds: float

    @property
    def guard_seconds(self) -> float:
        """The longest an intent may have taken to store before its calls are not made after all."""
        return min(self.lease.total_seconds() / 4, 5.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to messages of a class when only Meta knows whether they were sent."""

    window: timedelta  # how long a status may still settle it before the policy decides
    max_resends: int  # 0: at most once; 1: at least once, each repetition declared
    time_to_live: timedelta  # after acceptance; a message not posted by then is never sent


HOLD = Policy(window=timedelta(minutes=10), max_resends=0, time_to_live=timedelta(hours=1))
RESEND = Policy(window=timedelta(seconds=15), max_resends=1, time_to_live=timedelta(minutes=10))


def policy_for(message_class: str) -> Policy:
    """Codes are useless late and harmless twice; everything else is held rather than sent twice."""
    return RESEND if message_class == "authentication" else HOLD
