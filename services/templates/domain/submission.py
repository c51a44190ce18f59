"""What is handed to Meta for a draft: its components with examples, and with handles in place of links to samples."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.templates.domain.lint_media import WITH_SAMPLE
from services.templates.domain.lint_texts import PLACEHOLDER
from shared.contracts.templates import Template, TemplateVariable

Component = Mapping[str, Any]


def sample_links(template: Template) -> tuple[str, ...]:
    """The links to header samples that have to be uploaded first, each once, in order."""
    headers = (part for part in _all_parts(template.components) if _is_media_header(part))
    return tuple(dict.fromkeys(link for part in headers if (link := _link(part)) is not None))


def meta_body(template: Template, handles: Mapping[str, str], *, is_new: bool) -> dict[str, Any]:
    """The JSON of Meta's creation (or edit, which takes no name) of a template; `handles` by link."""
    components = [_for_meta(part, template.variables, handles) for part in template.components]
    content = {"category": template.category, "components": components}
    if not is_new:
        return content
    identity = {"name": template.name, "language": template.language}
    return identity | content | {"parameter_format": template.parameter_format.upper()}


def _all_parts(components: Sequence[Component]) -> Iterator[Component]:
    for part in components:
        yield part
        for card in part.get("cards") or ():
            yield from card.get("components") or ()


def _is_media_header(part: Component) -> bool:
    return str(part.get("type")).upper() == "HEADER" and str(part.get("format")).upper() in WITH_SAMPLE


def _link(header: Component) -> str | None:
    """Where a header's sample is to be fetched. Meta shows an accepted sample as a link, too: it is no handle."""
    example = header.get("example") or {}
    handles = example.get("header_handle")
    handle = handles[0] if isinstance(handles, list | tuple) and handles else handles
    for candidate in (example.get("header_url"), handle):
        if isinstance(candidate, str) and candidate.startswith(("http://", "https://")):
            return candidate
    return None


def _for_meta(part: Component, variables: Sequence[TemplateVariable], handles: Mapping[str, str]) -> dict[str, Any]:
    if _is_media_header(part):
        return _with_handle(part, handles)
    match str(part.get("type")).upper():
        case "CAROUSEL":
            cards = [_card(card, handles) for card in part.get("cards") or ()]
            return {**part, "cards": cards}
        case "HEADER" | "BODY" as kind:
            return _with_examples(part, kind, variables)
        case "BUTTONS":
            samples = {one.position: one.sample_value for one in variables if one.component_type == "BUTTON"}
            listed = enumerate(part.get("buttons") or ())
            return {**part, "buttons": [_button(button, samples.get(index)) for index, button in listed]}
        case _:
            return dict(part)


def _card(card: Component, handles: Mapping[str, str]) -> dict[str, Any]:
    return {**card, "components": [_for_meta(part, (), handles) for part in card.get("components") or ()]}


def _with_handle(header: Component, handles: Mapping[str, str]) -> dict[str, Any]:
    link = _link(header)
    if link is None:
        return dict(header)
    return {**header, "example": {"header_handle": [handles[link]]}}


def _with_examples(part: Component, kind: str, variables: Sequence[TemplateVariable]) -> dict[str, Any]:
    """Sample values stand in for examples that are missing; what is there is left as it is."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(str(part.get("text") or ""))))
    samples = {one.position: one.sample_value for one in variables if one.component_type == kind and one.sample_value}
    if part.get("example") or not names or len(samples) < len(names):
        return dict(part)
    named = not all(name.isdecimal() for name in names)
    key = f"{kind.lower()}_text"
    if named:
        rows = [{"param_name": name, "example": samples.get(order)} for order, name in enumerate(names, start=1)]
        return {**part, "example": {f"{key}_named_params": rows}}
    values = [samples[position] for position in sorted(samples)]
    return {**part, "example": {key: [values] if kind == "BODY" else values}}


def _button(button: Component, sample: str | None) -> dict[str, Any]:
    url = button.get("url")
    if sample is None or button.get("example") or not isinstance(url, str) or not PLACEHOLDER.search(url):
        return dict(button)
    return {**button, "example": [PLACEHOLDER.sub(lambda _match: sample, url)]}
