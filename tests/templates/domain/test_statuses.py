"""Which of two sayings about a status counts."""

from datetime import UTC, datetime, timedelta

import pytest

from services.templates.domain.statuses import StatusAtMeta, reason_or_none, status_after

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("APPROVED", "APPROVED"),
        ("rejected", "REJECTED"),
        ("PAUSED", "PAUSED"),
        ("DELETED", "DELETED"),
        ("PENDING_DELETION", "PENDING_DELETION"),
        ("REINSTATED", "APPROVED"),
        ("UNARCHIVED", "APPROVED"),
        ("FLAGGED", None),
        ("LOCKED", None),
        ("DRAFT", None),
        ("SOMETHING_NEW", None),
    ],
)
def test_an_event_leads_to_a_status_or_leaves_it(event: str, status: str | None) -> None:
    assert status_after(event) == status


def test_the_later_saying_counts() -> None:
    assert StatusAtMeta("PAUSED", NOON).order < StatusAtMeta("APPROVED", NOON + timedelta(seconds=1)).order


def test_of_the_same_moment_the_later_stage_of_life_counts() -> None:
    assert StatusAtMeta("PENDING", NOON).order < StatusAtMeta("APPROVED", NOON).order
    assert StatusAtMeta("APPROVED", NOON).order < StatusAtMeta("PAUSED", NOON).order
    assert StatusAtMeta("PAUSED", NOON).order < StatusAtMeta("DELETED", NOON).order


def test_of_the_same_moment_and_stage_the_reason_decides_so_that_every_order_of_arrival_ends_alike() -> None:
    one, other = (StatusAtMeta("REJECTED", NOON, reason).order for reason in ("INVALID_FORMAT", "SCAM"))

    assert one != other


def test_metas_none_is_no_reason() -> None:
    assert [reason_or_none(reason) for reason in ("NONE", None, "SCAM")] == [None, None, "SCAM"]
