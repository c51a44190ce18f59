"""The small rules that the tables of message types are built from.

A rule takes a value and its path and raises `GraphError` when Meta would refuse it. Meta speaks in three voices,
all kept: "The parameter text['body'] is required." for plain messages, the JSON-schema sentence for interactive and
template messages, and 131009 with a sentence of its own for the limits of interactive messages.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from ..errors import GraphError

Path = tuple[str | int, ...]
Rule = Callable[[Any, Path], None]

_SCHEMA_ROOTS = ("interactive", "template")
_URL = re.compile(r"^https?://[^\s/?#]+[^\s]*$", re.IGNORECASE)


def brackets(path: Path) -> str:
    """`text['body']`, as Graph names a parameter."""
    return str(path[0]) + "".join(f"[{part!r}]" for part in path[1:])


def dots(path: Path) -> str:
    """`template.components.0`, as Graph's schema errors name a field."""
    return ".".join(str(part) for part in path)


def bad_param(path: Path, problem: str) -> GraphError:
    """100 in the words of the Graph API."""
    return GraphError(100, message=f"(#100) Param {brackets(path)} {problem}")


def bad_value(details: str) -> GraphError:
    """131009 with Meta's explanation."""
    return GraphError(131009, details)


def missing(path: Path, field: str) -> GraphError:
    """100 for a field that is not there."""
    if path and path[0] in _SCHEMA_ROOTS:
        return schema_error("required", path, f"missing : '{field}'")
    return GraphError(100, message=f"(#100) The parameter {brackets((*path, field))} is required.")


def schema_error(constraint: str, path: Path, problem: str) -> GraphError:
    """Graph's sentence for a broken JSON-schema constraint; it comes without `error_data`."""
    field = dots(path)
    return GraphError(
        100,
        message=f"Your request has violated JSON schema constraint '{constraint}' for the JSON field '{field}', please "
        f"check the JSON schema for the JSON field '{field}' and make sure your request is valid for {problem}",
    )


def string(maximum: int | None = None, *, minimum: int = 1) -> Rule:
    """A string of so many characters, in the words for plain messages."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, str):
            raise bad_param(path, "must be a string.")
        if minimum and len(value) < minimum:
            raise missing(path[:-1], str(path[-1]))
        if maximum is not None and len(value) > maximum:
            raise bad_param(path, f"must be at most {maximum} characters long.")

    return check


def label(name: str, maximum: int, *, too_long: str | None = None) -> Rule:
    """A text of an interactive message, refused in the words of its own: 131009."""
    invalid = f"{name} length invalid. Min length: 1, Max length: {maximum}"

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, str):
            raise bad_param(path, "must be a string.")
        if not value:
            raise bad_value(invalid)
        if len(value) > maximum:
            raise bad_value(too_long or invalid)

    return check


def url(value: Any, path: Path) -> None:
    """An http(s) address."""
    if not isinstance(value, str) or not _URL.match(value):
        raise bad_param(path, "is not a valid URI.")


def boolean(value: Any, path: Path) -> None:
    """A JSON boolean; Graph also takes the words."""
    if value not in (True, False, "true", "false"):
        raise bad_param(path, "must be a boolean.")


def coordinate(limit: float) -> Rule:
    """A latitude or longitude, as number or text."""

    def check(value: Any, path: Path) -> None:
        try:
            within = not isinstance(value, bool) and abs(float(value)) <= limit
        except (TypeError, ValueError):
            within = False
        if not within:
            raise bad_param(path, f"must be a number between -{limit:g} and {limit:g}.")

    return check


def choice(*allowed: str) -> Rule:
    """One of a few words."""

    def check(value: Any, path: Path) -> None:
        if value not in allowed:
            words = ", ".join(word.upper() for word in allowed)
            raise bad_param(path, f'must be one of {{{words}}} - got "{value}".')

    return check


def fields(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object with these members and no others."""
    known: Mapping[str, Rule] = {**required, **(optional or {})}

    def check(value: Any, path: Path) -> None:
        members = as_object(value, path)
        for name in required:
            if name not in members:
                raise missing(path, name)
        for name, member in members.items():
            rule = known.get(name)
            if rule is None:
                raise unexpected(name, path)
            rule(member, (*path, name))

    return check


def items(rule: Rule, minimum: int, maximum: int, wrong_count: str) -> Rule:
    """A list of so many elements; `wrong_count` is what 131009 says otherwise."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, list):
            raise bad_param(path, "must be an array.")
        if not minimum <= len(value) <= maximum:
            raise bad_value(wrong_count)
        for index, element in enumerate(value):
            rule(element, (*path, index))

    return check


def every(*rules: Rule) -> Rule:
    """All of these, in this order."""

    def check(value: Any, path: Path) -> None:
        for rule in rules:
            rule(value, path)

    return check


def by_member(member: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule that a member of the object chooses by its value."""
    known = choice(*rules)

    def check(value: Any, path: Path) -> None:
        kind = as_object(value, path).get(member)
        if kind is None:
            raise missing(path, member)
        known(kind, (*path, member))
        rules[kind](value, path)

    return check


def anything(value: Any, path: Path) -> None:
    """Accept; the value is not looked at."""


def not_allowed(details: str) -> Rule:
    """131009 whatever is there."""

    def check(value: Any, path: Path) -> NoReturn:
        raise bad_value(details)

    return check


def unique(values: Collection[Any], details: str) -> None:
    """131009 when two are the same."""
    if len(set(values)) != len(values):
        raise bad_value(details)


def as_object(value: Any, path: Path) -> dict[str, Any]:
    """The value as an object, or Meta's refusal."""
    if not isinstance(value, dict):
        raise bad_param(path, "must be a JSON object.")
    return value


def unexpected(name: str, path: Path) -> GraphError:
    """100 for a member that does not belong here."""
    return GraphError(100, message=f'(#100) Unexpected key "{name}" on param "{brackets(path)}".')
