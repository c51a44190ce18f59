from typing import Any

import pytest
from pydantic import TypeAdapter

from services.messaging.domain.payloads import graph_payload
from shared.contracts.content import Interactive, InteractiveContent, MediaContent, TextContent
from tests.messaging.domain.made import NOW_MS, TO

_INTERACTIVE: TypeAdapter[Interactive] = TypeAdapter(Interactive)


def interactive(**given: Any) -> dict[str, Any]:
    content = InteractiveContent(interactive=_INTERACTIVE.validate_python(given))
    payload = graph_payload(TO, content, None, now_ms=NOW_MS).payload
    rendered: dict[str, Any] = payload["interactive"]
    return rendered


def test_a_link_is_previewed_when_asked_for() -> None:
    rendered = graph_payload(TO, TextContent(text="https://example.com", preview_url=True), None, now_ms=NOW_MS)

    assert rendered.payload["text"] == {"body": "https://example.com", "preview_url": True}


def test_an_audio_message_has_no_caption_and_says_so() -> None:
    content = MediaContent(type="audio", url="https://example.com/a.ogg", caption="listen")

    rendered = graph_payload(TO, content, None, now_ms=NOW_MS)

    assert rendered.payload["audio"] == {"link": "https://example.com/a.ogg"}
    assert rendered.warnings == ("field_ignored: media.caption has no place in audio messages",)


def test_only_a_document_has_a_file_name() -> None:
    content = MediaContent(type="image", url="https://example.com/a.png", filename="a.png")

    rendered = graph_payload(TO, content, None, now_ms=NOW_MS)

    assert rendered.payload["image"] == {"link": "https://example.com/a.png"}
    assert rendered.warnings == ("field_ignored: media.filename has no place in image messages",)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            {"type": "video", "url": "https://example.com/a.mp4"},
            {"type": "video", "video": {"link": "https://example.com/a.mp4"}},
        ),
        (
            {"type": "document", "url": "https://example.com/a.pdf", "filename": "A.pdf"},
            {"type": "document", "document": {"link": "https://example.com/a.pdf", "filename": "A.pdf"}},
        ),
        (
            {"type": "document", "url": "https://example.com/a.pdf"},
            {"type": "document", "document": {"link": "https://example.com/a.pdf"}},
        ),
    ],
)
def test_an_interactive_message_has_a_media_header(header: dict[str, Any], expected: dict[str, Any]) -> None:
    rendered = interactive(
        type="button", header=header, body="Which one?", buttons=[{"id": "one", "title": "The first"}]
    )

    assert rendered == {
        "type": "button",
        "header": expected,
        "body": {"text": "Which one?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "one", "title": "The first"}}]},
    }


def test_a_list_leaves_out_what_the_caller_left_out() -> None:
    rendered = interactive(
        type="list", body="Pick", display_text="Open", sections=[{"rows": [{"id": "a", "title": "A"}]}]
    )

    assert rendered == {
        "type": "list",
        "body": {"text": "Pick"},
        "action": {"button": "Open", "sections": [{"rows": [{"id": "a", "title": "A"}]}]},
    }


def test_cards_are_sent_in_the_order_of_their_index() -> None:
    card = {
        "header": {"type": "image", "url": "https://example.com/a.png"},
        "buttons": [{"id": "a", "title": "A"}],
    }

    rendered = interactive(type="carousel", body="Look", cards=[card | {"card_index": 1}, card | {"card_index": 0}])

    assert rendered["action"]["cards"] == [
        {
            "card_index": index,
            "type": "cta_url",
            "header": {"type": "image", "image": {"link": "https://example.com/a.png"}},
            "action": {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "a", "title": "A"}}]},
        }
        for index in (0, 1)
    ]
