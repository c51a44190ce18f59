"""A judge that lets everything pass proves nothing: each promise is broken here once, in the smallest way."""

from dataclasses import replace

import pytest

from tests.crash.dashboard import Asked, Done
from tests.crash.facts import Call, Facts, Stored
from tests.crash.load import Posted
from tests.crash.office import Balance, OfficeFacts
from tests.crash.taps import Clicks
from tests.crash.verdicts import PROMISES, calls_per_message, violations

TEXT = Posted("text", "+491510", "key-0", status=200, wamid="wamid.0", ids={"m0"})
CODE = Posted("otp", "+491511", "key-1", status=202, ids={"m1"})
HELD = Posted("marketing", "+491512", "key-2", status=202, ids={"m2"})

CALLS: dict[str, tuple[Call, ...]] = {
    "m0": (Call("wamid.0", "+491510"),),
    "m1": (Call("wamid.1", "+491511"), Call("wamid.1b", "+491511")),
}

DONE = Done(templates={"crash_0": "tpl_0"}, others=[Asked("/api/v1/templates/tpl_0/submit", "submit-0", 200)])
OFFICE = OfficeFacts(
    done=DONE,
    at_meta=[("crash_0", "APPROVED")],
    here=[("crash_0", "APPROVED")],
    ids_here={"crash_0": "tpl_0"},
    balance=Balance(granted=10_100, free=10_097, used=2, reserved=1),
    calls=["49170990", "49170991"],
    unknown=1,
)

LISTED = (("+49161", "Good"), ("+49162", "Good"), ("+49162", "Bad"), ("+49163", "Bad"), ("+49163", "Bad"))

FINE = Facts(
    posted=(TEXT, CODE, HELD),
    calls=CALLS,
    stored={
        "m0": Stored("SENT", "service", "+491510", "wamid.0", rank=5),
        "m1": Stored("SENT", "authentication", "+491511", "wamid.1b", rank=5, resends=1),
        "m2": Stored("UNKNOWN", "marketing", "+491512"),
    },
    events={"message.sent:m0": 1, "message.sent:m1": 3},
    unverified=0,
    may_be_unknown=1,
    written={"+49160": ("<0-0>", "<0-1>")},
    answers={"+49160": ("You wrote: <0-0>", "You wrote: <0-1>")},
    tapped={"+49161": ("Good",), "+49162": ("Good", "Bad"), "+49163": ("Bad", "Bad")},
    clicks=Clicks(LISTED, {"Good": (2, 2), "Bad": (3, 2)}),
    told={"m0": ("sent", "read", "delivered"), "m1": ("sent", "failed")},
    ranks={"m0": 5, "m1": 3, "m2": 0},
    office=OFFICE,
)


def without(facts: Facts, message_id: str) -> dict[str, Stored]:
    return {known: stored for known, stored in facts.stored.items() if known != message_id}


def with_m0(**changes: object) -> dict[str, Stored]:
    return {**FINE.stored, "m0": replace(FINE.stored["m0"], **changes)}  # type: ignore[arg-type]


def there(**changes: object) -> Facts:
    return replace(FINE, office=replace(OFFICE, **changes))  # type: ignore[arg-type]


BROKEN = {
    "the dashboard gets the answers it should": there(
        done=replace(DONE, others=[Asked("/api/v1/templates", "k", 500)])
    ),
    "a submitted template exists once, at Meta as here": there(here=[("crash_0", "APPROVED")] * 2),
    "free, reserved and used are what was granted": there(calls=["49170990"]),
    "agents answer every message": replace(FINE, answers={"+49160": ("You wrote: <0-1>",)}),
    "agents answer once": replace(FINE, answers={"+49160": ("You wrote: <0-0>", "You wrote: <0-0> / <0-1>")}),
    "a tap is one click": replace(FINE, clicks=replace(FINE.clicks, listed=(*LISTED, ("+49161", "Good")))),
    "every message has the last of its statuses": replace(FINE, ranks={**FINE.ranks, "m0": 4}),
    "every request is accepted in the end": replace(FINE, posted=(TEXT, CODE, replace(HELD, status=0, ids={"m2"}))),
    "G1 nothing that was accepted is lost": replace(FINE, stored=without(FINE, "m2")),
    "G1 what was answered is what is stored": replace(FINE, stored=with_m0(wamid="wamid.other")),
    "one Idempotency-Key makes one message": replace(FINE, posted=(TEXT, CODE, replace(HELD, ids={"m2", "m3"}))),
    "nothing is sent that nobody asked for": replace(FINE, calls={**CALLS, "m9": (Call("wamid.9", "+1"),)}),
    "G2 Meta is called at most once": replace(FINE, calls={**CALLS, "m0": CALLS["m0"] * 2}),
    "G3 a code is repeated only as declared": replace(FINE, calls={**CALLS, "m1": CALLS["m1"] * 2}),
    "nobody gets two messages for one": replace(FINE, calls={**CALLS, "m2": (Call("wamid.2", "+491510"),)}),
    "G4 nothing is SENT without a call": replace(FINE, calls={"m1": CALLS["m1"]}),
    "G5 one message.sent for each SENT message": replace(FINE, events={"message.sent:m0": 1}),
    "deliveries are signed": replace(FINE, unverified=1),
    "no status is lost": replace(FINE, stored=with_m0(rank=4)),
    "G7 nothing called stays UNKNOWN": replace(FINE, calls={**CALLS, "m2": (Call("wamid.2", "+491512"),)}),
    "every UNKNOWN and FAILED is explained": replace(FINE, may_be_unknown=0),
}


def test_a_run_that_kept_its_promises_is_not_accused() -> None:
    assert violations(FINE) == {}


def test_every_promise_is_broken_once_in_this_file() -> None:
    assert BROKEN.keys() == PROMISES.keys()


@pytest.mark.parametrize("promise", BROKEN)
def test_a_broken_promise_is_noticed(promise: str) -> None:
    assert promise in violations(BROKEN[promise])


def test_an_answer_of_which_only_meta_knows_counts_as_given_and_as_unknown() -> None:
    doubted = replace(
        FINE, answers={"+49160": ("You wrote: <0-1>",)}, in_doubt={"+49160": ("You wrote: <0-0>",)}, may_be_unknown=2
    )

    assert violations(doubted) == {}
    assert "every UNKNOWN and FAILED is explained" in violations(replace(doubted, may_be_unknown=1))


@pytest.mark.parametrize(
    "clicks",
    [
        Clicks(LISTED[1:], FINE.clicks.totals),
        Clicks((*LISTED, ("+49169", "Good")), FINE.clicks.totals),
        Clicks(LISTED, {"Good": (3, 2), "Bad": (3, 2)}),
        Clicks(LISTED, {"Good": (2, 2), "Bad": (3, 3)}),
        Clicks(LISTED, {"Good": (2, 2)}),
        Clicks(LISTED, {**FINE.clicks.totals, "Ugly": (1, 1)}),
    ],
)
def test_taps_that_are_not_one_click_each_are_noticed(clicks: Clicks) -> None:
    assert violations(replace(FINE, clicks=clicks)).keys() == {"a tap is one click"}


@pytest.mark.parametrize("ranks", [{"m1": 2}, {"m1": 5}, {"m2": 2}])
def test_a_status_that_is_not_metas_last_is_noticed(ranks: dict[str, int]) -> None:
    broken = violations(replace(FINE, ranks={**FINE.ranks, **ranks}))

    assert broken.keys() == {"every message has the last of its statuses"}


def test_a_button_that_was_tapped_twice_may_be_answered_twice_but_not_three_times() -> None:
    written = {"+49163": ("Bad", "Bad")}
    twice = replace(FINE, written=written, answers={"+49163": ("You wrote: Bad",) * 2})
    thrice = replace(FINE, written=written, answers={"+49163": ("You wrote: Bad",) * 3})

    assert violations(twice) == {}
    assert violations(thrice).keys() == {"agents answer once"}


def test_an_event_for_a_message_that_was_not_sent_is_noticed() -> None:
    facts = replace(FINE, events={**FINE.events, "message.sent:m2": 1})

    assert "G5 one message.sent for each SENT message" in violations(facts)


@pytest.mark.parametrize(
    "changes",
    [
        {"here": [("crash_0", "PENDING")]},
        {"here": [("crash_0", "DRAFT")], "at_meta": []},
        {"at_meta": [("crash_0", "APPROVED")] * 2},
        {"ids_here": {"crash_0": "tpl_1"}},
        {"done": replace(DONE, deleted={"crash_0"})},
        {"here": [*OFFICE.here, ("crash_1", "APPROVED")]},
    ],
)
def test_a_template_that_is_not_what_it_should_be_is_noticed(changes: dict[str, object]) -> None:
    assert "a submitted template exists once, at Meta as here" in violations(there(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"granted": 20_100, "free": 20_097},
        {"free": 10_098},
        {"used": 1, "free": 10_098},
        {"reserved": 0, "free": 10_098},
        {"rebuild_changes_it": True},
    ],
)
def test_credits_that_do_not_add_up_are_noticed(changes: dict[str, int]) -> None:
    facts = there(balance=replace(OFFICE.balance, **changes))  # type: ignore[arg-type]

    assert "free, reserved and used are what was granted" in violations(facts)


def test_a_submission_whose_first_answer_was_lost_is_no_complaint() -> None:
    lost = Asked("/api/v1/templates/tpl_0/submit", "submit-0", 409, code="template_status")

    assert violations(there(done=replace(DONE, others=[lost]))) == {}


def test_an_answer_that_nobody_should_get_is_noticed() -> None:
    facts = replace(FINE, posted=(TEXT, CODE, replace(HELD, strange="500 internal error")))

    assert violations(facts) == {
        "every request is accepted in the end": ["key-2 (marketing) was answered 500 internal error"]
    }


def test_calls_are_counted_by_class_and_message() -> None:
    assert calls_per_message(FINE) == {"authentication": {"2": 1}, "marketing": {"0": 1}, "service": {"1": 1}}
