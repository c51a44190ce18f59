"""Identifiers: unguessable where an API without login takes them, deterministic where work may be repeated."""

import hashlib
import secrets
import string

_BASE62 = string.digits + string.ascii_letters
_LENGTH = 22
_POSSIBILITIES = 62**_LENGTH


def new_id(prefix: str) -> str:
    """A new identifier such as `pn_…`: the prefix and 22 random base62 characters (131 bits)."""
    number = secrets.randbelow(_POSSIBILITIES)  # drawn once: every message on the bus gets an id
    characters = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 62)
        characters.append(_BASE62[digit])
    return prefix + "".join(characters)


def new_hex_id() -> str:
    """A new message or conversation id: 24 hex digits (96 random bits), the form of the external send API."""
    return secrets.token_hex(12)


def derived_hex_id(*parts: str) -> str:
    """The same 24 hex digits for the same parts, so that a repetition finds what the first time wrote."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]
