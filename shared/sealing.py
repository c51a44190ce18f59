"""Secrets at rest and on the bus: AES-256-GCM under a key ring, bound to the document and field they belong to."""

import base64
import binascii
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12  # 96 bits, the size NIST SP 800-38D recommends for GCM
_KEY_BYTES = 32


class SealingError(Exception):
    """A key ring that cannot be used, or a sealed value that does not open here."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The master keys by id; the first one seals, all of them open."""

    keys: dict[str, bytes]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `kid:base64[,kid:base64…]`, each key 32 bytes.

        Raises SealingError naming the entry that is wrong, never its value.
        """
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
            kid, separator, encoded = entry.partition(":")
            if not (kid and separator):
                raise SealingError(f"MASTER_KEYS entry {number} is not of the form kid:base64")
            keys[kid] = _decode_key(kid, encoded)
        if not keys:
            raise SealingError("MASTER_KEYS holds no key")
        return cls(keys)

    def seal(self, plain: str, *, owner_id: str, field: str) -> str:
        """Encrypt `plain` for the field of one document; the result is `v1.kid.base64`."""
        kid, key = next(iter(self.keys.items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, plain.encode(), _associated(owner_id, field))
        return f"v1.{kid}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, owner_id: str, field: str) -> str:
        """Decrypt what `seal` wrote for the same document and field.

        Raises SealingError when the key is unknown, or the value was changed or moved from another document.
        """
        version, kid, encoded = (*sealed.split("."), "", "")[:3]
        key = self.keys.get(kid)
        if version != "v1" or key is None:
            raise SealingError(f"sealed value of {owner_id}.{field} names an unknown key or version")
        try:
            raw = base64.urlsafe_b64decode(encoded)
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(owner_id, field)).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealingError(f"sealed value of {owner_id}.{field} does not open") from error


def _decode_key(kid: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise SealingError(f"MASTER_KEYS key {kid} is not base64") from error
    if len(key) != _KEY_BYTES:
        raise SealingError(f"MASTER_KEYS key {kid} has {len(key)} bytes, not {_KEY_BYTES}")
    return key


def _associated(owner_id: str, field: str) -> bytes:
    return f"secret|{owner_id}|{field}".encode()
