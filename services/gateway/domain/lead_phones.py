"""A customer's phone number as it comes in a path, where `+` may have turned into a space, or was left out."""

import re

_DIGITS = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)


def lead_phone(text: str) -> str | None:
    """E.164 from `+1415…`, ` 1415…`, `1415…`, with spaces between or not; None when it is no phone number."""
    digits = "".join(text.split()).removeprefix("+")
    return f"+{digits}" if _DIGITS.fullmatch(digits) else None
