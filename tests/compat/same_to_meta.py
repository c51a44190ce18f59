"""When two payloads are the same message to Meta although their JSON differs.

Each rule below undoes one difference that Meta's own pages allow. Nothing else is forgiven; the order of keys never
counts, since JSON objects have none.
"""

from collections.abc import Callable
from typing import Any

Rule = Callable[[dict[str, Any]], dict[str, Any]]


def index_as_text(thing: dict[str, Any]) -> dict[str, Any]:
    """A button's `index` is text in Meta's examples of quick replies and a number in those of limited-time offers."""
    return thing | {"index": str(thing["index"])} if "index" in thing else thing


def degrees_as_text(thing: dict[str, Any]) -> dict[str, Any]:
    """Coordinates are text in Meta's examples of templates and numbers in those of incoming locations."""
    return {name: str(value) if name in {"latitude", "longitude"} else value for name, value in thing.items()}


def kinds_in_lower_case(thing: dict[str, Any]) -> dict[str, Any]:
    """Component kinds are in upper case where Meta's pages make a template, in lower case where they send one.

    pywa writes them in upper case when it sends, and Meta takes its users' messages.
    """
    kinds = {"type", "sub_type"} & thing.keys() if "parameters" in thing else set()
    return thing | {name: thing[name].lower() for name in kinds}


def no_preview_unless_asked(thing: dict[str, Any]) -> dict[str, Any]:
    """`preview_url` may be left out; it is false then."""
    return {name: value for name, value in thing.items() if (name, value) != ("preview_url", False)}


def no_empty_components(thing: dict[str, Any]) -> dict[str, Any]:
    """`components` may be left out where a template has no variables."""
    return {name: value for name, value in thing.items() if (name, value) != ("components", [])}


RULES: tuple[Rule, ...] = (
    index_as_text,
    degrees_as_text,
    kinds_in_lower_case,
    no_preview_unless_asked,
    no_empty_components,
)


def as_meta_reads(value: Any, rules: tuple[Rule, ...] = RULES) -> Any:
    """A payload in the one form that all equivalent payloads share."""
    if isinstance(value, list):
        return [as_meta_reads(each, rules) for each in value]
    if not isinstance(value, dict):
        return value
    for rule in rules:
        value = rule(value)
    return {name: as_meta_reads(each, rules) for name, each in value.items()}
