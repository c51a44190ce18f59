"""Time as the product reads and writes it."""

from datetime import UTC, datetime, timedelta, timezone

import time_machine

from shared.clock import iso_millis, utc_now


def test_now_is_aware_and_cut_to_what_the_database_keeps() -> None:
    with time_machine.travel(datetime(2026, 3, 5, 10, 30, 0, 123_999, tzinfo=UTC), tick=False):
        assert utc_now() == datetime(2026, 3, 5, 10, 30, 0, 123_000, tzinfo=UTC)


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    in_zurich = datetime(2026, 3, 5, 11, 30, tzinfo=timezone(timedelta(hours=1)))

    assert iso_millis(in_zurich) == "2026-03-05T10:30:00.000Z"


def test_fractions_are_cut_not_rounded_up_into_the_next_second() -> None:
    assert iso_millis(datetime(2026, 3, 5, 10, 30, 59, 999_999, tzinfo=UTC)) == "2026-03-05T10:30:59.999Z"
