"""A template send against what was approved, in the order Meta was seen to check.

Parameter objects (100), header format (132012), media without id and link (132018), counts header before body
(132000), characters (132018), names (100), buttons (131008, 132018, 100), offer, cards, length (132005).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GraphError
from ..templates.shape import PLACEHOLDER, ButtonShape, Shape
from .rules import Path, as_object, bad_param, missing, schema_error, unexpected

_MEDIA_FORMATS = frozenset({"IMAGE", "VIDEO", "DOCUMENT"})
_OBJECT_FORMATS = _MEDIA_FORMATS | {"LOCATION", "PRODUCT"}
_COMPONENT_TYPES = frozenset({"header", "body", "button", "limited_time_offer", "carousel"})
_PARAMETER_TYPES = frozenset(
    {"text", "currency", "date_time", "image", "video", "document", "location", "product", "payload"}
    | {"coupon_code", "action", "limited_time_offer"}
)
_OBJECT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "currency": ("fallback_value", "code", "amount_1000"),
    "date_time": ("fallback_value",),
    "location": ("longitude", "latitude"),
}
_FORBIDDEN_CHARACTERS = re.compile(r"[\n\r\t]| {5,}")
_COUPON = re.compile(r"^[A-Za-z0-9]{1,20}$")
_REQUIRED_KINDS = frozenset({"COPY_CODE", "MPM"})
_PARAMETER_OF_KIND: Mapping[str, str] = {
    "URL": "text",
    "QUICK_REPLY": "payload",
    "COPY_CODE": "coupon_code",
    "FLOW": "action",
    "CATALOG": "action",
    "MPM": "action",
}

Component = Mapping[str, Any]


def check_components(shape: Shape, components: Any) -> None:
    """Raise `GraphError` unless these components fill the approved template."""
    path: Path = ("template", "components")
    parts = _component_list(components, path)
    _check(shape, parts, path)
    _check_offer(shape, parts)
    _check_cards(shape, parts, path)


def _check(shape: Shape, parts: Sequence[Component], path: Path) -> None:
    header, body = _parameters(parts, "header"), _parameters(parts, "body")
    _check_parameter_objects(parts, path)
    _check_header(shape, header)
    _check_counts(shape, header, body)
    for parameter in (*header, *body):
        _check_characters(parameter)
    if shape.named:
        _check_names(shape.header_params, header)
        _check_names(shape.body_params, body)
    _check_buttons(shape, parts)
    _check_length(shape, body)


def _component_list(components: Any, path: Path) -> list[Component]:
    if components is None:
        return []
    if not isinstance(components, list):
        raise bad_param(path, "must be an array.")
    for index, component in enumerate(components):
        here = (*path, index)
        kind = as_object(component, here).get("type")
        if kind is None:
            raise missing(here, "type")
        if str(kind).lower() not in _COMPONENT_TYPES:
            raise schema_error("enum", (*here, "type"), f"expected : '{sorted(_COMPONENT_TYPES)}'")
        parameters = component.get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(one, dict) for one in parameters):
            raise bad_param((*here, "parameters"), "must be an array.")
        for name in component:
            if name not in ("type", "sub_type", "index", "parameters", "cards"):
                raise unexpected(name, here)
    return components


def _kind(part: Component) -> str:
    return str(part["type"]).lower()


def _parameters(parts: Sequence[Component], kind: str) -> list[dict[str, Any]]:
    return [parameter for part in parts if _kind(part) == kind for parameter in part.get("parameters", [])]


def parameter_type(parameter: Mapping[str, Any]) -> str:
    """A parameter that only carries text counts as a text."""
    return str(parameter.get("type", "text")).lower()


def _check_parameter_objects(parts: Sequence[Component], path: Path) -> None:
    for index, part in enumerate(parts):
        for position, parameter in enumerate(part.get("parameters", [])):
            kind = parameter_type(parameter)
            here = (*path, index, "parameters", position)
            if kind not in _PARAMETER_TYPES:
                raise schema_error("enum", (*here, "type"), f"expected : '{sorted(_PARAMETER_TYPES)}'")
            if _kind(part) in ("header", "body") and parameter.get(kind) is None:
                raise GraphError(100, f"Parameter '{kind}' is mandatory for component parameter type '{kind}'")
            _check_object_fields(kind, parameter, (*here, kind))


def _check_object_fields(kind: str, parameter: Mapping[str, Any], path: Path) -> None:
    absent = [name for name in _OBJECT_FIELDS.get(kind, ()) if name not in as_object(parameter[kind], path)]
    if absent:
        sentences = [missing(path, name).message for name in absent]
        raise GraphError(100, message=", ".join(sentences))


def _check_header(shape: Shape, header: Sequence[Mapping[str, Any]]) -> None:
    received = parameter_type(header[0]).upper() if header else "UNKNOWN"
    expected = shape.header_format
    if expected in _OBJECT_FORMATS and received != expected:
        raise GraphError(132012, f"header: Format mismatch, expected {expected}, received {received}")
    if expected not in _OBJECT_FORMATS and received in _OBJECT_FORMATS:
        raise GraphError(132012, f"header: Format mismatch, expected {expected or 'UNKNOWN'}, received {received}")
    if expected in _MEDIA_FORMATS:
        media = header[0][received.lower()]
        if not isinstance(media, dict) or not (media.get("id") or media.get("link")):
            raise GraphError(132018, "Either one of media ID or link must be present")


def _check_counts(shape: Shape, header: Sequence[Any], body: Sequence[Any]) -> None:
    texts = [] if shape.header_format in _OBJECT_FORMATS else header
    counted = (("header", texts, shape.header_params), ("body", body, shape.body_params))
    for name, given, expected in counted:
        if len(given) != len(expected):
            raise GraphError(
                132000,
                f"{name}: number of localizable_params ({len(given)}) does not match the expected number of params "
                f"({len(expected)})",
            )


def _check_characters(parameter: Mapping[str, Any]) -> None:
    if parameter_type(parameter) != "text":
        return
    text = parameter["text"]
    if not isinstance(text, str) or not text:
        raise GraphError(100, "Parameter 'text' is mandatory for component parameter type 'text' and cannot be empty")
    if _FORBIDDEN_CHARACTERS.search(text):
        raise GraphError(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")


def _check_names(expected: Sequence[str], given: Sequence[Mapping[str, Any]]) -> None:
    names = [parameter.get("parameter_name") for parameter in given]
    if not all(names):
        raise GraphError(100, "Parameter name is missing or empty")
    for name in expected:
        if name not in names:
            raise GraphError(100, f"Parameter name is missing for the parameter '{{{{{name}}}}}'")


def _check_buttons(shape: Shape, parts: Sequence[Component]) -> None:
    given: dict[int, Component] = {}
    for part in parts:
        if _kind(part) != "button":
            continue
        index = str(part.get("index", ""))
        if not index.isdecimal() or int(index) >= len(shape.buttons):
            raise GraphError(132018, f"buttons: Button at index {index} does not exist in the template")
        given[int(index)] = part
    for position, button in enumerate(shape.buttons):
        _check_button(f"buttons: Button at index {position}", button, given.get(position))


def _check_button(who: str, button: ButtonShape, part: Component | None) -> None:
    if part is None:
        if button.dynamic or button.kind in _REQUIRED_KINDS:
            raise GraphError(131008, f"{who} of type {button.spoken} requires a parameter")
        return
    if str(part.get("sub_type", button.kind)).upper() != button.kind:
        raise GraphError(132018, f"{who} must be of type {button.spoken}")
    parameters = part.get("parameters", [])
    kind = _PARAMETER_OF_KIND.get(button.kind)
    if kind is None or (button.kind == "URL" and not button.dynamic):
        raise GraphError(132018, f"{who} of type {button.spoken} does not take a parameter")
    if not parameters:
        if button.dynamic or button.kind in _REQUIRED_KINDS:
            raise GraphError(131008, f"{who} of type {button.spoken} requires a parameter")
        return
    _check_button_parameter(who, kind, parameters[0])


def _check_button_parameter(who: str, kind: str, parameter: Mapping[str, Any]) -> None:
    given = parameter_type(parameter)
    if given != kind:
        raise GraphError(132018, f"{who} requires a parameter of type {kind}, received {given}")
    value = parameter.get(kind)
    if kind in ("text", "payload") and (not isinstance(value, str) or not value):
        raise GraphError(
            100, f"button: Parameter '{kind}' is mandatory for component parameter type '{kind}' and cannot be empty"
        )
    if kind == "payload" and len(str(value)) > 256:
        raise GraphError(132018, f"{who}: the payload must be at most 256 characters long")
    if kind == "coupon_code" and not _COUPON.match(str(value)):
        raise GraphError(132018, f"{who}: the coupon code must be 1 to 20 alphanumeric characters")


def _check_length(shape: Shape, body: Sequence[Mapping[str, Any]]) -> None:
    if shape.body_text is None:
        return
    fixed = len(PLACEHOLDER.sub("", shape.body_text))
    texts = [str(parameter.get("text") or _fallback(parameter)) for parameter in body]
    if fixed + sum(map(len, texts)) > shape.body_limit:
        raise GraphError(132005, f"body: translated text exceeds the limit of {shape.body_limit} characters")


def _fallback(parameter: Mapping[str, Any]) -> str:
    value = parameter.get(parameter_type(parameter))
    return str(value.get("fallback_value", "")) if isinstance(value, dict) else ""


def _check_offer(shape: Shape, parts: Sequence[Component]) -> None:
    if not shape.expiring_offer:
        return
    parameters = _parameters(parts, "limited_time_offer")
    offer = parameters[0].get("limited_time_offer") if parameters else None
    expires = offer.get("expiration_time_ms") if isinstance(offer, dict) else None
    if expires is None:
        raise GraphError(131008, "limited_time_offer: expiration_time_ms is required")
    if not isinstance(expires, int) or isinstance(expires, bool) or expires <= 0:
        raise GraphError(131009, "limited_time_offer: expiration_time_ms must be a time in milliseconds")


def _check_cards(shape: Shape, parts: Sequence[Component], path: Path) -> None:
    position, carousel = next(((i, part) for i, part in enumerate(parts) if _kind(part) == "carousel"), (0, {}))
    cards = carousel.get("cards", [])
    if not isinstance(cards, list) or len(cards) != len(shape.cards):
        given = len(cards) if isinstance(cards, list) else 0
        raise GraphError(
            132018,
            f"carousel: number of cards ({given}) does not match the expected number of cards ({len(shape.cards)})",
        )
    seen = set()
    for index, card in enumerate(cards):
        here = (*path, position, "cards", index)
        card_index = str(as_object(card, here).get("card_index", ""))
        if not card_index.isdecimal() or int(card_index) >= len(shape.cards) or card_index in seen:
            raise GraphError(132018, f"carousel: card_index {card_index} is not in the template, or given twice")
        seen.add(card_index)
        components = _component_list(card.get("components"), (*here, "components"))
        _check(shape.cards[int(card_index)], components, (*here, "components"))
