"""Texts with variables: what Meta refuses about their order, place, number and examples."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from services.templates.domain.lint_findings import Finding

Component = Mapping[str, Any]
Samples = Set[tuple[str, int]]  # component type and position of the variables that have a sample value

PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
HEADER_LIMIT = 60
FOOTER_LIMIT = 60

_NAMED = re.compile(r"[a-z][a-z0-9_]*")
_ADJACENT = re.compile(r"\}\}\s*\{\{")
_BRACES = re.compile(r"\{\{|\}\}")
_AT_START = re.compile(r"\s*\{\{")
_AT_END = re.compile(r"\}\}\s*$")


def lint_body(
    path: str, component: Component, limit: int, *, named: bool, samples: Samples, card: bool = False
) -> Iterator[Finding]:
    """A body's text. On a card, whose text is short, a variable may stand first or last."""
    text = component.get("text")
    yield from _lint_length(f"{path}.text", text, limit, "2388072")
    if not isinstance(text, str):
        return
    yield from lint_placeholders(f"{path}.text", text, named=named)
    found = PLACEHOLDER.findall(text)
    if found and not card:
        yield from _lint_edges(f"{path}.text", text)
    if len(PLACEHOLDER.sub(" ", text).split()) < len(set(found)):
        yield Finding("variables_too_many", f"{path}.text", "has too many variables for its length (2388293)")
    yield from lint_examples(path, component, "BODY", named=named, samples=samples)


def lint_footer(path: str, component: Component) -> Iterator[Finding]:
    """A footer's text, which takes no variables."""
    text = component.get("text")
    yield from _lint_length(f"{path}.text", text, FOOTER_LIMIT, "2388073")
    if isinstance(text, str) and PLACEHOLDER.search(text):
        yield Finding("footer_variable", f"{path}.text", "must have no variables (2388073)")


def lint_header_text(path: str, component: Component, *, named: bool, samples: Samples) -> Iterator[Finding]:
    """A text header."""
    text = component.get("text")
    yield from _lint_length(f"{path}.text", text, HEADER_LIMIT, "2388047")
    if not isinstance(text, str):
        return
    yield from lint_placeholders(f"{path}.text", text, named=named)
    if len(set(PLACEHOLDER.findall(text))) > 1:
        yield Finding("header_variables", f"{path}.text", "must have at most one variable (2388047)")
    if any(mark in text for mark in ("*", "~", "`", "\n")):
        yield Finding("header_format", f"{path}.text", "must be one line without formatting (2388047)")
    yield from lint_examples(path, component, "HEADER", named=named, samples=samples)


def lint_placeholders(field: str, text: str, *, named: bool) -> Iterator[Finding]:
    """How variables are written and numbered."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(text)))
    if _BRACES.search(PLACEHOLDER.sub("", text)):
        yield Finding("braces_unbalanced", field, "has braces that open or close no variable")
    if _ADJACENT.search(text):
        yield Finding("variables_adjacent", field, "has variables next to each other without words between them")
    if named:
        wrong = [name for name in names if not _NAMED.fullmatch(name)]
        if wrong:
            yield Finding("variable_name", field, f"has variables that are not lower-case words: {', '.join(wrong)}")
    elif sorted(names) != sorted(str(number) for number in range(1, len(names) + 1)):
        yield Finding("variable_numbers", field, "must number its variables {{1}}, {{2}}, … without gaps")


def lint_examples(path: str, component: Component, kind: str, *, named: bool, samples: Samples) -> Iterator[Finding]:
    """Meta wants an example for every variable; the variables' sample values stand in for a missing one."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(str(component.get("text") or ""))))
    if not names:
        return
    if not _examples(component, kind.lower(), named=named):
        if not all((kind, position) in samples for position in range(1, len(names) + 1)):
            words = "is missing, and not every variable has a sample_value (2388043)"
            yield Finding("example_missing", f"{path}.example", words)
    elif len(_examples(component, kind.lower(), named=named)) != len(names):
        yield Finding("example_count", f"{path}.example", f"must have {len(names)} values, one a variable (2388043)")


def _examples(component: Component, kind: str, *, named: bool) -> Sequence[Any]:
    example = component.get("example")
    given = example.get(f"{kind}_text_named_params" if named else f"{kind}_text") if isinstance(example, dict) else None
    if not isinstance(given, list | tuple):
        return ()
    if not named and kind == "body" and given and isinstance(given[0], list | tuple):
        return given[0]  # rows of examples, of which Meta takes one
    return given


def _lint_length(field: str, text: Any, limit: int, subcode: str) -> Iterator[Finding]:
    if not isinstance(text, str) or not text.strip():
        yield Finding("text_missing", field, f"must not be empty ({subcode})")
    elif len(text) > limit:
        yield Finding("text_too_long", field, f"must have at most {limit} characters, and has {len(text)} (2388040)")


def _lint_edges(field: str, text: str) -> Iterator[Finding]:
    for pattern, end in ((_AT_START, "start"), (_AT_END, "end")):
        if pattern.match(text) if end == "start" else pattern.search(text):
            yield Finding(f"variable_at_{end}", field, f"must not {end} with a variable (2388299)")
