"""What becomes of a message whose handler failed: the one table, applied by handling.py."""

from dataclasses import dataclass
from enum import Enum, auto

from shared.bus.topology import RETRY_SECONDS
from shared.contracts.base import ErrorReply
from shared.errors import (
    InternalError,
    RateLimitedError,
    ReplyTimeoutError,
    ServiceUnavailableError,
    UpstreamUnavailableError,
    WaapiError,
)

# Refusals that time may lift. Every other WaapiError is an expected outcome: trying again cannot change it.
_TIME_MAY_HELP = (
    UpstreamUnavailableError,
    ServiceUnavailableError,
    RateLimitedError,
    ReplyTimeoutError,
    InternalError,
)


class Outcome(Enum):
    """What to do with a message after its handler raised."""

    ANSWER = auto()  # tell the waiting caller, then acknowledge: nothing is retried behind a caller's back
    ACCEPT = auto()  # acknowledge: the refusal was the answer, and nobody waits for it
    RETRY = auto()  # try again after a while, fewer than a handful of times, then to the dead letters
    POSTPONE = auto()  # the database was away for long: try again later, as often as it takes


@dataclass(frozen=True, slots=True)
class Patience:
    """How patient a consumer is. All times in seconds."""

    tiers: tuple[int, ...] = RETRY_SECONDS  # waits between tries; after the last one, the dead letters
    hold: float = 30  # how long a message is kept in hand while the database is away
    shortest_pause: float = 0.1  # between tries in hand, doubled each time
    longest_pause: float = 2.0
    postpone: int = 30  # the tier for what was held in vain
    drain: float = 25  # for calls under way when the service stops


def outcome_of(error: Exception, *, is_awaited: bool, transient: tuple[type[Exception], ...]) -> Outcome:
    """Decide. `transient` are the errors of a database that is away; `is_awaited` says that a caller waits."""
    if is_awaited:
        return Outcome.ANSWER
    if isinstance(error, transient):
        return Outcome.POSTPONE
    if isinstance(error, WaapiError) and type(error) is not WaapiError and not isinstance(error, _TIME_MAY_HELP):
        return Outcome.ACCEPT
    return Outcome.RETRY


def error_reply(error: Exception, *, transient: tuple[type[Exception], ...]) -> ErrorReply:
    """What the waiting caller is told; a fault of ours keeps its text in the log."""
    if isinstance(error, WaapiError):
        return ErrorReply.of(error)
    if isinstance(error, transient):
        return ErrorReply.of(ServiceUnavailableError("a database is away; try again"))
    return ErrorReply.of(InternalError("internal error"))
