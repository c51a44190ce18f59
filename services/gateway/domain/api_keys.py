"""API keys: `wak_live_<id><secret><checksum>`, of which only a keyed hash of the secret is kept.

The checksum refuses typing errors before any look-up. The secret has 256 bits, so a fast keyed hash is enough; the
pepper makes a stolen database useless.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.messaging import Platform
from shared.errors import PermissionDeniedError

_BASE62 = string.digits + string.ascii_letters
_ID_LENGTH = 8
_SECRET_LENGTH = 43  # 62^43 > 2^256
_CHECKSUM_LENGTH = 6  # 62^6 > 2^32
_PREFIX = "wak_live_"
_TOKEN = re.compile(rf"{_PREFIX}([0-9A-Za-z]{{8}})_([0-9A-Za-z]{{43}})([0-9A-Za-z]{{6}})", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class NewKey:
    """What a new key consists of; the secret is known at this moment only."""

    key_id: str
    secret: str

    @property
    def token(self) -> str:
        """What the caller will send as Bearer token."""
        unchecked = f"{prefix_of(self.key_id)}_{self.secret}"
        return unchecked + _checksum(unchecked)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored. It belongs to one phone number."""

    key_id: str
    user_id: str
    name: str
    phone_number_id: str
    meta_phone_number_id: str
    platform: Platform
    permissions: tuple[str, ...]
    secret_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether it may be used at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def require_number(self, phone_id: str) -> None:
        """Raise PermissionDeniedError unless the key is for this number; an unknown one looks the same."""
        if phone_id not in {self.phone_number_id, self.meta_phone_number_id}:
            raise PermissionDeniedError("The API key is not permitted for this phone number", code="phone_not_allowed")

    def require_permission(self, permission: str) -> None:
        """Raise PermissionDeniedError unless the key has the permission."""
        if permission not in self.permissions:
            raise PermissionDeniedError(f"The API key lacks the permission {permission}", code="permission_missing")


def new_key() -> NewKey:
    """A key that nobody has seen."""
    return NewKey(f"key_{_random(_ID_LENGTH)}", _random(_SECRET_LENGTH))


def parse_token(token: str) -> NewKey | None:
    """The parts of a Bearer token, or None when its form or its checksum is wrong."""
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(_checksum(token[:-_CHECKSUM_LENGTH]), match[3]):
        return None
    return NewKey(f"key_{match[1]}", match[2])


def prefix_of(key_id: str) -> str:
    """The harmless beginning of the token, by which people recognise a key in a list."""
    return _PREFIX + key_id.removeprefix("key_")


def hash_secret(pepper: str, secret: str) -> str:
    """HMAC-SHA256 of the secret under the pepper, in hex."""
    return hmac.new(pepper.encode(), secret.encode(), hashlib.sha256).hexdigest()


def is_same_secret(pepper: str, secret: str, stored_hash: str) -> bool:
    """Compare in constant time; give a blank hash for an unknown key, so that it takes as long."""
    return hmac.compare_digest(hash_secret(pepper, secret), stored_hash)


def _random(length: int) -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
