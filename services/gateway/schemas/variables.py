"""Values for a template's variables: a list for positional templates, an object for named ones."""

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from services.gateway.schemas.fields import NOT_BLANK_PATTERN, SendPart
from shared.web.field_errors import field_error

LONGEST_VALUE = 1024  # the whole text that a template becomes may not be longer
MOST_VALUES = 100
LONGEST_NAME = 100

Values = tuple[str, ...] | dict[str, str]


def _values(given: Any) -> Values:
    if given is None:
        return ()
    if not isinstance(given, list | dict):
        raise field_error("must be an array of values, or an object for named parameters")
    if len(given) > MOST_VALUES:
        raise field_error(f"must have at most {MOST_VALUES} values")
    if isinstance(given, list):
        return tuple(_value(value, index) for index, value in enumerate(given))
    return {_name(name): _value(value, name) for name, value in given.items()}


def _name(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME or name.startswith("$") or "." in name:
        raise field_error("is not the name of a variable", field=name)
    return name


def _value(value: Any, field: str | int) -> str:
    """The value as text. Meta refuses empty values, line breaks, tabs and more than four spaces in a row."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise field_error("must be a string or a number", field=field)
    text = str(value)
    if not text.strip():
        raise field_error("must not be empty", field=field)
    if len(text) > LONGEST_VALUE:
        raise field_error(f"must have at most {LONGEST_VALUE} characters", field=field)
    if any(character in text for character in "\n\r\t"):
        raise field_error("must not contain line breaks or tabs", field=field)
    if " " * 5 in text:
        raise field_error("must not contain more than four spaces in a row", field=field)
    return text


_VALUE = {
    "anyOf": [
        {
            "type": "string",
            "maxLength": LONGEST_VALUE,
            "pattern": NOT_BLANK_PATTERN,
            "not": {"pattern": r"[\n\r\t]| {5}"},
            "description": "Without line breaks, tabs, and more than four spaces in a row: Meta refuses them.",
        },
        {"type": "number"},
    ]
}
_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": _VALUE, "maxItems": MOST_VALUES},
        {
            "type": "object",
            "propertyNames": {"pattern": rf"^[^$.][^.]{{0,{LONGEST_NAME - 1}}}$"},
            "additionalProperties": _VALUE,
            "maxProperties": MOST_VALUES,
        },
        {"type": "null"},
    ]
}

Variables = Annotated[Values, PlainValidator(_values), WithJsonSchema(_SCHEMA)]


class BodyPart(SendPart):
    """Values for the variables of a text."""

    variables: Variables = ()
    """An array for `{{1}}`, `{{2}}`, …, an object for named parameters. Numbers are sent as text."""


def body_values(body: BodyPart | None) -> Values:
    """The values, none when the body was left out."""
    return body.variables if body is not None else ()
