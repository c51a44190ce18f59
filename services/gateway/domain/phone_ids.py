"""The `encodedPhoneId` of the external send API: a phone number's id in base64."""

import base64
import binascii
import re
from urllib.parse import unquote

from shared.errors import InvalidInputError

_ID = re.compile(r"[A-Za-z0-9_.:+@-]{1,128}", re.ASCII)
_LONGEST_ENCODED = 512


def encode_phone_id(phone_number_id: str) -> str:
    """The form that is shown next to an API key: URL-safe and without padding."""
    return base64.urlsafe_b64encode(phone_number_id.encode()).decode().rstrip("=")


def decode_phone_id(encoded: str) -> str:
    """The id that any usual form of base64 holds: standard or URL-safe, padded or not, percent-encoded or not.

    Raises InvalidInputError when it is none of these.
    """
    try:
        text = unquote(encoded[:_LONGEST_ENCODED]).replace(" ", "+").translate(str.maketrans("-_", "+/")).rstrip("=")
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        decoded = ""
    if not _ID.fullmatch(decoded):
        raise InvalidInputError(
            "encodedPhoneId must be the Base64-encoded phone number ID shown with the API key",
            code="invalid_phone_id",
            details=[{"field": "encodedPhoneId", "message": "encodedPhoneId is not the Base64 form of an ID"}],
        )
    return decoded
