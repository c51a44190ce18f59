"""Which variables a template has, read from its components.

Positional `{{1}}` and named `{{first_name}}` placeholders are found in the header, the body and URL buttons. Those on
the cards of a carousel are left out: they are given card by card when the message is sent.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.contracts.templates import TemplateVariable

Component = Mapping[str, Any]
ComponentType = Literal["HEADER", "BODY", "BUTTON"]

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NEUTRAL_PREFIXES: dict[ComponentType, str] = {
    "HEADER": "header_variable_",
    "BODY": "variable_",
    "BUTTON": "button_variable_",
}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One gap in a template.

    `position` counts from 1 in header and body. For a button it is the button's index in the template, from 0 and
    counting all buttons, which is how Meta addresses it. `name` is None where Meta only counts.
    """

    component_type: ComponentType
    position: int
    name: str | None = None
    sample: str | None = None
    by_name: bool = False  # a message addresses it by its name, and not by its position


def template_variables(
    components: Sequence[Component],
    category: str,
    *,
    new_id: Callable[[str], str],
    known: Iterable[TemplateVariable] = (),
) -> tuple[TemplateVariable, ...]:
    """The variables of a template. Those already known keep their id and whatever people wrote on them."""
    known = tuple(known)
    return tuple(_variable(gap, _counterpart(gap, known), new_id) for gap in placeholders(components, category))


def placeholders(components: Sequence[Component], category: str) -> Iterator[Placeholder]:
    """The gaps of a template, in the order of its components, each once."""
    authentication = category.upper() == "AUTHENTICATION"
    for component in components:
        match str(component.get("type")).upper():
            case "HEADER":
                yield from _in_text(component, "HEADER")
            case "BODY" if authentication and not component.get("text"):
                # Meta writes this body itself, and the code is its one value.
                yield Placeholder("BODY", 1, name="code")
            case "BODY":
                yield from _in_text(component, "BODY")
            case "BUTTONS" if not authentication:  # there the button repeats the body's code
                yield from _in_buttons(component)


def is_named(components: Iterable[Component]) -> bool:
    """Whether header or body name their placeholders instead of counting them."""
    texts = (str(part.get("text") or "") for part in components if str(part.get("type")).upper() in {"HEADER", "BODY"})
    return any(not token.isdecimal() for text in texts for token in _PLACEHOLDER.findall(text))


def has_gap(text: str) -> bool:
    """Whether a text has a placeholder."""
    return _PLACEHOLDER.search(text) is not None


def _variable(gap: Placeholder, known: TemplateVariable | None, new_id: Callable[[str], str]) -> TemplateVariable:
    if known is not None:
        return known.model_copy(
            update={"position": gap.position, "sample_value": known.sample_value or gap.sample},
        )
    return TemplateVariable(
        variable_id=new_id("var_"),
        variable_name=gap.name or f"{_NEUTRAL_PREFIXES[gap.component_type]}{gap.position}",
        position=gap.position,
        component_type=gap.component_type,
        sample_value=gap.sample,
        is_required=True,  # Meta refuses a message that leaves a gap, and nothing is known that could fill it
    )


def _counterpart(gap: Placeholder, known: Iterable[TemplateVariable]) -> TemplateVariable | None:
    for variable in known:
        same_gap = variable.variable_name == gap.name if gap.by_name else variable.position == gap.position
        if variable.component_type == gap.component_type and same_gap:
            return variable
    return None


def _in_text(component: Component, component_type: Literal["HEADER", "BODY"]) -> Iterator[Placeholder]:
    example = component.get("example")
    samples = _samples(example if isinstance(example, Mapping) else {}, component_type.lower())
    found = dict.fromkeys(_PLACEHOLDER.findall(str(component.get("text") or "")))
    for order, token in enumerate(found, start=1):
        name = None if token.isdecimal() else token
        yield Placeholder(component_type, order if name else int(token), name, samples.get(token), name is not None)


def _samples(example: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Samples by placeholder: Meta lists them by position, or by name under `…_named_params`."""
    named = example.get(f"{kind}_text_named_params")
    if isinstance(named, list):
        return {str(entry.get("param_name")): str(entry.get("example")) for entry in named if isinstance(entry, dict)}
    values = example.get(f"{kind}_text")
    if isinstance(values, list) and values and isinstance(values[0], list):
        values = values[0]  # a body's examples are rows, of which Meta takes one
    return {str(order): str(value) for order, value in enumerate(values, start=1)} if isinstance(values, list) else {}


def _in_buttons(component: Component) -> Iterator[Placeholder]:
    buttons = component.get("buttons")
    for index, button in enumerate(buttons if isinstance(buttons, list) else []):
        url = button.get("url") if isinstance(button, dict) else None
        if isinstance(url, str) and (gap := _PLACEHOLDER.search(url)):
            yield Placeholder("BUTTON", index, sample=_url_sample(button.get("example"), url[: gap.start()]))


def _url_sample(example: Any, fixed_part: str) -> str | None:
    """The sample of the changing end of a link; Meta also takes the whole link as the example."""
    value = example[0] if isinstance(example, list) and example else example
    return value.removeprefix(fixed_part) or None if isinstance(value, str) else None
