"""The buttons of a template at creation."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ..errors import GraphError

MISSING_EXAMPLE = 2388043
TOO_LONG = 2388040
LINK_TO_WHATSAPP = 2388081

Refused = Callable[[int | None, str, str], GraphError]

_AT_MOST: Mapping[str, int] = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "QUICK_REPLY": 10}
_OTHER_KINDS = frozenset({"CATALOG", "MPM", "SPM", "FLOW", "VOICE_CALL", "ORDER_DETAILS"})
_TO_WHATSAPP = re.compile(r"^https?://([^/]*\.)?(wa\.me|whatsapp\.com)(/|$)", re.IGNORECASE)


def check_buttons(buttons: Any, refused: Refused, *, maximum: int) -> None:
    """Kinds, numbers, grouping, and each button's own fields."""
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= maximum:
        raise refused(None, "Invalid number of buttons", f"There may be 1 to {maximum} buttons.")
    kinds = [button["type"] for button in buttons]
    for kind, number in Counter(kinds).items():
        if kind not in _AT_MOST and kind not in _OTHER_KINDS:
            raise refused(None, "Unknown button", f"This is no kind of button here: {kind}")
        if number > _AT_MOST.get(kind, 1):
            raise refused(None, "Too many buttons", f"There may be {_AT_MOST.get(kind, 1)} of kind {kind}.")
    if _is_scattered(kinds):
        raise refused(None, "Buttons are not grouped", "Quick replies must stand together.")
    for button in buttons:
        _check_button(button, refused)


def _is_scattered(kinds: Sequence[str]) -> bool:
    groups = [is_reply for is_reply, _ in groupby(kind == "QUICK_REPLY" for kind in kinds)]
    return groups.count(True) > 1


def _check_button(button: Mapping[str, Any], refused: Refused) -> None:
    kind, text = button["type"], button.get("text")
    if kind != "COPY_CODE" and (not isinstance(text, str) or not text):
        raise refused(None, "Button text is missing", "Each button needs a text.")
    if isinstance(text, str) and len(text) > 25:
        raise refused(TOO_LONG, "Too many characters", "A button's text may have 25 characters.")
    if kind == "URL":
        _check_url(button, refused)
    elif kind == "PHONE_NUMBER" and not re.match(r"^\+?[0-9]{5,20}$", str(button.get("phone_number", ""))):
        raise GraphError(192, message="(#192) Param phone_number is not a valid phone number.")
    elif kind == "COPY_CODE" and not button.get("example"):
        raise refused(MISSING_EXAMPLE, "Example is missing", "Give an example of the code.")


def _check_url(button: Mapping[str, Any], refused: Refused) -> None:
    url = button.get("url")
    if not isinstance(url, str) or not re.match(r"^https?://", url):
        raise refused(None, "Invalid URL", "The button's url must be an http(s) address.")
    if len(url) > 2_000:
        raise refused(TOO_LONG, "Too many characters", "A button's url may have 2000 characters.")
    if _TO_WHATSAPP.match(url):
        raise refused(LINK_TO_WHATSAPP, "Link to WhatsApp", "A button may not link to WhatsApp.")
    if "{{" in url:
        if not re.search(r"^[^{]*\{\{1\}\}$", url):
            raise refused(None, "Invalid URL", "A url has one variable, {{1}}, at its end.")
        if not button.get("example"):
            raise refused(MISSING_EXAMPLE, "Example is missing", "Give an example of the whole url.")
