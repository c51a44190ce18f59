"""What Meta says about a template's status, and which of two sayings counts.

News of a template comes by webhook and by listing, late, twice and in any order. Each saying has a place in one total
order; a template keeps the latest. Sayings of the same second are ordered by how far along a template's life they are.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.clock import iso_millis

DRAFT = "DRAFT"
PENDING = "PENDING"
REJECTED = "REJECTED"
APPROVED = "APPROVED"
DELETED = "DELETED"

# From the beginning of a template's life to its end.
_LIFE = (
    DRAFT,
    PENDING,
    "IN_APPEAL",
    "LIMIT_EXCEEDED",
    REJECTED,
    APPROVED,
    "PAUSED",
    "DISABLED",
    "ARCHIVED",
    "PENDING_DELETION",
    DELETED,
)

# Events that are called otherwise than the status they lead to. An archived template that comes back had been in use.
_BACK_IN_USE = {"REINSTATED": APPROVED, "UNARCHIVED": APPROVED}


@dataclass(frozen=True, slots=True)
class StatusAtMeta:
    """A status and when it held at Meta."""

    status: str
    at: datetime
    rejected_reason: str | None = None
    explanation: str | None = None  # what Meta tells people about it

    @property
    def order(self) -> str:
        """A text that sorts as the sayings do: by time, then by stage of life, then by reason."""
        rank = _LIFE.index(self.status) if self.status in _LIFE else len(_LIFE)
        return f"{iso_millis(self.at)}|{rank:02d}|{self.status}|{self.rejected_reason or ''}"


def drafted() -> StatusAtMeta:
    """The status of a draft: whatever Meta says of it later, by whatever clock, comes after."""
    return StatusAtMeta(DRAFT, datetime(1970, 1, 1, tzinfo=UTC))


def decided(status: str, at: datetime, known_order: str) -> StatusAtMeta:
    """A status that we have brought about ourselves: it comes after what is known, though Meta's clock be ahead."""
    known_at = datetime.fromisoformat(known_order.partition("|")[0])
    return StatusAtMeta(status, max(at, known_at + timedelta(milliseconds=1)))


def status_after(event: str) -> str | None:
    """The status that a template event leads to; None when it leaves the status as it is (FLAGGED, LOCKED, unknown)."""
    event = event.upper()
    return _BACK_IN_USE.get(event) or (event if event in _LIFE and event != DRAFT else None)


def reason_or_none(reason: str | None) -> str | None:
    """Meta writes NONE where there is no reason."""
    return None if reason is None or reason.upper() == "NONE" else reason
