"""What a seed draws: always the same, and all that a run is meant to hold."""

from collections import Counter
from dataclasses import replace

from tests.crash.options import Options
from tests.crash.plan import PASSED, plan
from tests.crash.presets import MUTANTS
from tests.crash.verdicts import PROMISES

SHORT = Options(seed=5)
LONG = Options(messages=100_000, kills=50, brokers=3, databases=3, freezes=5, seed=5)


def test_a_seed_draws_the_same_plan_again() -> None:
    assert plan(SHORT) == plan(replace(SHORT))
    assert plan(SHORT) != plan(replace(SHORT, seed=6))


def test_the_short_run_strikes_ten_times_broker_database_and_a_freeze_among_them() -> None:
    kinds = Counter(strike.target if strike.kind == "kill" else strike.kind for strike in plan(SHORT))

    assert sum(kinds.values()) == 10
    assert (kinds["rabbitmq"], kinds["mongod"], kinds["freeze"]) == (1, 1, 1)
    assert kinds["point"] >= 3


def test_the_long_run_aims_at_every_crash_point_that_its_load_passes_and_kills_every_service() -> None:
    strikes = plan(LONG)

    aimed = {strike.point.partition(":")[0] for strike in strikes if strike.kind == "point"}
    hit = {strike.target for strike in strikes}
    assert aimed == PASSED
    assert {"gateway", "messaging", "messaging-2", "templates", "webhooks"} <= hit
    assert len(strikes) == 61


def test_deliberate_bugs_are_looked_for_by_promises_that_exist() -> None:
    assert {promise for mutant in MUTANTS.values() for promise in mutant.breaks} <= PROMISES.keys()


def test_every_strike_has_messages_before_and_after_it() -> None:
    strikes = plan(SHORT)

    edges = [edge for strike in strikes for edge in (strike.after, strike.until)]
    assert edges == sorted(edges)
    assert edges[-1] < SHORT.messages


def test_whoever_is_told_again_and_again_dies_in_between() -> None:
    for seed in range(200):
        hit = {
            strike.target.removesuffix("-2") for strike in plan(replace(SHORT, seed=seed)) if strike.kind != "freeze"
        }

        assert {"webhooks", "messaging", "agents"} <= hit
