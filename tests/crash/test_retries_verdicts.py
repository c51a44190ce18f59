"""Each promise to those who go again is broken here once, in the smallest way."""

from dataclasses import replace
from typing import Any

import pytest

from tests.crash.campaigns_facts import Credits
from tests.crash.retries_facts import RetryFacts
from tests.crash.retries_load import Fate, Retried
from tests.crash.retries_verdicts import RETRY_PROMISES, message_id, retry_violations

FATES: dict[str, Fate] = {"+1": "parked", "+2": "refused", "+3": "bounced", "+4": "reached"}
# Retried for "undeliverable" alone, so that who was parked is not called by the retry.
SOME = Retried("k1", "at once", FATES, "camp_1", parked={("+1", 0), ("+1", 1)}, is_retried=True)
ALL = Retried("k2", "after the kills", {"+5": "parked", "+6": "reached"}, "camp_2", parked={("+5", 0)}, is_retried=True)


def shown(status: str, total: int, reached: int, *, sent: int, failed: int, **classes: int) -> dict[str, Any]:
    return {
        "status": status,
        "total_recipients": total,
        "sent_count": sent,
        "delivered_count": reached,
        "read_count": reached,
        "failed_count": failed,
        "recipient_stats": {"pending": 0},
        "paused_reason": None,
        "error_classes": [{"error_class": name, "count": count} for name, count in classes.items()],
    }


def row(state: str, error_class: str | None, round_: int) -> dict[str, Any]:
    return {"state": state, "error_class": error_class, "round": round_}


def calls(made: Retried, phone: str, rounds: int) -> list[str]:
    return [message_id(made, phone, round_) for round_ in range(rounds)]


SHOWN = {
    "camp_1": shown("COMPLETED", 4, 1, sent=3, failed=3, undeliverable=2, marketing_cap=1),
    "camp_2": shown("COMPLETED", 2, 1, sent=2, failed=1, marketing_cap=1),
}
ROWS = {
    "camp_1": {
        "+1": row("failed", "marketing_cap", 2),
        "+2": row("failed", "undeliverable", 1),
        "+3": row("failed", "undeliverable", 1),
        "+4": row("read", None, 0),
    },
    "camp_2": {"+5": row("failed", "marketing_cap", 2), "+6": row("read", None, 0)},
}
CALLS = {
    "+1": calls(SOME, "+1", 3),
    "+2": calls(SOME, "+2", 2),
    "+3": calls(SOME, "+3", 2),
    "+4": calls(SOME, "+4", 1),
    "+5": calls(ALL, "+5", 3),
    "+6": calls(ALL, "+6", 1),
}
FINE = RetryFacts(made=(SOME, ALL), shown=SHOWN, rows=ROWS, calls=CALLS, credits=Credits(100, 98, 2))
# The same when nobody knows of the retry of +2: its campaign waits.
DOUBTED = replace(
    FINE,
    shown=SHOWN
    | {
        "camp_1": shown("RUNNING", 4, 1, sent=3, failed=2, undeliverable=1, marketing_cap=1)
        | {"recipient_stats": {"pending": 1}}
    },
    rows=ROWS | {"camp_1": ROWS["camp_1"] | {"+2": row("pending", None, 1)}},
    calls=CALLS | {"+2": calls(SOME, "+2", 1)},
    in_doubt=frozenset({message_id(SOME, "+2", 1)}),
    credits=Credits(100, 97, 2),
    may_be_unknown=1,
)
MADE, CALLED = "campaigns are retried as asked for", "who is parked or retried is called once in each round"
ENDED, COUNTED = "recipients say what became of their last round", "counters of retried campaigns are the truth"
COSTS = "retries cost what they reach"


def counted(**changes: Any) -> RetryFacts:
    return replace(FINE, shown=SHOWN | {"camp_1": SHOWN["camp_1"] | changes})


BROKEN = {
    "an answer that nobody should get": (MADE, replace(FINE, made=(replace(SOME, strange=["500"]), ALL))),
    "a campaign that was never made": (MADE, replace(FINE, shown={"camp_1": SHOWN["camp_1"]})),
    "a retry that does not end": (MADE, counted(status="RUNNING")),
    "a retry that was never made": (MADE, replace(FINE, made=(replace(SOME, is_retried=False), ALL))),
    "a retry that calls twice": (CALLED, replace(FINE, calls=CALLS | {"+2": [*CALLS["+2"], CALLS["+2"][1]]})),
    "a retry that is made twice": (CALLED, replace(FINE, calls=CALLS | {"+2": calls(SOME, "+2", 3)})),
    "a retry that calls nobody": (CALLED, replace(FINE, calls=CALLS | {"+3": calls(SOME, "+3", 1)})),
    "a retry of somebody who was reached": (CALLED, replace(FINE, calls=CALLS | {"+4": calls(SOME, "+4", 2)})),
    "a retry of a class that was not asked for": (CALLED, replace(FINE, calls=CALLS | {"+1": calls(SOME, "+1", 4)})),
    "a class of all that was left out": (CALLED, replace(FINE, calls=CALLS | {"+5": calls(ALL, "+5", 2)})),
    "a call under the id of the round before": (CALLED, replace(FINE, calls=CALLS | {"+5": [CALLS["+5"][0]] * 3})),
    "somebody parked who is never called again": (CALLED, replace(FINE, calls=CALLS | {"+1": calls(SOME, "+1", 2)})),
    "a call that the doubt does not explain": (CALLED, replace(DOUBTED, in_doubt=frozenset())),
    "two calls in a round of doubt": (CALLED, replace(DOUBTED, calls=CALLS | {"+2": calls(SOME, "+2", 2) * 2})),
    "a row that stays in the first round": (ENDED, replace(FINE, rows=ROWS | {"camp_2": ROWS["camp_1"]})),
    "a doubt that no kill explains": (ENDED, replace(DOUBTED, may_be_unknown=0)),
    "failures that are not counted": (COUNTED, counted(failed_count=2)),
    "failures that are counted in each round": (COUNTED, counted(sent_count=6)),
    "a reason that is counted in each round": (
        COUNTED,
        counted(
            error_classes=[{"error_class": "undeliverable", "count": 4}, {"error_class": "marketing_cap", "count": 1}]
        ),
    ),
    "somebody who is pending for ever": (COUNTED, counted(recipient_stats={"pending": 1})),
    "a credit for a failure": (COSTS, replace(FINE, credits=Credits(100, 97, 3))),
    "a credit that stays set aside": (COSTS, replace(FINE, credits=Credits(100, 97, 2))),
}


def test_retries_that_kept_their_promises_are_not_accused() -> None:
    assert retry_violations(FINE) == {}
    assert retry_violations(DOUBTED) == {}


def test_every_promise_to_those_who_go_again_is_broken_in_this_file() -> None:
    assert {promise for promise, _ in BROKEN.values()} == RETRY_PROMISES.keys()


@pytest.mark.parametrize("how", BROKEN)
def test_a_promise_that_retries_broke_is_noticed(how: str) -> None:
    promise, facts = BROKEN[how]

    assert promise in retry_violations(facts)
