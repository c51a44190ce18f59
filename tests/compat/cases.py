"""The messages that all three send: every documented example, and some that the examples leave out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.messaging.domain.payloads import graph_payload
from tests.messaging.domain.external_requests import content_of
from tests.messaging.domain.made import NOW_MS, TO, approved

_EXAMPLES = Path(__file__).parent.parent / "messaging" / "domain" / "external_examples.json"


@dataclass(frozen=True, slots=True)
class Case:
    """One message: the request of the external send API, and the approved template that it presumes."""

    name: str
    request: dict[str, Any]
    template: dict[str, Any] | None = None

    def our_payload(self) -> dict[str, Any]:
        """The JSON that messaging would send to Meta."""
        presumed = dict(self.template or {})
        components = presumed.pop("components", ())
        template = approved(*components, **presumed) if self.template else None
        return graph_payload(self.request["to"], content_of(self.request), template, now_ms=NOW_MS).payload


def documented() -> list[Case]:
    """Every example of the external send API, in its order."""
    rows = json.loads(_EXAMPLES.read_text())
    return [Case(row["example"], row["request"], row["template"]) for row in rows]


def _interactive(name: str, **interactive: Any) -> Case:
    return Case(name, {"to": TO, "type": "interactive", "interactive": interactive})


def _template(name: str, sent: dict[str, Any], *components: dict[str, Any], named: bool = False) -> Case:
    approved_as = {
        "name": sent["name"],
        "language": "en_US",
        "category": "UTILITY",
        "parameter_format": "named" if named else "positional",
        "components": list(components),
    }
    return Case(name, {"to": TO, "type": "template", "template": {"language": "en_US"} | sent}, approved_as)


_BUTTONS = [{"id": "yes", "title": "Yes"}]
_GUIDE = {"type": "document", "url": "https://example.com/guide.pdf"}

BEYOND_THE_EXAMPLES = [
    Case("image without a caption", {"to": TO, "type": "image", "media": {"url": "https://example.com/a.png"}}),
    Case(
        "document without a caption",
        {"to": TO, "type": "document", "media": {"url": "https://example.com/b.pdf", "filename": "b.pdf"}},
    ),
    _interactive("button without header and footer", type="button", body="Sure?", buttons=_BUTTONS),
    _interactive(
        "button below a video",
        type="button",
        header={"type": "video", "url": "https://example.com/promo.mp4"},
        body="Sure?",
        buttons=_BUTTONS,
    ),
    _interactive("button below a document", type="button", header=_GUIDE, body="Sure?", buttons=_BUTTONS),
    _interactive(
        "cta_url below a text",
        type="cta_url",
        header={"type": "text", "text": "News"},
        body="Read on",
        url="https://example.com/news",
        display_text="Open",
    ),
    _interactive(
        "list below a text, rows without descriptions",
        type="list",
        header={"type": "text", "text": "Menu"},
        body="Choose",
        display_text="Show",
        sections=[{"title": "All", "rows": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]}],
    ),
    _template(
        "template with named variables",
        {
            "name": "order_shipped_named",
            "body": {"variables": {"customer_name": "John", "order_id": "ORD-12345"}},
        },
        {"type": "BODY", "text": "Hi {{customer_name}}, {{order_id}} is on its way."},
        named=True,
    ),
    _template(
        "template with a variable in its header",
        {
            "name": "order_with_header",
            "header": {"type": "text", "variables": ["ORD-12345"]},
            "body": {"variables": ["Friday"]},
        },
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "It arrives on {{1}}."},
    ),
    _template("template without variables", {"name": "open_today"}, {"type": "BODY", "text": "We are open today."}),
]

CASES = [*documented(), *BEYOND_THE_EXAMPLES]
