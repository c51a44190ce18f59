"""Headers: their formats, and the sample that Meta wants to see of a media header."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.templates.domain.lint_findings import Finding
from services.templates.domain.lint_texts import Samples, lint_header_text

FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "PRODUCT", "GIF")
WITH_SAMPLE = frozenset({"IMAGE", "VIDEO", "DOCUMENT", "GIF"})


def lint_header(path: str, component: Mapping[str, Any], *, named: bool, samples: Samples) -> Iterator[Finding]:
    """A header of any format."""
    kind = str(component.get("format") or "TEXT").upper()
    if kind not in FORMATS:
        yield Finding("header_format", f"{path}.format", f"must be one of {', '.join(FORMATS)} (2388047)")
    elif kind == "TEXT":
        yield from lint_header_text(path, component, named=named, samples=samples)
    elif kind in WITH_SAMPLE and not has_sample(component):
        words = "must hold a sample of the media: header_url (https, at most 16 MB) or header_handle (2388043)"
        yield Finding("example_missing", f"{path}.example", words)


def has_sample(component: Mapping[str, Any]) -> bool:
    """Whether a media header says where its sample is."""
    example = component.get("example")
    return isinstance(example, Mapping) and bool(example.get("header_url") or example.get("header_handle"))
