"""The documented requests of the external send API, with what they presume and what Meta should get for each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from services.messaging.domain.payloads import Renderable
from services.messaging.domain.templates import ApprovedTemplate
from tests.messaging.domain.made import approved

_CONTENT: TypeAdapter[Renderable] = TypeAdapter(Renderable)
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """One documented request in the words of messaging."""

    name: str
    to: str
    content: Renderable
    template: ApprovedTemplate | None
    payload: dict[str, Any]
    warnings: tuple[str, ...]


def examples() -> list[Example]:
    """Every documented request, in the document's order."""
    requests = json.loads((_HERE / "external_examples.json").read_text())
    expected = json.loads((_HERE / "external_payloads.json").read_text())
    return [_example(request, payload) for request, payload in zip(requests, expected, strict=True)]


def _example(presumed: dict[str, Any], expected: dict[str, Any]) -> Example:
    assert presumed["example"] == expected["example"]
    given = presumed["template"]
    return Example(
        name=presumed["example"],
        to=presumed["request"]["to"],
        content=content_of(presumed["request"]),
        template=None if given is None else approved(*given.pop("components"), **given),
        payload=expected["payload"],
        warnings=tuple(expected["warnings"]),
    )


def content_of(request: dict[str, Any]) -> Renderable:
    """The content of a documented request."""
    kind = request["type"]
    match kind:
        case "text":
            return _CONTENT.validate_python({"type": kind, "text": request["text"]})
        case "interactive":
            return _CONTENT.validate_python({"type": kind, "interactive": request["interactive"]})
        case "template":
            given = dict(request["template"])
            offer = given.pop("lto", {})
            flat = {"lto_expiration_time_ms": offer.get("expiration_time_ms")}
            return _CONTENT.validate_python({"type": kind} | _flat_body(given) | flat)
        case "carousel":
            given = dict(request["carousel"])
            cards = [_flat_body(card) for card in given.pop("cards")]
            return _CONTENT.validate_python({"type": kind} | _flat_body(given) | {"cards": cards})
        case _:
            return _CONTENT.validate_python({"type": kind} | request["media"])


def _flat_body(part: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in part.items() if key != "body"}
    return rest | {"variables": part.get("body", {}).get("variables", ())}
