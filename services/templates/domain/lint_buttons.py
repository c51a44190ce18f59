"""Buttons: kinds, numbers, order, and each kind's own members."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from services.templates.domain.lint_findings import Finding
from services.templates.domain.lint_texts import PLACEHOLDER, Samples

Button = Mapping[str, Any]

MOST_BUTTONS = 10

_AT_MOST = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "QUICK_REPLY": 10, "VOICE_CALL": 1}
_OTHER_KINDS = frozenset({"CATALOG", "MPM", "SPM", "FLOW", "ORDER_DETAILS"})
_TEXT_LIMIT = 25
_URL_LIMIT = 2000
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_CODE_LIMIT = 20
_WEB = re.compile(r"https?://[^\s{}]+", re.IGNORECASE)
_TO_WHATSAPP = re.compile(r"https?://([^/]*\.)?(wa\.me|whatsapp\.com)(/|$)", re.IGNORECASE)
_ENDS_IN_VARIABLE = re.compile(r"[^{}]*\{\{\s*1\s*\}\}")


def lint_buttons(path: str, buttons: Any, *, samples: Samples, at_most: int = MOST_BUTTONS) -> Iterator[Finding]:
    """The buttons of a template, or of a card, where there are at most two."""
    field = f"{path}.buttons"
    if not isinstance(buttons, list | tuple) or not 1 <= len(buttons) <= at_most:
        yield Finding("button_count", field, f"must hold 1 to {at_most} buttons")
        return
    listed = [button if isinstance(button, Mapping) else {} for button in buttons]
    kinds = [str(button.get("type")).upper() for button in listed]
    yield from _lint_kinds(field, kinds)
    for index, (button, kind) in enumerate(zip(listed, kinds, strict=True)):
        yield from _lint_label(f"{field}[{index}]", button, kind)
        if check := _CHECKS.get(kind):
            yield from check(f"{field}[{index}]", button, ("BUTTON", index) in samples)


def _lint_kinds(field: str, kinds: Sequence[str]) -> Iterator[Finding]:
    for kind, number in Counter(kinds).items():
        if kind not in _AT_MOST and kind not in _OTHER_KINDS:
            yield Finding("button_unknown", field, f"holds a kind of button that is unknown here: {kind}")
        elif number > _AT_MOST.get(kind, 1):
            yield Finding("button_count", field, f"must hold at most {_AT_MOST.get(kind, 1)} of type {kind}")
    groups = [is_reply for is_reply, _ in groupby(kind == "QUICK_REPLY" for kind in kinds)]
    if groups.count(True) > 1:
        yield Finding("button_order", field, "must keep its quick replies together")


def _lint_label(path: str, button: Button, kind: str) -> Iterator[Finding]:
    text = button.get("text")
    if kind == "COPY_CODE" and text is None:
        return  # Meta labels it
    if not isinstance(text, str) or not 1 <= len(text) <= _TEXT_LIMIT:
        yield Finding("button_text", f"{path}.text", f"must have 1 to {_TEXT_LIMIT} characters (2388040)")
    elif PLACEHOLDER.search(text):
        yield Finding("button_text", f"{path}.text", "must have no variables")


def _lint_url(path: str, button: Button, has_sample: bool) -> Iterator[Finding]:
    url = button.get("url")
    if not isinstance(url, str) or not _WEB.match(url) or len(url) > _URL_LIMIT:
        yield Finding("button_url", f"{path}.url", f"must be a web address of at most {_URL_LIMIT} characters")
        return
    if _TO_WHATSAPP.match(url):
        yield Finding("button_url", f"{path}.url", "must not lead to WhatsApp itself (2388081)")
    if "{{" not in url:
        return
    if not _ENDS_IN_VARIABLE.fullmatch(url):
        yield Finding("button_url", f"{path}.url", "may have one variable, {{1}}, at its end")
    if not button.get("example") and not has_sample:
        words = "is missing, and its variable has no sample_value (2388043)"
        yield Finding("example_missing", f"{path}.example", words)


def _lint_phone(path: str, button: Button, _has_sample: bool) -> Iterator[Finding]:
    if not _PHONE.fullmatch(str(button.get("phone_number"))):
        yield Finding("button_phone", f"{path}.phone_number", "must be a phone number of 5 to 20 digits")


def _lint_code(path: str, button: Button, _has_sample: bool) -> Iterator[Finding]:
    example = button.get("example")
    code = example[0] if isinstance(example, list | tuple) and example else example
    if not isinstance(code, str) or not 1 <= len(code) <= _CODE_LIMIT:
        yield Finding("example_missing", f"{path}.example", f"must have 1 to {_CODE_LIMIT} characters (2388043)")


_CHECKS: Mapping[str, Callable[[str, Button, bool], Iterator[Finding]]] = {
    "URL": _lint_url,
    "PHONE_NUMBER": _lint_phone,
    "COPY_CODE": _lint_code,
}
