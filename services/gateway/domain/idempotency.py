"""When a repeated POST gets the first answer again, has to wait, or runs again with the same ids."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.errors import ConflictError, IdempotencyMismatchError, InvalidInputError

RETENTION = timedelta(hours=24)

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is known of a request that came with an Idempotency-Key."""

    record_id: str
    body_hash: str
    sealed_fixed: str  # the ids (and secrets) fixed for the work, so that a second run makes the same things
    lease: str
    lease_until: datetime
    status: int | None = None
    sealed_body: str | None = None


def record_id(route: str, owner: str, key: str) -> str:
    """One id for route, owner (API key or user) and key. Raises InvalidInputError for a key of another form."""
    require_key_form(key)
    return digest("\n".join((route, owner, key)).encode())


def require_key_form(key: str) -> None:
    """Raise InvalidInputError for a key that is not 1 to 255 printable ASCII characters."""
    if not _KEY.fullmatch(key):
        raise InvalidInputError(
            "Idempotency-Key must have 1 to 255 printable ASCII characters", code="invalid_idempotency_key"
        )


def digest(raw: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(raw).hexdigest()


def judge(record: IdempotencyRecord, body_hash: str, now: datetime) -> Literal["replay", "run"]:
    """What a repetition of the recorded request gets.

    Raises IdempotencyMismatchError when the body is another, ConflictError while the first is still worked on.
    """
    if record.body_hash != body_hash:
        raise IdempotencyMismatchError("This Idempotency-Key was used with another body")
    if record.status is not None:
        return "replay"
    if now < record.lease_until:
        seconds = int((record.lease_until - now).total_seconds()) + 1
        raise ConflictError(
            "A request with this Idempotency-Key is still being worked on",
            code="idempotency_in_progress",
            retry_after_seconds=seconds,
        )
    return "run"


def is_kept(status: int) -> bool:
    """Whether an answer is given again to a repetition.

    A 202 is not (a repetition is told the present state), nor is what may change by waiting (409, 429, 500, 503,
    504). Neither are 401 and 403: a key that was given a permission may use it at once.
    """
    if status in {202, 401, 403, 409, 429}:
        return False
    return 200 <= status < 500 or status == 502
