"""Checks of our own that JSON Schema hears of, so that the documentation says what is really accepted.

pydantic derives a schema from types and limits, but cannot look into a validator.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.web.field_errors import field_error

_REFUSE_EMPTY = {"minLength", "pattern"}


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity, since annotations of a union are hashed
class Checked:
    """A validator that runs after pydantic's own, and the keywords of JSON Schema that come nearest to it.

    What the keywords leave out may only ever be refused as well, never accepted: a client that trusts the schema must
    not be kept from a request that would work.
    """

    check: Callable[..., Any]
    keywords: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return AfterValidator(self.check).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), **self.keywords}


def matching(pattern: re.Pattern[str], words: str) -> Checked:
    """The whole text is of this form; `words` say so where it is not."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise field_error(words)
        return value

    return Checked(check, {"pattern": f"^{pattern.pattern}$"})


@dataclass(frozen=True, slots=True, eq=False)
class EmptyIsNone:
    """Reads an empty string as null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return BeforeValidator(_none_for_empty).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        if any(_REFUSE_EMPTY & choice.keys() for choice in schema["anyOf"]):
            schema["anyOf"].append({"const": ""})
        return schema


def _none_for_empty(value: Any) -> Any:
    return None if value == "" else value
