"""What somebody who wants to send a template has to know of it, read from Meta's components."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.templates.domain.variables import has_gap, placeholders
from shared.contracts.templates import DiscoveredTemplate, Template, TemplateBody, TemplateButton, TemplateHeader
from shared.errors import NotFoundError
from shared.similar_names import close_matches

Component = Mapping[str, Any]

_VARIANTS_NAMED = 20  # Meta knows some seventy languages; a sentence does not hold them all


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """Which templates of an account are wanted. `status` None: all but deleted ones; any other None: no matter."""

    status: str | None = None
    language: str | None = None
    search: str | None = None  # a part of the name, in either case
    name: str | None = None  # the whole of it


def stored_language(code: str) -> str:
    """A language code as templates have it: `en-us` is `en_US`."""
    language, *region = code.replace("-", "_").split("_", 1)
    return "_".join((language.lower(), *(part.upper() for part in region)))


def discovered(template: Template) -> DiscoveredTemplate:
    """The template with its parts. A part that it does not have is None, and an example is Meta's as it is."""
    parts = {str(component.get("type")).upper(): component for component in template.components}
    counts = _variable_counts(template)
    return DiscoveredTemplate(
        name=template.name,
        language=template.language,
        category=template.category,
        status=template.status,
        parameter_format=template.parameter_format,
        meta_template_id=template.meta_template_id,
        quality_score=template.quality_score,
        header=_header(parts.get("HEADER"), counts["HEADER"]),
        body=_body(parts.get("BODY"), counts["BODY"]),
        footer=_text((parts.get("FOOTER") or {}).get("text")),
        buttons=_buttons(parts.get("BUTTONS")),
        components=template.components,
    )


def nothing_called(name: str, variants: Sequence[Template], known_names: Iterable[str]) -> NotFoundError:
    """Why a name finds nothing: it exists in other languages or states, or not at all but others look like it."""
    if variants:
        shown = sorted(f"{template.language} ({template.status})" for template in variants)[:_VARIANTS_NAMED]
        message, matches = f"No template {name!r} matches the query; there is {', '.join(shown)}", [name]
    else:
        matches = close_matches(name, known_names)
        hint = f"; did you mean {', '.join(matches)}?" if matches else ""
        message = f"No template is called {name!r} on this account{hint}"
    details = [{"field": "name", "message": message, "close_matches": matches}]
    return NotFoundError(message, code="template_not_found", details=details)


def _variable_counts(template: Template) -> dict[str, int]:
    gaps = [gap.component_type for gap in placeholders(template.components, template.category)]
    return {kind: gaps.count(kind) for kind in ("HEADER", "BODY")}


def _header(component: Component | None, variable_count: int) -> TemplateHeader | None:
    if component is None:
        return None
    return TemplateHeader(
        format=str(component.get("format") or "TEXT").upper(),
        text=_text(component.get("text")),
        variable_count=variable_count,
        example=component.get("example"),
    )


def _body(component: Component | None, variable_count: int) -> TemplateBody | None:
    if component is None:
        return None
    return TemplateBody(
        text=_text(component.get("text")), variable_count=variable_count, example=component.get("example")
    )


def _buttons(component: Component | None) -> tuple[TemplateButton, ...]:
    buttons = (component or {}).get("buttons")
    listed = buttons if isinstance(buttons, list) else []
    return tuple(_button(index, button) for index, button in enumerate(listed) if isinstance(button, dict))


def _button(index: int, button: Component) -> TemplateButton:
    kind, url = str(button.get("type")).upper(), _text(button.get("url"))
    return TemplateButton(
        index=index,
        type=kind,
        text=_text(button.get("text")),
        url=url,
        phone_number=_text(button.get("phone_number")),
        variable_count=1 if kind == "COPY_CODE" or (url and has_gap(url)) else 0,  # a coupon's code is a value too
        example=button.get("example"),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
