"""Who a trusted proxy says is asking: a token of a minute at most, with the users that this person may act for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.errors import UnauthenticatedError

HEADER = "X-WA-Identity"
MAX_LIFETIME = timedelta(seconds=60)
LEEWAY = timedelta(seconds=5)  # proxy and gateway stand side by side
MIN_SECRET_BYTES = 32  # RFC 7518, 3.2: a key of the hash's size for HS256
EVERY_USER = "*"

_PEM = "-----BEGIN PUBLIC KEY-----"
_REQUIRED = ("sub", "aud", "iat", "exp", "user_ids")


class IdentityKeyError(ValueError):
    """A key that cannot check identities; the text says what it should be."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, and the users whose things they may see and change."""

    name: str
    user_ids: frozenset[str]

    def may_act_for(self, user_id: str) -> bool:
        """Whether this user is one of theirs."""
        return user_id in self.user_ids or EVERY_USER in self.user_ids


@dataclass(frozen=True, slots=True, repr=False)
class IdentityKey:
    """What the proxy's tokens are checked with. The key decides on the algorithm, never the token."""

    key: Ed25519PublicKey | str
    audience: str

    @classmethod
    def parse(cls, text: str, audience: str) -> "IdentityKey":
        """Read an Ed25519 public key in PEM, or a shared secret of at least 32 bytes. Raises IdentityKeyError."""
        if text.startswith(_PEM):
            return cls(_ed25519(text), audience)
        if len(text.encode()) < MIN_SECRET_BYTES:
            raise IdentityKeyError(f"must be an Ed25519 public key in PEM, or have at least {MIN_SECRET_BYTES} bytes")
        return cls(text, audience)

    def verify(self, token: str) -> Identity:
        """The identity that a token states. Raises UnauthenticatedError for one that does not hold."""
        algorithm = "HS256" if isinstance(self.key, str) else "EdDSA"
        try:
            options: Any = {"require": list(_REQUIRED)}
            claims = jwt.decode(
                token, self.key, algorithms=[algorithm], audience=self.audience, options=options, leeway=LEEWAY
            )
            lifetime = int(claims["exp"]) - int(claims["iat"])
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise _refused() from None
        if lifetime > MAX_LIFETIME.total_seconds() or not _is_list_of_texts(claims["user_ids"]):
            raise _refused()
        return Identity(str(claims["sub"]), frozenset(claims["user_ids"]))


def _ed25519(text: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(text.encode())
    except ValueError:
        raise IdentityKeyError("is a PEM that cannot be read") from None
    if not isinstance(key, Ed25519PublicKey):
        raise IdentityKeyError("is a public key, but not of Ed25519")
    return key


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        f"The dashboard API is used through a proxy that says who asks ({HEADER})", code="invalid_identity"
    )
