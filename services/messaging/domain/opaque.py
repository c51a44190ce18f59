"""The string that Meta carries back in every status of a message: `w1:<message id>:<attempt>`.

Meta echoes `biz_opaque_callback_data` (at most 512 characters), which settles sends whose answer was lost.
"""

import re

_FORM = re.compile(r"w1:([0-9a-f]{24}):(\d{1,4})")


def opaque_data(message_id: str, attempt: int) -> str:
    """What is posted with an attempt, counted from 1."""
    return f"w1:{message_id}:{attempt}"


def message_id_of(opaque: str | None) -> str | None:
    """The message id in a status's opaque data; None when it is not ours."""
    match = _FORM.fullmatch(opaque or "")
    return match.group(1) if match else None
