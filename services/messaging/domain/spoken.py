"""What a customer read in a message of ours, from what was posted to Meta: for whoever goes on from there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.templates import Template

Part = Mapping[str, Any]

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


def spoken(payload: Part, template: Template | None) -> str | None:
    """The words of a message; None where there are none. `template` is the one that it names, if we know it."""
    content = payload.get(str(payload.get("type")))
    match payload.get("type"):
        case "text":
            return _text(content, "body")
        case "template":
            return _template(content or {}, template)
        case "interactive":
            return _lines(_interactive(content or {}))
        case _:
            return _text(content, "caption")


def _template(content: Part, template: Template | None) -> str:
    """The approved text with the values that were sent; the name and the values where it is not known."""
    given = {str(part.get("type", "")).lower(): part for part in content.get("components") or ()}
    if template is None:
        values = ", ".join(value for _, value in _parameters(given.get("body")))
        return f"[template {content.get('name')}] {values}".strip()
    return _lines(_approved(template, given)) or f"[template {template.name}]"


def _approved(template: Template, given: Mapping[str, Part]) -> Iterator[str | None]:
    for component in template.components:
        kind = str(component.get("type", "")).lower()
        if kind == "buttons":
            yield _buttons(component.get("buttons") or ())
        elif component.get("text"):
            yield _filled(str(component["text"]), dict(_parameters(given.get(kind))))


def _parameters(component: Part | None) -> Iterator[tuple[str, str]]:
    """The values by name, or by their place where they have none."""
    for place, parameter in enumerate((component or {}).get("parameters") or (), start=1):
        if parameter.get("type") == "text":
            yield str(parameter.get("parameter_name") or place), str(parameter.get("text", ""))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _interactive(content: Part) -> Iterator[str | None]:
    yield _text(content.get("header"), "text")
    yield _text(content.get("body"), "text")
    yield _text(content.get("footer"), "text")
    action = content.get("action") or {}
    yield _buttons([button.get("reply") or {} for button in action.get("buttons") or ()])
    for section in action.get("sections") or ():
        yield _buttons(section.get("rows") or ())


def _buttons(buttons: Any) -> str | None:
    names = [str(button.get("text") or button.get("title") or "") for button in buttons]
    return " ".join(f"[{name}]" for name in names if name) or None


def _text(part: Any, key: str) -> str | None:
    value = part.get(key) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) and value else None


def _lines(lines: Iterator[str | None]) -> str | None:
    return "\n".join(filter(None, lines)) or None
