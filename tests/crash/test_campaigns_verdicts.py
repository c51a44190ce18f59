"""Each promise of campaigns is broken here once, in the smallest way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.crash.campaigns_facts import CampaignFacts, Credits, Row
from tests.crash.campaigns_load import Made, Stop
from tests.crash.campaigns_verdicts import CAMPAIGN_PROMISES, UNDER_WAY, UNKNOWN, campaign_violations

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def shown(status: str, total: int, called: int, **stats: int) -> dict[str, object]:
    counts = {"pending": 0, "sent": 0, "delivered": called, "read": called, "failed": 0, **stats}
    counters = dict.fromkeys(("sent_count", "delivered_count", "read_count"), called)
    return {"status": status, "total_recipients": total, "recipient_stats": counts, "paused_reason": None, **counters}


PAUSED = Made("k1", "paused", ("+1", "+2"), "camp_1", stops=[Stop(NOON, NOON + SECOND)])
CANCELLED = Made("k2", "cancelled", ("+3", "+4"), "camp_2", is_cancelled=True, stops=[Stop(NOON)])
OPTED_OUT = Made("k3", "opted_out", ("+5", "+6"), "camp_3", stops=[Stop(NOON, phone="+6")])
SHOWN = {
    "camp_1": shown("COMPLETED", 2, 1, failed=1),
    "camp_2": shown("CANCELLED", 2, 1, skipped=1),
    "camp_3": shown("COMPLETED", 2, 1, skipped=1),
}
READ, SKIPPED = Row("read"), Row("skipped")
ROWS = {"+1": READ, "+2": UNKNOWN, "+3": READ, "+4": SKIPPED, "+5": READ, "+6": SKIPPED}
CALLS = {"+1": (NOON + SECOND,), "+3": (NOON,), "+5": (NOON + SECOND,)}
FINE = CampaignFacts(
    made=(PAUSED, CANCELLED, OPTED_OUT),
    shown=SHOWN,
    rows=ROWS,
    calls=CALLS,
    intents={"+1": NOON + SECOND, "+2": NOON - SECOND, "+3": NOON - SECOND, "+5": NOON + SECOND},
    credits=Credits(granted=100, remaining=96, used=3),
    may_be_unknown=1,
)
# The same while the campaign still waits for news of +2, of whom only Meta knows.
WAITING = replace(
    FINE,
    shown=SHOWN | {"camp_1": shown("RUNNING", 2, 1, pending=1)},
    rows=ROWS | {"+2": Row("pending")},
    in_doubt=frozenset({"+2"}),
)
STOPPED = "nothing is intended after pause, cancel or opt-out"
EVERYBODY = "campaigns address everybody"
COUNTERS = "counters of campaigns are the truth"

BROKEN = {
    "a campaign that nobody was told of": (
        "campaigns are made once, as asked for",
        replace(FINE, shown=SHOWN | {"camp_9": shown("COMPLETED", 0, 0)}),
    ),
    "recipients that were not taken over": (
        "campaigns are made once, as asked for",
        replace(FINE, shown=SHOWN | {"camp_1": shown("COMPLETED", 1, 1)}),
    ),
    "a campaign that does not end": (
        "campaigns come to their end",
        replace(FINE, shown=SHOWN | {"camp_1": shown("RUNNING", 2, 1, failed=1)}),
    ),
    "a cancelled campaign that completes": (
        "campaigns come to their end",
        replace(FINE, shown=SHOWN | {"camp_2": shown("COMPLETED", 2, 1, skipped=1)}),
    ),
    "a campaign that waits for nobody": (
        "campaigns come to their end",
        replace(WAITING, rows=ROWS, in_doubt=frozenset({"+7"})),
    ),
    "somebody who waits without being in doubt": (EVERYBODY, replace(WAITING, in_doubt=frozenset())),
    "a doubt that no kill explains": (EVERYBODY, replace(WAITING, may_be_unknown=0)),
    "a credit that a doubt does not explain": (
        "credits are conserved",
        replace(WAITING, credits=Credits(100, 95, 3)),
    ),
    "two calls": ("campaigns address nobody twice", replace(FINE, calls=CALLS | {"+1": CALLS["+1"] * 2})),
    "nobody called": (EVERYBODY, replace(FINE, rows=ROWS | {"+6": Row("read")})),
    "somebody left out": (EVERYBODY, replace(FINE, rows=ROWS | {"+2": SKIPPED})),
    "more unknown than kills explain": (EVERYBODY, replace(FINE, may_be_unknown=0)),
    "an intent during a pause": (STOPPED, replace(FINE, intents={"+2": NOON + SECOND / 2})),
    "an intent after an opt-out": (STOPPED, replace(FINE, intents={"+6": NOON + SECOND})),
    "a call long after a cancel": (STOPPED, replace(FINE, calls=CALLS | {"+3": (NOON + UNDER_WAY + SECOND,)})),
    "counters that do not add up": (COUNTERS, replace(FINE, shown=SHOWN | {"camp_1": shown("COMPLETED", 2, 1)})),
    "counters without calls": (COUNTERS, replace(FINE, shown=SHOWN | {"camp_1": shown("COMPLETED", 2, 2)})),
    "a credit that is lost": ("credits are conserved", replace(FINE, credits=Credits(100, 95, 3))),
    "a credit for nothing": ("credits are conserved", replace(FINE, credits=Credits(100, 95, 4))),
}


def test_campaigns_that_kept_their_promises_are_not_accused() -> None:
    assert campaign_violations(FINE) == {}
    assert campaign_violations(WAITING) == {}


def test_every_promise_of_campaigns_is_broken_in_this_file() -> None:
    assert {promise for promise, _ in BROKEN.values()} == CAMPAIGN_PROMISES.keys()


@pytest.mark.parametrize("how", BROKEN)
def test_a_promise_that_campaigns_broke_is_noticed(how: str) -> None:
    promise, facts = BROKEN[how]

    assert promise in campaign_violations(facts)
