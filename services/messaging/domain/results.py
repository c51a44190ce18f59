"""What one call to Meta showed, and what follows from it: decided here and nowhere else.

Only a parsed refusal counts as "not sent". Codes 1, 2, 131000 and 131016, answers that are not Graph JSON, and every
fault after the first byte left leave the outcome unknown.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from shared.contracts.messaging import MetaError

_OUTCOME_UNKNOWN_CODES: Final = frozenset({1, 2, 131000, 131016})
_THROTTLED_CODES: Final = frozenset({4, 613, 80007, 80008, 130429})
_PAIR_RATE_CODE: Final = 131056
_MAINTENANCE_CODES: Final = frozenset({131057, 133004})
_MAINTENANCE_SECONDS: Final = 30.0
_LONGEST_BACKOFF_SECONDS: Final = 300.0
_TRIES_THAT_COUNT: Final = 20


@dataclass(frozen=True, slots=True)
class Answered:
    """Meta accepted the message."""

    wa_message_id: str
    held: bool = False  # held_for_quality_assessment: Meta decides later


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta answered with an error of its own."""

    error: MetaError


@dataclass(frozen=True, slots=True)
class NotConnected:
    """No byte of the request left: connecting failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left (or may have), and no answer in Meta's terms came back."""

    reason: str


Observation = Answered | Refused | NotConnected | Lost


@dataclass(frozen=True, slots=True)
class Accepted:
    """The message is Meta's now."""

    wa_message_id: str
    held: bool = False  # Meta assesses the template's quality first


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not be sent."""

    error: MetaError


@dataclass(frozen=True, slots=True)
class Postponed:
    """Meta did not act; the same message may be posted again after `delay`."""

    delay: timedelta
    error: MetaError | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Only Meta knows. `error` is what it answered, if it did."""

    reason: str
    error: MetaError | None = None


Verdict = Accepted | Failed | Postponed | Unknown


def judge(
    observation: Observation, *, tries: int, is_resent: bool = False, jitter: Callable[[], float] = random.random
) -> Verdict:
    """Decide what an observation means.

    `tries` counts earlier postponements of this message; `is_resent` says that an earlier attempt may have reached
    Meta; `jitter` is 0 to 1.
    """
    verdict = _judge_alone(observation, tries, jitter)
    if is_resent and isinstance(verdict, Failed):
        # A refusal of the repetition does not tell what became of the attempt before it.
        return Unknown(f"meta_{verdict.error.code}", verdict.error)
    return verdict


def _judge_alone(observation: Observation, tries: int, jitter: Callable[[], float]) -> Verdict:
    match observation:
        case Answered(wa_message_id=wa_message_id, held=held):
            return Accepted(wa_message_id, held)
        case Refused(error=error):
            return _judge_refusal(error, tries, jitter)
        case NotConnected(reason=reason):
            return Postponed(_backoff(1.0, 4.0, tries, jitter), None, reason)
        case Lost(reason=reason):
            return Unknown(reason)
        case _:
            assert_never(observation)


def _judge_refusal(error: MetaError, tries: int, jitter: Callable[[], float]) -> Verdict:
    reason = f"meta_{error.code}"
    if error.code in _OUTCOME_UNKNOWN_CODES:
        return Unknown(reason, error)
    if error.code == _PAIR_RATE_CODE:  # Meta: retry after 4^n seconds, n = 0, 1, 2 …
        return Postponed(timedelta(seconds=_grown(1.0, 4.0, tries)), error, reason)
    if error.code in _THROTTLED_CODES:
        return Postponed(_backoff(1.0, 2.0, tries, jitter), error, reason)
    if error.code in _MAINTENANCE_CODES:
        return Postponed(_backoff(_MAINTENANCE_SECONDS, 1.5, tries, jitter), error, reason)
    return Failed(error)


def _backoff(first: float, factor: float, tries: int, jitter: Callable[[], float]) -> timedelta:
    """Exponential, capped at five minutes, the upper half drawn by chance so that many do not return together."""
    return timedelta(seconds=_grown(first, factor, tries) * (0.5 + jitter() / 2))


def _grown(first: float, factor: float, tries: int) -> float:
    # Far beyond the cap the power would not fit into a float; a campaign may wait for days.
    return min(first * factor ** min(tries, _TRIES_THAT_COUNT), _LONGEST_BACKOFF_SECONDS)
