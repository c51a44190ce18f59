"""Right bodies of each kind, and a way to make one wrong in one place."""

import copy
import re
from typing import Any

DROP: Any = type("Drop", (), {"__repr__": lambda _: "DROP"})()  # the same name in every run
TO = "+919876543210"

TEXT = {"to": TO, "type": "text", "text": "Hello"}
IMAGE = {"to": TO, "type": "image", "media": {"url": "https://example.com/a.jpg", "caption": "A"}}
AUDIO = {"to": TO, "type": "audio", "media": {"url": "https://example.com/a.mp3"}}
DOCUMENT = {"to": TO, "type": "document", "media": {"url": "https://example.com/a.pdf", "filename": "a.pdf"}}
TEMPLATE = {
    "to": TO,
    "type": "template",
    "template": {
        "name": "order_confirmation",
        "language": "en_US",
        "header": {"type": "image", "url": "https://example.com/a.jpg"},
        "body": {"variables": ["John", "ORD-1"]},
        "buttons": [{"index": 0, "sub_type": "url", "url": "x"}, {"index": 1, "payload": "P"}],
    },
}
BUTTON = {
    "to": TO,
    "type": "interactive",
    "interactive": {
        "type": "button",
        "header": {"type": "text", "text": "Choose"},
        "body": "How?",
        "footer": "Below",
        "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
    },
}
CTA_URL = {
    "to": TO,
    "type": "interactive",
    "interactive": {"type": "cta_url", "body": "Look", "url": "https://example.com/o", "display_text": "View"},
}
LIST = {
    "to": TO,
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": "Select",
        "display_text": "Choose",
        "sections": [
            {"title": "Support", "rows": [{"id": "t", "title": "Technical", "description": "Issues"}]},
            {"title": "Sales", "rows": [{"id": "n", "title": "New order"}]},
        ],
    },
}
CARDS = {
    "to": TO,
    "type": "interactive",
    "interactive": {
        "type": "carousel",
        "body": "Browse",
        "cards": [
            {
                "header": {"type": "image", "url": "https://example.com/1.jpg"},
                "body": "First",
                "buttons": [{"id": "b1", "title": "Buy"}],
            },
            {
                "header": {"type": "image", "url": "https://example.com/2.jpg"},
                "body": "Second",
                "buttons": [{"id": "b2", "title": "Buy"}],
            },
        ],
    },
}
CAROUSEL = {
    "to": TO,
    "type": "carousel",
    "carousel": {
        "template_name": "product_carousel",
        "cards": [
            {
                "header": {"type": "image", "url": "https://example.com/1.jpg"},
                "body": {"variables": ["Earbuds"]},
                "buttons": [{"sub_type": "url", "url": "earbuds"}],
            },
            {
                "header": {"type": "image", "url": "https://example.com/2.jpg"},
                "body": {"variables": ["Watch"]},
                "buttons": [{"sub_type": "url", "url": "watch"}],
            },
        ],
    },
}


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `body` with another value at `path`, such as `template.buttons[0].url`; DROP leaves it out."""
    found: Any = copy.deepcopy(body)
    whole = found
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    for part in way:
        found = found[part]
    if value is DROP:
        del found[last]
    else:
        found[last] = value
    return dict(whole)
