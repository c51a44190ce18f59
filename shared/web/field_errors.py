"""What is wrong with a body, in the words of the API documents: `template.name is required`.

Two conventions let models say more. A part of pydantic's location in parentheses is the tag of a union, as in
`Tag("(carousel)")`, and is no part of the field's path. A validator raises `field_error(...)` for words of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Discriminator, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from shared.errors import InvalidInputError
from shared.web.json_text import Path, path_text

MAX_DETAILS = 50  # a body of a megabyte may hold a hundred thousand faults; nobody reads them all

_OWN = "waapi"

_WORDS = {
    "string_type": "must be a string",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "int_parsing_size": "must be an integer of ordinary size",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "list_type": "must be an array",
    "tuple_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "datetime_type": "must be a time such as 2026-03-05T10:30:00.000Z",
    "datetime_parsing": "must be a time such as 2026-03-05T10:30:00.000Z",
    "datetime_from_date_parsing": "must be a time such as 2026-03-05T10:30:00.000Z",
    "datetime_object_invalid": "must be a time such as 2026-03-05T10:30:00.000Z",
    "timezone_aware": "must be a time with its zone, such as 2026-03-05T10:30:00.000Z",
}


def field_error(words: str, *, field: str | int | None = None, sentence: str | None = None) -> PydanticCustomError:
    """An error for a validator to raise: `<path> <words>`.

    `field` points below the value that is validated. `sentence` replaces the whole message word for word.
    """
    return PydanticCustomError(_OWN, "{words}", {"words": words, "field": field, "sentence": sentence})


@dataclass(frozen=True, slots=True)
class UnionBy:
    """An annotation that chooses among tagged models; its error reads `<path>.<field> <words>`.

    `tag` gives the value of the field in parentheses. A class of our own, since pydantic's Discriminator with an
    error of its own cannot be hashed, and so not be a part of `X | None`.
    """

    field: str
    tag: Callable[[Any], str | None]
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        context: dict[str, str | int | float] = {"words": self.words, "field": self.field, "by_field": self.field}
        chooser = Discriminator(
            self.tag, custom_error_type=_OWN, custom_error_message="{words}", custom_error_context=context
        )
        return chooser.__get_pydantic_core_schema__(source, handler)


def invalid_input(error: ValidationError) -> InvalidInputError:
    """The error a caller is told: the first fault as the message, all of them as details."""
    details = [_detail(fault) for fault in error.errors(include_url=False)[:MAX_DETAILS]]
    return InvalidInputError(details[0]["message"], details=details)


def _detail(fault: ErrorDetails) -> dict[str, Any]:
    if "by_field" in fault.get("ctx", {}):
        fault = _why_no_tag(fault)
    context = fault.get("ctx", {})
    location = fault["loc"] + ((context["field"],) if context.get("field") is not None else ())
    field = path_text(_without_tags(location))
    return {"field": field, "message": _sentence(fault, context, field)}


def _why_no_tag(fault: ErrorDetails) -> ErrorDetails:
    """A union's tag did not match: there is no object, or its field is missing, or it has another value."""
    value, field = fault["input"], fault["ctx"]["by_field"]
    if not isinstance(value, dict):
        return {**fault, "type": "dict_type", "ctx": {}}
    if value.get(field) is None:
        return {**fault, "type": "missing", "loc": (*fault["loc"], field), "ctx": {}}
    return fault


def _sentence(fault: ErrorDetails, context: dict[str, Any], field: str) -> str:
    subject = field or "The body"
    if context.get("sentence"):
        return str(context["sentence"])
    if _is_missing(fault):
        return f"{subject} is required{_for_tag(fault['loc'])}"
    if fault["type"] == _OWN:
        return f"{subject} {context['words']}"
    if fault["type"] in {"string_too_short", "too_short"} and context.get("min_length") == 1:
        return f"{subject} must not be empty"
    words = _WORDS.get(fault["type"], "is not valid")
    return f"{subject} {words.format(**{name: _plain(value) for name, value in context.items()})}"


def _plain(value: Any) -> Any:
    """90.0, the limit of a fraction, reads as 90."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_missing(fault: ErrorDetails) -> bool:
    """Whether the field was left out; null, where it means nothing, counts as left out."""
    return fault["type"] == "missing" or (fault["input"] is None and fault["type"].endswith(("_type", "literal_error")))


def _for_tag(location: tuple[int | str, ...]) -> str:
    """The external API's own phrase for a field that only one kind needs; a whole body's kind goes without saying."""
    parent = location[-2] if len(location) > 2 else ""
    return f" for type={parent[1:-1]}." if _is_tag(parent) and isinstance(parent, str) else ""


def _without_tags(location: tuple[int | str, ...]) -> Path:
    return tuple(part for part in location if not _is_tag(part))


def _is_tag(part: int | str) -> bool:
    return isinstance(part, str) and part.startswith("(") and part.endswith(")")
