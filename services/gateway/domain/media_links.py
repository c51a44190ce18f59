"""Links to media files that anybody may follow who has one, for five minutes."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """Signed with a key of their own, derived from a secret that is the same at every gateway."""

    secret: str = field(repr=False)
    base_url: str  # of the listener that serves them, without a trailing slash

    def link(self, media_id: str, now: datetime) -> str:
        """Where the file is until five minutes from now."""
        expires = int((now + LASTS).timestamp())
        return f"{self.base_url}/media/{media_id}?expires={expires}&signature={self._signature(media_id, expires)}"

    def is_valid(self, media_id: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether a link is one of ours, and its time has not passed."""
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 11):
            return False
        known = hmac.compare_digest(
            self._signature(media_id, int(expires)).encode(), signature.encode("utf-8", "replace")
        )
        return known and now.timestamp() <= int(expires)

    def _signature(self, media_id: str, expires: int) -> str:
        return hmac.new(self.secret.encode(), f"media|{media_id}|{expires}".encode(), hashlib.sha256).hexdigest()
