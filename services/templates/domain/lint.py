"""What Meta will refuse in a template, told while it is still a draft.

Findings are warnings: Meta decides, and its rules change without us. Each says where, what, and what Meta calls it.
Sources: Meta's "Templates", "Components" and "Template review" pages; error subcodes of template creation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.templates.domain.languages import LANGUAGES
from services.templates.domain.lint_buttons import lint_buttons
from services.templates.domain.lint_findings import Finding
from services.templates.domain.lint_media import lint_header
from services.templates.domain.lint_texts import lint_body, lint_footer
from shared.contracts.templates import Template

Component = Mapping[str, Any]

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_METAS_OWN_NAMES = frozenset({"hello_world"})
_KNOWN_TYPES = frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"})
_BODY_LIMIT = 1024
_OFFER_BODY_LIMIT = 600
_OFFER_TEXT_LIMIT = 16
_CARD_BODY_LIMIT = 160
_CARDS = range(2, 11)
_CARD_BUTTONS = 2
_LONGEST_EXPIRY = 90  # minutes


def warnings_of(template: Template) -> tuple[str, ...]:
    """The findings on a template as texts, `code: where what`; empty when Meta has no reason that we know of."""
    return tuple(str(finding) for finding in lint(template))


def lint(template: Template) -> Iterator[Finding]:
    """Everything that Meta is known to refuse, in the order of the request's members."""
    if not _NAME.fullmatch(template.name):
        yield Finding("name_form", "name", "must have 1 to 512 lower-case letters, digits and underscores")
    elif template.name in _METAS_OWN_NAMES:
        yield Finding("name_taken", "name", f"must not be {template.name}, which is a sample of Meta's")
    if template.language not in LANGUAGES:
        yield Finding("language_unknown", "language", f"is not a language that Meta takes: {template.language}")
    parts = [(f"components[{index}]", component) for index, component in enumerate(template.components)]
    yield from _lint_set(parts, template.category)
    if template.category == "AUTHENTICATION":
        yield from _lint_authentication(parts)
    else:
        yield from _lint_parts(parts, template)


def _type(component: Component) -> str:
    return str(component.get("type")).upper()


def _lint_set(parts: Sequence[tuple[str, Component]], category: str) -> Iterator[Finding]:
    kinds = [_type(component) for _, component in parts]
    for (path, _), kind in zip(parts, kinds, strict=True):
        if kind not in _KNOWN_TYPES:
            yield Finding("component_unknown", f"{path}.type", f"is not a component of a template: {kind}")
    if "BODY" not in kinds:
        yield Finding("body_missing", "components", "must hold a BODY (2388072)")
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        yield Finding("component_twice", "components", f"must not hold {kind} more than once")
    if category != "MARKETING":
        for kind in ("CAROUSEL", "LIMITED_TIME_OFFER"):
            if kind in kinds:
                yield Finding("category_wrong", "category", f"must be MARKETING for {kind}")


def _lint_parts(parts: Sequence[tuple[str, Component]], template: Template) -> Iterator[Finding]:
    has_offer = any(_type(component) == "LIMITED_TIME_OFFER" for _, component in parts)
    samples = {(one.component_type, one.position) for one in template.variables if one.sample_value}
    named = template.parameter_format == "named"
    for path, component in parts:
        match _type(component):
            case "HEADER":
                yield from lint_header(path, component, named=named, samples=samples)
            case "BODY":
                limit = _OFFER_BODY_LIMIT if has_offer else _BODY_LIMIT
                yield from lint_body(path, component, limit, named=named, samples=samples)
            case "FOOTER":
                if has_offer:
                    yield Finding("footer_not_allowed", path, "must be left out beside a limited-time offer")
                yield from lint_footer(path, component)
            case "BUTTONS":
                yield from lint_buttons(path, component.get("buttons"), samples=samples)
            case "LIMITED_TIME_OFFER":
                yield from _lint_offer(path, component, parts)
            case "CAROUSEL":
                yield from _lint_carousel(path, component, named=named)


def _lint_offer(path: str, component: Component, parts: Sequence[tuple[str, Component]]) -> Iterator[Finding]:
    offer = component.get("limited_time_offer")
    text = offer.get("text") if isinstance(offer, Mapping) else None
    if not isinstance(text, str) or not 1 <= len(text) <= _OFFER_TEXT_LIMIT:
        where = f"{path}.limited_time_offer.text"
        yield Finding("offer_text", where, f"must have 1 to {_OFFER_TEXT_LIMIT} characters")
    for where, other in parts:
        kinds = [_type(button) for button in _objects(other.get("buttons"))] if _type(other) == "BUTTONS" else []
        if "COPY_CODE" in kinds[1:]:
            yield Finding("button_order", f"{where}.buttons", "must begin with the COPY_CODE button")
        if _type(other) == "HEADER" and str(other.get("format")).upper() not in {"IMAGE", "VIDEO"}:
            yield Finding("header_format", f"{where}.format", "must be IMAGE or VIDEO beside a limited-time offer")


def _lint_carousel(path: str, component: Component, *, named: bool) -> Iterator[Finding]:
    cards = _objects(component.get("cards"))
    if len(cards) not in _CARDS:
        yield Finding("card_count", f"{path}.cards", "must hold 2 to 10 cards")
    structures = []
    for index, card in enumerate(cards):
        where = f"{path}.cards[{index}]"
        parts = _objects(card.get("components"))
        structures.append([_structure(part) for part in parts])
        for position, part in enumerate(parts):
            yield from _lint_card_part(f"{where}.components[{position}]", part, named=named)
    if any(structure != structures[0] for structure in structures):
        yield Finding("cards_differ", f"{path}.cards", "must all have the same components, header format and buttons")


def _lint_card_part(path: str, part: Component, *, named: bool) -> Iterator[Finding]:
    match _type(part):
        case "HEADER":
            if str(part.get("format")).upper() not in {"IMAGE", "VIDEO"}:
                yield Finding("header_format", f"{path}.format", "must be IMAGE or VIDEO on a card")
            yield from lint_header(path, part, named=named, samples=set())
        case "BODY":
            yield from lint_body(path, part, _CARD_BODY_LIMIT, named=named, samples=set(), card=True)
        case "BUTTONS":
            yield from lint_buttons(path, part.get("buttons"), samples=set(), at_most=_CARD_BUTTONS)
        case kind:
            yield Finding("component_unknown", f"{path}.type", f"is not a component of a card: {kind}")


def _structure(part: Component) -> tuple[str, str, tuple[str, ...]]:
    buttons = tuple(_type(button) for button in _objects(part.get("buttons")))
    return _type(part), str(part.get("format", "")).upper(), buttons


def _lint_authentication(parts: Sequence[tuple[str, Component]]) -> Iterator[Finding]:
    """Meta writes the texts of these itself; what is left is one button, and how long a code is good."""
    buttons: list[Component] = []
    for path, component in parts:
        match _type(component):
            case "BODY" if component.get("text"):
                yield Finding("body_preset", f"{path}.text", "must be left out: Meta writes the text of a code itself")
            case "FOOTER":
                yield from _lint_expiry(path, component)
            case "BUTTONS":
                buttons = _objects(component.get("buttons"))
            case "HEADER" | "CAROUSEL" | "LIMITED_TIME_OFFER" as kind:
                yield Finding("component_not_allowed", path, f"must not be {kind} in an AUTHENTICATION template")
    if [_type(button) for button in buttons] != ["OTP"]:
        yield Finding("otp_button", "components", "must hold BUTTONS with exactly one OTP button")


def _lint_expiry(path: str, component: Component) -> Iterator[Finding]:
    minutes = component.get("code_expiration_minutes")
    if component.get("text") or not isinstance(minutes, int) or not 1 <= minutes <= _LONGEST_EXPIRY:
        where = f"{path}.code_expiration_minutes"
        yield Finding("footer_preset", where, "must be 1 to 90, in place of a text (2388073)")


def _objects(value: Any) -> list[Component]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
