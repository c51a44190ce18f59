"""Identifiers: unguessable where an API without login takes them, deterministic where work may be repeated."""

import hashlib
import secrets
import string

_BASE62 = (string.digits + string.ascii_letters).encode()
_LENGTH = 22
# A random byte below 4 x 62 is a character, each equally likely; the eight above are thrown away.
_CHARACTERS = (_BASE62 * 5)[:256]
_THROWN_AWAY = bytes(range(4 * 62, 256))


def new_id(prefix: str) -> str:
    """A new identifier such as `pn_…`: the prefix and 22 random base62 characters (131 bits)."""
    characters = b""
    while len(characters) < _LENGTH:  # nearly always once: drawn together, since every message on the bus gets an id
        characters += secrets.token_bytes(32).translate(_CHARACTERS, _THROWN_AWAY)
    return prefix + characters[:_LENGTH].decode()


def new_hex_id() -> str:
    """A new message or conversation id: 24 hex digits (96 random bits), the form of the external send API."""
    return secrets.token_hex(12)


def derived_hex_id(*parts: str) -> str:
    """The same 24 hex digits for the same parts, so that a repetition finds what the first time wrote."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]
