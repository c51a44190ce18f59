"""Rules between the fields of one object, as JSON Schema says them; each stands beside the validator that checks it."""

from typing import Any

# Each keyword speaks to its own type only.
_SOMETHING = {"type": ["string", "array", "object"], "minLength": 1, "minItems": 1, "minProperties": 1}


def filled(field: str) -> dict[str, Any]:
    """The field is there, and neither null nor empty."""
    return {"required": [field], "properties": {field: _SOMETHING}}


def filled_one_of(*fields: str) -> dict[str, Any]:
    """At least one of the fields is there, and neither null nor empty."""
    return {"anyOf": [filled(field) for field in fields]}


def filled_when(field: str, is_value: str | bool, needed: str) -> dict[str, Any]:
    """`needed` is filled whenever `field` has the value."""
    return {"if": {"required": [field], "properties": {field: {"const": is_value}}}, "then": filled(needed)}
