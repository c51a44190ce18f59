"""The token that a web chat visitor's browser holds: who they are here, on which channel, on which site, until when.

It is signed, not stored. The keys are derived from the master keys, so that it survives a rotation of those.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.errors import UnauthenticatedError

LIFETIME = timedelta(hours=24)

_PREFIX = "wvt_"
_PURPOSE = b"waapi webchat visitor token v1"
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """What a token says. `webchat_id` is the id that stands in the path, the channel's own or its agent's."""

    session_id: str
    webchat_id: str
    origin: str
    expires_at: datetime

    def signed(self, master_key: bytes) -> str:
        """The token as the browser keeps it."""
        claims = [self.session_id, self.webchat_id, self.origin, int(self.expires_at.timestamp())]
        payload = _encoded(json.dumps(claims, separators=(",", ":")).encode())
        return f"{_PREFIX}{payload}.{_signature(payload, master_key)}"


def read_visitor_token(text: str | None, master_keys: Iterable[bytes], now: datetime) -> VisitorToken:
    """The token, once its signature has been checked. Raises UnauthenticatedError for any other text."""
    payload, _, signature = (text or "")[:_LONGEST].removeprefix(_PREFIX).partition(".")
    given = signature.encode()
    if not any([hmac.compare_digest(_signature(payload, key).encode(), given) for key in master_keys]):
        raise UnauthenticatedError("Missing or invalid session token", code="invalid_session")
    try:
        session_id, webchat_id, origin, expires = json.loads(base64.urlsafe_b64decode(payload + "=="))
    except (binascii.Error, ValueError):  # signed by us, but by another version
        raise UnauthenticatedError("Missing or invalid session token", code="invalid_session") from None
    expires_at = datetime.fromtimestamp(expires, UTC)
    if expires_at <= now:
        raise UnauthenticatedError("The session has expired; open a new one", code="session_expired")
    return VisitorToken(session_id, webchat_id, origin, expires_at)


def _signature(payload: str, master_key: bytes) -> str:
    key = hmac.new(master_key, _PURPOSE, hashlib.sha256).digest()
    return _encoded(hmac.new(key, payload.encode(), hashlib.sha256).digest())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
