"""A template's content at creation or edit: what Meta refuses at once, with its subcodes.

Returns the components as Meta gives them back: types in upper case, an authentication template's preset texts
filled in and its copy-code button turned into a URL button.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import GraphError
from ..templates.adopted import otp_button
from ..templates.shape import PLACEHOLDER, placeholders
from .template_buttons import check_buttons

MISSING_EXAMPLE = 2388043
TOO_LONG = 2388040
BAD_HEADER = 2388047
BAD_BODY = 2388072
BAD_FOOTER = 2388073
TOO_MANY_VARIABLES = 2388293
VARIABLE_AT_EDGE = 2388299

_HEADER_FORMATS = frozenset({"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "PRODUCT", "GIF"})
_WITH_HANDLE = frozenset({"IMAGE", "VIDEO", "DOCUMENT", "GIF"})
_NAMED = re.compile(r"^[a-z][a-z0-9_]*$")
_HANDLE = re.compile(r"^\d+::?\S+$")
_EDGE = re.compile(r"^\s*\{\{|\}\}\s*$")

Component = dict[str, Any]


def refused(subcode: int | None, title: str, text: str) -> GraphError:
    """100 with what Meta shows to the user."""
    return GraphError(100, message="(#100) Invalid parameter", subcode=subcode, user_title=title, user_message=text)


def accept_components(components: Any, category: str, *, named: bool) -> list[Component]:
    """The components as they are stored, or Meta's refusal."""
    parts = _upper_cased(components)
    if category == "AUTHENTICATION":
        return _authentication(parts)
    kinds = [part["type"] for part in parts]
    if "BODY" not in kinds:
        raise refused(BAD_BODY, "Body is missing", "A message template needs a body.")
    if len(set(kinds)) != len(kinds):
        raise refused(None, "Component given twice", "Each component may stand once in a template.")
    has_offer = "LIMITED_TIME_OFFER" in kinds
    if has_offer and (category != "MARKETING" or "FOOTER" in kinds):
        raise refused(None, "Offer not allowed here", "A limited-time offer needs category MARKETING and no footer.")
    for part in parts:
        if part["type"] == "BODY":
            check_body(part, 600 if has_offer else 1_024, named=named)
        elif part["type"] == "CAROUSEL":
            _check_carousel(part, named=named)
        else:
            _CHECKS[part["type"]](part, named)
    return parts


def _upper_cased(components: Any) -> list[Component]:
    if not isinstance(components, list) or not components:
        raise GraphError(100, message="(#100) The parameter components is required.")
    parts = []
    for component in components:
        if not isinstance(component, dict) or str(component.get("type")).upper() not in (*_CHECKS, "BODY", "CAROUSEL"):
            raise refused(None, "Unknown component", f"This is no component of a template: {component}")
        part = component | {"type": str(component["type"]).upper()}
        if "format" in part:
            part["format"] = str(part["format"]).upper()
        if isinstance(part.get("buttons"), list):
            part["buttons"] = [_upper_button(button) for button in part["buttons"]]
        parts.append(part)
    return parts


def _upper_button(button: Any) -> Component:
    if not isinstance(button, dict) or "type" not in button:
        raise refused(None, "Unknown button", f"This is no button of a template: {button}")
    return button | {"type": str(button["type"]).upper()}


def text_of(part: Mapping[str, Any], limit: int, subcode: int) -> str:
    """A component's text within its limit."""
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        raise refused(subcode, f"{part['type'].title()} text is missing", "The text may not be empty.")
    if len(text) > limit:
        raise refused(TOO_LONG, "Too many characters", f"The {part['type'].lower()} may have {limit} characters.")
    return text


def check_body(part: Mapping[str, Any], limit: int, *, named: bool, card: bool = False) -> None:
    """Text, placeholders and their examples."""
    text = text_of(part, limit, BAD_BODY)
    names = placeholders(text)
    _check_placeholders(names, BAD_BODY, named=named)
    if not names:
        return
    if not card and _EDGE.search(text):
        raise refused(
            VARIABLE_AT_EDGE, "Variables can't be at the start or end", "Put text before the first and after the last."
        )
    if len(PLACEHOLDER.sub(" ", text).split()) < len(names):
        raise refused(TOO_MANY_VARIABLES, "Too many variables", "This text has too many variables for its length.")
    _check_examples(part, "body_text", names, named=named)


def _check_placeholders(names: Sequence[str], subcode: int, *, named: bool) -> None:
    if named:
        if not all(_NAMED.match(name) for name in names):
            raise refused(subcode, "Invalid variable", "Named variables have lower-case letters and underscores.")
    elif list(names) != [str(number) for number in range(1, len(names) + 1)]:
        raise refused(subcode, "Invalid variable", "Variables are numbered in order, {{1}}, {{2}}, …")


def _check_examples(part: Mapping[str, Any], key: str, names: Sequence[str], *, named: bool) -> None:
    example = part.get("example")
    example = example if isinstance(example, dict) else {}
    if named:
        given = [row.get("param_name") for row in example.get(f"{key}_named_params", []) if isinstance(row, dict)]
        complete = set(given) >= set(names)
    else:
        values = example.get(key) or []
        row = values[0] if key == "body_text" and values and isinstance(values[0], list) else values
        complete = len(row) == len(names)
    if not complete:
        raise refused(MISSING_EXAMPLE, "Example is missing", f"Give an example for each variable of {part['type']}.")


def _check_header(part: Component, named: bool) -> None:
    kind = part.get("format")
    if kind not in _HEADER_FORMATS:
        raise refused(BAD_HEADER, "Invalid header", f"This is no format of a header: {kind}")
    if kind == "TEXT":
        names = placeholders(text_of(part, 60, BAD_HEADER))
        if len(names) > 1:
            raise refused(BAD_HEADER, "Too many variables", "A header may have one variable.")
        _check_placeholders(names, BAD_HEADER, named=named)
        if names:
            _check_examples(part, "header_text", names, named=named)
    elif kind in _WITH_HANDLE:
        _check_handle((part.get("example") or {}).get("header_handle"))


def _check_handle(handles: Any) -> None:
    """A handle of an upload; links, and ids of media that were uploaded for messages, are none."""
    handle = handles[0] if isinstance(handles, list) and handles else handles
    if not handle:
        raise refused(MISSING_EXAMPLE, "Example is missing", "Give a sample of the header's media.")
    if not isinstance(handle, str) or not _HANDLE.match(handle):
        raise refused(BAD_HEADER, "Invalid sample", "This is no handle of an uploaded file.")


def _check_footer(part: Component, named: bool) -> None:
    if placeholders(text_of(part, 60, BAD_FOOTER)):
        raise refused(BAD_FOOTER, "Variables not allowed", "A footer may not have variables.")


def _check_offer(part: Component, named: bool) -> None:
    offer = part.get("limited_time_offer")
    text_of({"type": "offer", **(offer if isinstance(offer, dict) else {})}, 16, TOO_LONG)


def _check_buttons_of(part: Component, named: bool) -> None:
    check_buttons(part.get("buttons"), refused, maximum=10)


_CHECKS: Mapping[str, Callable[[Component, bool], None]] = {
    "HEADER": _check_header,
    "FOOTER": _check_footer,
    "BUTTONS": _check_buttons_of,
    "LIMITED_TIME_OFFER": _check_offer,
}


def _check_carousel(part: Component, *, named: bool) -> None:
    cards = part.get("cards")
    if not isinstance(cards, list) or not 2 <= len(cards) <= 10:
        raise refused(None, "Invalid number of cards", "A carousel has 2 to 10 cards.")
    structures = []
    for card in cards:
        components = _upper_cased(card.get("components") if isinstance(card, dict) else None)
        card["components"] = components
        for component in components:
            if component["type"] == "BODY":
                check_body(component, 160, named=named, card=True)
            elif component["type"] == "BUTTONS":
                check_buttons(component.get("buttons"), refused, maximum=2)
            elif component["type"] == "HEADER":
                _check_header(component, named)
            else:
                raise refused(None, "Invalid card", "A card has a header, a body and buttons.")
        structures.append([_structure(component) for component in components])
    if any(structure != structures[0] for structure in structures):
        raise refused(None, "Cards differ", "All cards of a carousel must have the same components.")


def _structure(component: Component) -> tuple[Any, ...]:
    buttons = tuple(button["type"] for button in component.get("buttons", []))
    return component["type"], component.get("format"), buttons


def _authentication(parts: list[Component]) -> list[Component]:
    """Preset texts; the button comes back as a URL button whatever its kind was."""
    by_type = {part["type"]: part for part in parts}
    buttons = by_type.get("BUTTONS", {}).get("buttons", [])
    if "BODY" not in by_type or len(buttons) != 1 or buttons[0]["type"] not in ("OTP", "URL"):
        raise refused(BAD_BODY, "Invalid authentication template", "It has a preset body and one OTP button.")
    advice = " For your security, do not share this code."
    text = "*{{1}}* is your verification code." + (advice if by_type["BODY"].get("add_security_recommendation") else "")
    stored: list[Component] = [{"type": "BODY", "text": text, "example": {"body_text": [["123456"]]}}]
    minutes = by_type.get("FOOTER", {}).get("code_expiration_minutes")
    if minutes is not None:
        if not isinstance(minutes, int) or not 1 <= minutes <= 90:
            raise refused(BAD_FOOTER, "Invalid expiration", "A code expires after 1 to 90 minutes.")
        stored.append({"type": "FOOTER", "text": f"This code expires in {minutes} minutes."})
    return [*stored, {"type": "BUTTONS", "buttons": [otp_button(buttons[0].get("text") or "Copy code")]}]
