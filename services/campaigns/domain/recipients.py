"""A recipient's row, and what is handed over of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.campaigns.domain.states import UNSENT, shown_state
from shared.contracts.campaigns import Recipient
from shared.contracts.messaging import BatchMessage
from shared.ids import derived_hex_id

UPLOAD_SPAN: Final = 10_000_000  # places between the first rows of two uploads


@dataclass(frozen=True, slots=True)
class Row:
    """One recipient; `n` is its place in the order of sending."""

    id: str
    n: int
    phone: str
    state: str
    values: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None
    round: int = 0
    run: int = 0
    releases: int = 0
    code: int | None = None
    failure_class: str | None = None
    reason: str | None = None
    due_at: datetime | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row comes from."""

    upload: str
    n: int
    inserted: int  # the same of the row that came first for this recipient, though it may stand later in the file

    def is_behind(self, upload: str, n: int) -> bool:
        """Whether another row of the same upload stands before it."""
        return self.upload == upload and self.n > n


def recipient_id_of(campaign_id: str, phone: str) -> str:
    """The row of a phone in a campaign."""
    return f"rcp_{derived_hex_id('recipient', campaign_id, phone)}"


def message_id_of(campaign_id: str, recipient_id: str, round_: int) -> str:
    """The one message of a recipient in a round, whoever hands it over and however often."""
    return derived_hex_id(campaign_id, recipient_id, str(round_))


def batch_item(campaign_id: str, row: Row) -> BatchMessage:
    """A row as messaging needs it."""
    return BatchMessage(
        message_id=row.message_id or message_id_of(campaign_id, row.id, row.round),
        recipient_id=row.id,
        to=row.phone,
        variables=dict(row.values),
    )


def shown(row: Row) -> Recipient:
    """A row as the API shows it."""
    is_refused = row.state == "refused"
    was_handed_over = row.state not in {*UNSENT, "skipped", "refused"}
    return Recipient(
        recipient_id=None if is_refused else row.id,
        row=row.n % UPLOAD_SPAN,
        phone=row.phone,
        state=shown_state(row.state),
        message_id=row.message_id if was_handed_over else None,
        round=row.round,
        error_code=row.code,
        error_class=row.failure_class,
        reason=row.reason,
        due_at=row.due_at if row.state == "parked" else None,
        updated_at=row.at,
    )
