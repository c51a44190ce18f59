"""The values of a template's variables: counted, named, checked by Meta's rules and turned into text parameters."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from services.messaging.domain.templates import ApprovedText
from shared.contracts.content import Variables
from shared.errors import InvalidInputError

# Meta refuses these in a parameter (132007, 132012, 100).
_REFUSED = re.compile(r"[\n\r\t]| {5}")
_NAMES_SHOWN = 10
_NAME_SHOWN = 60  # characters


def invalid(field: str, message: str) -> InvalidInputError:
    """The error that names a field as the caller wrote it."""
    return InvalidInputError(f"{field}: {message}", details=[{"field": field, "message": message}])


def checked(field: str, value: str | None, *, limit: int | None = None) -> str:
    """The value, when Meta would take it as the text of a parameter. Raises InvalidInputError."""
    if value is None or not value.strip():
        raise invalid(field, "must not be empty")
    if _REFUSED.search(value):
        raise invalid(field, "must not contain line breaks, tabs or more than four spaces in a row")
    if limit is not None and len(value) > limit:
        raise invalid(field, f"must be at most {limit} characters, got {len(value)}")
    return value


def text_parameters(field: str, given: Variables, approved: ApprovedText) -> list[dict[str, Any]]:
    """One text parameter for each variable of the approved text, in its order.

    Takes a list or an object with keys "1", "2" … for positional variables, an object for named ones. Raises
    InvalidInputError naming `field` (or the value inside it) when the values do not fit the text.
    """
    values = _in_order(field, given, approved)
    for path, value in zip(value_fields(field, given, approved.variables), values, strict=True):
        checked(path, value)
    _check_length(field, values, approved)
    if approved.named:
        return [named_parameter(name, value) for name, value in zip(approved.variables, values, strict=True)]
    return [text_parameter(value) for value in values]


def text_parameter(value: str) -> dict[str, Any]:
    """A positional text parameter in Meta's form."""
    return {"type": "text", "text": value}


def named_parameter(name: str, value: str) -> dict[str, Any]:
    """A named text parameter in Meta's form."""
    return {"type": "text", "parameter_name": name, "text": value}


def value_fields(field: str, given: Variables, names: Iterable[str]) -> Iterator[str]:
    """The path of each value, as the caller wrote it."""
    for position, name in enumerate(names):
        yield f"{field}.{name}" if isinstance(given, dict) else f"{field}[{position}]"


def _in_order(field: str, given: Variables, approved: ApprovedText) -> list[str]:
    expected = approved.variables
    if isinstance(given, dict):
        if given.keys() != set(expected):
            raise invalid(field, _key_mismatch(given, expected))
        return [given[name] for name in expected]
    if approved.named and expected:
        got = f"a list of {len(given)}" if given else "nothing"
        raise invalid(field, f"expected an object with the keys {_listed(expected)}, got {got}")
    if len(given) != len(expected):
        raise invalid(field, f"expected {len(expected)} value{'' if len(expected) == 1 else 's'}, got {len(given)}")
    return list(given)


def _key_mismatch(given: dict[str, str], expected: tuple[str, ...]) -> str:
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    found = [f"missing {_listed(missing)}"] if missing else []
    found += [f"unknown {_listed(unknown)}"] if unknown else []
    return f"expected {_keys(expected)}: {', '.join(found)}"


def _keys(expected: tuple[str, ...]) -> str:
    return f"the keys {_listed(expected)}" if expected else "no values"


def _listed(names: Iterable[str]) -> str:
    # A caller may send any number of keys of any length; the answer stays readable.
    every = [name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}…" for name in names]
    rest = len(every) - _NAMES_SHOWN
    return ", ".join(every[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _check_length(field: str, values: list[str], approved: ApprovedText) -> None:
    if approved.limit is None or not values:
        return
    length = approved.fixed_length + sum(len(value) * uses for value, uses in zip(values, approved.uses, strict=True))
    if length > approved.limit:
        raise invalid(field, f"with these values the text has {length} characters; Meta takes {approved.limit}")
