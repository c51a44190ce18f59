"""What comes after an attempt: the schedule, Retry-After, and the ends."""

from datetime import UTC, datetime, timedelta

import pytest

from services.webhooks.domain.deliveries import Answer, Verdict, judge, retry_after_seconds

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def judged(
    status_code: int | None, *, attempts_made: int = 1, jitter: float = 1.0, retry_after: str | None = None
) -> Verdict:
    answer = Answer(status_code, latency_ms=12, retry_after=retry_after)
    return judge(answer, attempts_made=attempts_made, now=NOON, jitter=jitter)


@pytest.mark.parametrize("status_code", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status_code: int) -> None:
    assert judged(status_code) == Verdict("delivered")


@pytest.mark.parametrize("status_code", [None, 100, 199, 300, 301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status_code: int | None) -> None:
    assert judged(status_code) == Verdict("pending", NOON + timedelta(seconds=5))


def test_gone_disables_the_endpoint_and_keeps_the_delivery_for_its_return() -> None:
    assert judged(410) == Verdict("pending", NOON, disables_endpoint=True)
    assert judged(410, attempts_made=10) == Verdict("failed", disables_endpoint=True)


@pytest.mark.parametrize(
    ("attempts_made", "seconds"),
    [
        (1, 5),
        (2, 5 * 60),
        (3, 30 * 60),
        (4, 2 * 3600),
        (5, 5 * 3600),
        (6, 10 * 3600),
        (7, 14 * 3600),
        (8, 20 * 3600),
        (9, 24 * 3600),
    ],
)
def test_the_pauses_are_those_of_standard_webhooks_give_or_take_a_fifth(attempts_made: int, seconds: int) -> None:
    assert judged(500, attempts_made=attempts_made).next_attempt_at == NOON + timedelta(seconds=seconds)
    shortest = judged(500, attempts_made=attempts_made, jitter=0.8).next_attempt_at
    assert shortest == NOON + timedelta(seconds=seconds * 0.8)


def test_the_tenth_attempt_is_the_last() -> None:
    assert judged(500, attempts_made=10) == Verdict("failed")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("3", 5),
        ("999999999999", 86_400),
        ("Thu, 05 Mar 2026 12:10:00 GMT", 600),
        ("Thu, 05 Mar 2026 11:00:00 GMT", 5),
        ("Thu, 05 Mar 2036 12:00:00 GMT", 86_400),
        ("-5", 5),
        ("soon", 5),
        ("", 5),
        ("٣", 5),
    ],
)
def test_retry_after_may_lengthen_a_pause_up_to_a_day_and_never_shorten_it(header: str, seconds: int) -> None:
    assert judged(503, retry_after=header).next_attempt_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("header", ["Thu, 99 Mar 2026 12:10:00 GMT", "\x00", "1e9", "Thu, 05 Mar 2026 12:10:00 -0000"])
def test_a_strange_retry_after_never_fails(header: str) -> None:
    assert 0 <= retry_after_seconds(header, NOON) <= 86_400
