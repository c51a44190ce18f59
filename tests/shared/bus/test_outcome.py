"""The table from error to outcome."""

import pytest

from shared.bus.outcome import Outcome, error_reply, outcome_of
from shared.errors import (
    BusUnavailableError,
    ConflictError,
    InsufficientCreditsError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    ReplyTimeoutError,
    ServiceUnavailableError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
    WaapiError,
)


class DatabaseAwayError(Exception):
    """Stands for what a driver raises."""


TRANSIENT = (DatabaseAwayError,)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (InvalidInputError("x"), Outcome.ACCEPT),
        (InsufficientCreditsError("x"), Outcome.ACCEPT),
        (NotFoundError("x"), Outcome.ACCEPT),
        (ConflictError("x"), Outcome.ACCEPT),
        (UpstreamRejectedError("x"), Outcome.ACCEPT),
        (UpstreamUnavailableError("x"), Outcome.RETRY),
        (ServiceUnavailableError("x"), Outcome.RETRY),
        (BusUnavailableError("x"), Outcome.RETRY),
        (ReplyTimeoutError("x"), Outcome.RETRY),
        (RateLimitedError("x"), Outcome.RETRY),
        (InternalError("x"), Outcome.RETRY),
        (WaapiError("x"), Outcome.RETRY),
        (RuntimeError("x"), Outcome.RETRY),
        (DatabaseAwayError("x"), Outcome.POSTPONE),
    ],
)
def test_what_nobody_waits_for_is_done_tried_again_or_postponed(error: Exception, outcome: Outcome) -> None:
    assert outcome_of(error, is_awaited=False, transient=TRANSIENT) is outcome


@pytest.mark.parametrize("error", [NotFoundError("x"), UpstreamUnavailableError("x"), RuntimeError("x")])
def test_a_waiting_caller_is_always_answered(error: Exception) -> None:
    assert outcome_of(error, is_awaited=True, transient=TRANSIENT) is Outcome.ANSWER


def test_a_caller_is_told_a_refusal_as_it_is_and_a_fault_without_its_text() -> None:
    refusal = error_reply(NotFoundError("no such template"), transient=TRANSIENT)
    fault = error_reply(RuntimeError("the secret is swordfish"), transient=TRANSIENT)
    outage = error_reply(DatabaseAwayError("mongod at 10.0.0.7"), transient=TRANSIENT)

    assert (refusal.error, refusal.message) == ("NotFoundError", "no such template")
    assert (fault.error, fault.message) == ("InternalError", "internal error")
    assert outage.error == "ServiceUnavailableError"
    assert "10.0.0.7" not in outage.message
