"""Time as the product writes it: aware UTC inside, ISO 8601 with milliseconds and `Z` outside."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, cut to milliseconds, which is all MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def iso_millis(moment: datetime) -> str:
    """Write an aware moment as both API documents do: `2026-03-05T10:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
