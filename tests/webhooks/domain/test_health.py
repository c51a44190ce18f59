"""The breaker, the pace and the end of patience, by the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from services.webhooks.domain.health import Health, next_limit

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def after(outcomes: str, *, apart_seconds: float = 1.0, health: Health | None = None) -> tuple[Health, datetime]:
    """The health after attempts, `+` or `-`, from noon on, and the time of the last one."""
    now, health = NOON - timedelta(seconds=apart_seconds), health or Health()
    for outcome in outcomes:
        now += timedelta(seconds=apart_seconds)
        health = health.after_success(now) if outcome == "+" else health.after_failure(now)
    return health, now


def test_ten_failures_in_a_row_open_the_breaker_for_thirty_seconds() -> None:
    nine, at = after("-" * 9)
    ten, later = after("-" * 10)

    assert not nine.is_open(at)
    assert ten.is_open(later + timedelta(seconds=29.9))
    assert not ten.is_open(later + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("outcomes", "is_open"),
    [
        ("+++" + "-" * 7, True),  # 70 % of ten
        ("++++" + "-" * 6, False),
        ("-" * 6 + "+++" + "-", True),  # in any order
        ("--", False),  # too few to judge
    ],
)
def test_seven_failures_of_ten_within_five_minutes_open_it_as_well(outcomes: str, is_open: bool) -> None:
    health, at = after(outcomes)

    assert health.is_open(at) is is_open


def test_attempts_of_more_than_five_minutes_ago_do_not_count() -> None:
    health, at = after("-" * 9, apart_seconds=60)

    assert health.failures_in_a_row == 9
    assert not health.after_success(at).after_failure(at + timedelta(seconds=1)).is_open(at + timedelta(seconds=1))


def test_each_failed_probe_doubles_the_pause_up_to_an_hour() -> None:
    health, now = after("-" * 10)
    pauses = []
    for _ in range(9):
        assert health.open_until is not None
        now = health.open_until
        health = health.after_failure(now)
        assert health.open_until is not None
        pauses.append((health.open_until - now).total_seconds())

    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_failures_of_attempts_that_had_begun_before_it_opened_do_not_lengthen_the_pause() -> None:
    health, at = after("-" * 10)

    assert health.after_failure(at).after_failure(at).open_until == health.open_until


def test_one_success_closes_it_and_forgets_what_was_before() -> None:
    health, at = after("-" * 10)

    healed = health.after_success(at + timedelta(seconds=30))

    assert not healed.is_probing
    assert not healed.after_failure(at + timedelta(seconds=31)).is_open(at + timedelta(seconds=31))


def test_an_endpoint_is_hopeless_after_120_hours_of_nothing_but_failures() -> None:
    health, at = after("-" * 11, apart_seconds=12 * 3600)

    assert at == NOON + timedelta(hours=120)
    assert health.is_hopeless(at)
    assert not after("-" * 10, apart_seconds=12 * 3600)[0].is_hopeless(at - timedelta(hours=12))


def test_a_success_in_between_starts_the_120_hours_anew() -> None:
    health, at = after("-" * 5 + "+" + "-" * 5, apart_seconds=12 * 3600)

    assert not health.is_hopeless(at)


def test_a_single_failure_long_after_another_is_no_five_days_of_failing() -> None:
    health, at = after("--", apart_seconds=121 * 3600)

    assert not health.is_hopeless(at)


def test_the_pace_rises_by_one_for_each_success_to_32_and_falls_to_4_with_a_failure() -> None:
    health, limit, paces = Health(), 4, []
    for number in range(40):
        now = NOON + timedelta(seconds=number / 10)
        health = health.after_success(now)
        limit = next_limit(limit, health, now, succeeded=True)
        paces.append(limit)
    failed = health.after_failure(NOON + timedelta(seconds=5))

    assert paces[:3] == [5, 6, 7]
    assert paces[-1] == 32
    assert next_limit(limit, failed, NOON + timedelta(seconds=5), succeeded=False) == 4


def test_the_pace_stays_at_4_while_the_last_minute_is_below_99_percent() -> None:
    health, at = after("-" + "+" * 98, apart_seconds=0.5)

    assert next_limit(4, health, at, succeeded=True) == 4
    much_later = at + timedelta(seconds=70)
    assert next_limit(4, health.after_success(much_later), much_later, succeeded=True) == 5


def test_a_probing_endpoint_is_given_one_delivery_at_a_time() -> None:
    health, at = after("-" * 10)

    assert next_limit(32, health, at, succeeded=False) == 1
