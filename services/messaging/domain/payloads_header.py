"""A template's header: the kind that was approved, with its value."""

from decimal import Decimal
from typing import Any

from services.messaging.domain.payloads_envelope import media_parameter
from services.messaging.domain.templates import ApprovedHeader, ApprovedText
from services.messaging.domain.templates_values import (
    checked,
    invalid,
    named_parameter,
    text_parameter,
    text_parameters,
)
from shared.contracts.content import LocationHeader, MediaHeader, TextHeader

_SENDABLE = {"image", "video", "document", "location"}


def header_components(
    field: str, given: TextHeader | MediaHeader | LocationHeader | None, approved: ApprovedHeader | None
) -> list[dict[str, Any]]:
    """The header component, or none where the template's header needs no value.

    Raises InvalidInputError when the approved header is missing, of another kind, or has other variables.
    """
    if approved is None:
        if given is not None:
            raise invalid(field, "the approved template has no header")
        return []
    if approved.text is not None:
        return _text_header(field, given, approved.text)
    if approved.format not in _SENDABLE:
        raise invalid(field, f"the approved template's {approved.format} header cannot be filled here")
    if given is None:
        raise invalid(field, f"required, because the approved template has {_a(approved.format)} header")
    if isinstance(given, TextHeader) or given.type != approved.format:
        raise invalid(f"{field}.type", f"expected {approved.format}, got {given.type}")
    return [header_component([location_parameter(given) if given.type == "location" else media_parameter(given)])]


def header_component(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """A header component in Meta's form."""
    return {"type": "header", "parameters": parameters}


def location_parameter(header: LocationHeader) -> dict[str, Any]:
    """A location in Meta's form, coordinates as text as in Meta's page."""
    location = {"latitude": _degrees(header.latitude), "longitude": _degrees(header.longitude)}
    if header.name is not None:
        location["name"] = header.name
    if header.address is not None:
        location["address"] = header.address
    return {"type": "location", "location": location}


def _text_header(
    field: str, given: TextHeader | MediaHeader | LocationHeader | None, approved: ApprovedText
) -> list[dict[str, Any]]:
    if given is None:
        if approved.variables:
            raise invalid(
                field, f"required, because the approved template's header has the variable {_named(approved)}"
            )
        return []
    if not isinstance(given, TextHeader):
        raise invalid(f"{field}.type", f"expected text, got {given.type}")
    if given.text is not None and not given.variables:
        return _text_shorthand(f"{field}.text", given.text, approved)
    parameters = text_parameters(f"{field}.variables", given.variables, approved)
    return [header_component(parameters)] if parameters else []


def _text_shorthand(field: str, text: str, approved: ApprovedText) -> list[dict[str, Any]]:
    if not approved.variables and text == approved.text:
        return []  # the caller repeats what was approved
    if len(approved.variables) != 1:
        raise invalid(field, "the approved template's header has no variable")
    value = checked(field, text)
    (name,) = approved.variables
    return [header_component([named_parameter(name, value) if approved.named else text_parameter(value)])]


def _named(approved: ApprovedText) -> str:
    return "{{" + "}}, {{".join(approved.variables) + "}}"


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _degrees(value: float) -> str:
    # Never in exponent form, which str() would choose near the equator.
    return format(Decimal(repr(value)), "f")
