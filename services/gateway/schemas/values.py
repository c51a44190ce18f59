"""Maps whose keys callers choose: values of variables, attributes of contacts. No key may reach a query's operators."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from shared.web.field_errors import field_error

MOST_VALUES = 100
LONGEST_KEY, LONGEST_VALUE = 64, 1024

_VALUE = {"anyOf": [{"type": "string", "maxLength": LONGEST_VALUE}, {"type": "number"}, {"type": "null"}]}


def values_schema(names: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON Schema says of such a map, or of null in its place; `names` are keywords for its keys."""
    of_values = {"maxProperties": MOST_VALUES, "propertyNames": dict(names), "additionalProperties": _VALUE}
    return {"anyOf": [{"type": "object", **of_values}, {"type": "null"}]}


def attribute_problem(key: str) -> str | None:
    """Why a text cannot be the name of an attribute; None when it can."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        return f"must have 1 to {LONGEST_KEY} printable characters"
    return "must not contain . or begin with $" if "." in key or key.startswith("$") else None


def _texts(given: Any) -> Any:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise field_error("must be an object")
    if len(given) > MOST_VALUES:
        raise field_error(f"must have at most {MOST_VALUES} values")
    return {key: _text(key, value) for key, value in given.items()}


def _text(key: str, value: Any) -> str | None:
    if "\x00" in key or key.startswith("$"):
        raise field_error("is not allowed", field=key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise field_error("must be a text or a number", field=key)
    text = str(value)
    if len(text) > LONGEST_VALUE or "\x00" in text:
        raise field_error(f"must have at most {LONGEST_VALUE} characters", field=key)
    return text


def _without_nulls(values: dict[str, str | None]) -> dict[str, str | None]:
    return {key: value for key, value in values.items() if value is not None}


def _attribute_keys(values: dict[str, str | None]) -> dict[str, str | None]:
    for key in values:
        if (problem := attribute_problem(key)) is not None:
            raise field_error(problem, field=key[:LONGEST_KEY])
    return values


NO_OPERATOR = {"pattern": r"^([^$]|$)"}
_OF_ATTRIBUTES = {"pattern": r"^[^$.][^.]*$", "maxLength": LONGEST_KEY}

Values = Annotated[
    dict[str, str | None],
    BeforeValidator(_texts),
    AfterValidator(_without_nulls),
    WithJsonSchema(values_schema(NO_OPERATOR)),
]
AttributeChanges = Annotated[
    dict[str, str | None],
    BeforeValidator(_texts),
    AfterValidator(_attribute_keys),
    WithJsonSchema(values_schema(_OF_ATTRIBUTES)),
]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
Tags = Annotated[list[Tag], Field(max_length=50)]
