"""What a customer read, from what was posted to Meta."""

from typing import Any

import pytest

from services.messaging.domain.spoken import spoken
from tests.messaging.stage import template

BODY = {"type": "body", "parameters": [{"type": "text", "text": "Asha"}]}
NAMED = {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Asha"}]}

CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "a text": ({"type": "text", "text": {"body": "Hello"}}, "Hello"),
    "a caption": ({"type": "image", "image": {"link": "https://a.example/i.png", "caption": "Look"}}, "Look"),
    "a picture without a caption": ({"type": "image", "image": {"link": "https://a.example/i.png"}}, None),
    "a location": ({"type": "location", "location": {"latitude": 1, "longitude": 2}}, None),
    "buttons": (
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "text", "text": "Size"},
                "body": {"text": "Which one?"},
                "footer": {"text": "Free returns"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "s", "title": "Small"}}]},
            },
        },
        "Size\nWhich one?\nFree returns\n[Small]",
    ),
    "a list": (
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "Choose"},
                "action": {"button": "Open", "sections": [{"rows": [{"id": "1", "title": "Tea"}, {"title": "Milk"}]}]},
            },
        },
        "Choose\n[Tea] [Milk]",
    ),
    "a template that is not known": (
        {"type": "template", "template": {"name": "gone", "components": [BODY]}},
        "[template gone] Asha",
    ),
    "a kind of which nothing is known": ({"type": "hologram", "hologram": "?"}, None),
}


@pytest.mark.parametrize(("payload", "words"), CASES.values(), ids=CASES.keys())
def test_the_words_of(payload: dict[str, Any], words: str | None) -> None:
    assert spoken(payload, None) == words


@pytest.mark.parametrize(("approved", "given"), [("Hi {{1}}.", BODY), ("Hi {{first_name}}.", NAMED)])
def test_a_known_template_has_its_values_in_their_places(approved: str, given: dict[str, Any]) -> None:
    known = template(components=({"type": "BODY", "text": approved},))
    payload = {"type": "template", "template": {"name": "order_shipped", "components": [given]}}

    assert spoken(payload, known) == "Hi Asha."
