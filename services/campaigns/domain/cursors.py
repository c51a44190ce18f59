"""Where a page ended, as text that a caller hands back."""

from datetime import datetime

from shared.clock import iso_millis
from shared.errors import InvalidInputError


def campaign_cursor(created_at: datetime, campaign_id: str) -> str:
    """After this campaign."""
    return f"{iso_millis(created_at)}_{campaign_id}"


def read_campaign_cursor(cursor: str) -> tuple[datetime, str]:
    """Moment and id. Raises InvalidInputError for a cursor that is none of ours."""
    moment, _, campaign_id = cursor.partition("_")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise _unknown() from None
    if at.tzinfo is None or not campaign_id:
        raise _unknown()
    return at, campaign_id


def read_row_cursor(cursor: str) -> int:
    """The place of a row. Raises InvalidInputError for a cursor that is none of ours."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise _unknown()
    return int(cursor)


def _unknown() -> InvalidInputError:
    message = "cursor query parameter must be the next_cursor of an earlier page"
    return InvalidInputError(message, details=[{"field": "cursor", "message": message}])
