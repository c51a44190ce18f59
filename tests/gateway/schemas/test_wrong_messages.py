"""Wrong text, media and interactive bodies: each refused, with its field named."""

from typing import Any

import pytest

from services.gateway.schemas.send import parse_send_body
from shared.errors import InvalidInputError
from tests.gateway.schemas.bodies import (
    AUDIO,
    BUTTON,
    CARDS,
    CTA_URL,
    DOCUMENT,
    DROP,
    IMAGE,
    LIST,
    TEXT,
    changed,
)

E164 = "to must be a phone number in E.164 format, e.g. +919876543210"
HTTPS = "must be a publicly accessible https:// link"
TYPES = "text, image, video, audio, document, template, interactive, carousel"
ROW = {"id": "x", "title": "X"}

TOP = [
    (TEXT, "to", DROP, "to is required"),
    (TEXT, "to", None, "to is required"),
    (TEXT, "to", 919876543210, "to must be a string"),
    (TEXT, "to", "", E164),
    (TEXT, "to", "919876543210", E164),
    (TEXT, "to", "+91 98765 43210", E164),
    (TEXT, "to", "+0123456789", E164),
    (TEXT, "to", "+91", E164),
    (TEXT, "to", "+1415555", E164),
    (TEXT, "to", "+99912345678", E164),
    (TEXT, "to", "+9198765432101234", E164),
    (TEXT, "to", "+९१९८७६५४३२१०", E164),
    (TEXT, "type", DROP, "type is required"),
    (TEXT, "type", "sticker", f"type must be one of {TYPES}"),
    (TEXT, "type", 5, f"type must be one of {TYPES}"),
    (TEXT, "text", DROP, "text is required"),
    (TEXT, "text", "", "text must not be empty"),
    (TEXT, "text", " \n", "text must not be empty"),
    (TEXT, "text", 7, "text must be a string"),
    (TEXT, "text", {"body": "Hello"}, "text must be a string"),
    (TEXT, "text", "a" * 4097, "text must have at most 4096 characters"),
    (TEXT, "preview_url", "yes", "preview_url must be true or false"),
    (TEXT, "contact", "John", "contact must be an object"),
    (TEXT, "contact", {"name": 5}, "contact.name must be a string"),
    (TEXT, "contact", {"email": "john"}, "contact.email must be an e-mail address, e.g. ravi@example.com"),
]
MEDIA = [
    (IMAGE, "media", DROP, "media is required"),
    (IMAGE, "media", "https://example.com/a.jpg", "media must be an object"),
    (IMAGE, "media.url", DROP, "media.url is required"),
    (IMAGE, "media.url", "", "media.url must not be empty"),
    (IMAGE, "media.url", "http://example.com/a.jpg", f"media.url {HTTPS}"),
    (IMAGE, "media.url", "http://127.0.0.1:4010/a.jpg", f"media.url {HTTPS}"),
    (IMAGE, "media.url", "ftp://example.com/a.jpg", f"media.url {HTTPS}"),
    (IMAGE, "media.url", "https://", f"media.url {HTTPS}"),
    (IMAGE, "media.url", "https://example.com:port/", f"media.url {HTTPS}"),
    (IMAGE, "media.url", "https://[::1/", f"media.url {HTTPS}"),
    (IMAGE, "media.url", "https://example.com/a b.jpg", f"media.url {HTTPS}"),
    (IMAGE, "media.caption", "a" * 1025, "media.caption must have at most 1024 characters"),
    (AUDIO, "media.url", "x", f"media.url {HTTPS}"),
    (DOCUMENT, "media.filename", "a" * 241, "media.filename must have at most 240 characters"),
    (DOCUMENT, "media.filename", 1, "media.filename must be a string"),
]
BUTTONS = [
    (BUTTON, "interactive", DROP, "interactive is required"),
    (BUTTON, "interactive.type", DROP, "interactive.type is required"),
    (BUTTON, "interactive.type", "flow", "interactive.type must be one of button, cta_url, list, carousel"),
    (BUTTON, "interactive.body", DROP, "interactive.body is required for type=button."),
    (BUTTON, "interactive.body", {"text": "How?"}, "interactive.body must be a string"),
    (BUTTON, "interactive.body", "a" * 1025, "interactive.body must have at most 1024 characters"),
    (BUTTON, "interactive.footer", "a" * 61, "interactive.footer must have at most 60 characters"),
    (BUTTON, "interactive.header.type", DROP, "interactive.header.type is required"),
    (
        BUTTON,
        "interactive.header.type",
        "location",
        "interactive.header.type must be one of text, image, video, document",
    ),
    (BUTTON, "interactive.header.text", DROP, "interactive.header.text is required for type=text."),
    (BUTTON, "interactive.header.text", "a" * 61, "interactive.header.text must have at most 60 characters"),
    (BUTTON, "interactive.header", {"type": "image"}, "interactive.header.url is required for type=image."),
    (BUTTON, "interactive.buttons", DROP, "interactive.buttons is required for type=button."),
    (BUTTON, "interactive.buttons", [], "interactive.buttons must not be empty"),
    (BUTTON, "interactive.buttons", [ROW] * 4, "interactive.buttons must have at most 3 items"),
    (BUTTON, "interactive.buttons[0].id", DROP, "interactive.buttons[0].id is required"),
    (BUTTON, "interactive.buttons[0].id", "i" * 257, "interactive.buttons[0].id must have at most 256 characters"),
    (BUTTON, "interactive.buttons[1].id", "yes", "interactive.buttons[1].id is used twice"),
    (BUTTON, "interactive.buttons[1].title", "Yes", "interactive.buttons[1].title is used twice"),
    (BUTTON, "interactive.buttons[1].title", "a" * 21, "interactive.buttons[1].title must have at most 20 characters"),
    (CTA_URL, "interactive.body", DROP, "interactive.body is required for type=cta_url."),
    (CTA_URL, "interactive.url", DROP, "interactive.url is required for type=cta_url."),
    (CTA_URL, "interactive.url", "javascript:x", "interactive.url must be an https:// or http:// link"),
    (CTA_URL, "interactive.display_text", DROP, "interactive.display_text is required for type=cta_url."),
    (CTA_URL, "interactive.display_text", "a" * 21, "interactive.display_text must have at most 20 characters"),
]
LISTS = [
    (LIST, "interactive.body", DROP, "interactive.body is required for type=list."),
    (LIST, "interactive.body", "a" * 4097, "interactive.body must have at most 4096 characters"),
    (LIST, "interactive.display_text", DROP, "interactive.display_text is required for type=list."),
    (LIST, "interactive.display_text", "a" * 21, "interactive.display_text must have at most 20 characters"),
    (LIST, "interactive.header", {"type": "image", "url": "https://x.io"}, "interactive.header.type must be 'text'"),
    (LIST, "interactive.sections", DROP, "interactive.sections is required for type=list."),
    (LIST, "interactive.sections", [], "interactive.sections must not be empty"),
    (LIST, "interactive.sections", [{"rows": [ROW]}] * 11, "interactive.sections must have at most 10 items"),
    (
        LIST,
        "interactive.sections[0].title",
        DROP,
        "interactive.sections[0].title is required when there are several sections",
    ),
    (LIST, "interactive.sections[0].title", "a" * 25, "interactive.sections[0].title must have at most 24 characters"),
    (LIST, "interactive.sections[0].rows", [], "interactive.sections[0].rows must not be empty"),
    (
        LIST,
        "interactive.sections[0].rows",
        [{"id": str(number), "title": "T"} for number in range(10)],
        "interactive.sections must have at most 10 rows together",
    ),
    (LIST, "interactive.sections[1].rows[0].id", "t", "interactive.sections[1].rows[0].id is used twice"),
    (
        LIST,
        "interactive.sections[1].rows[0].id",
        "i" * 201,
        "interactive.sections[1].rows[0].id must have at most 200 characters",
    ),
    (LIST, "interactive.sections[1].rows[0].title", DROP, "interactive.sections[1].rows[0].title is required"),
    (
        LIST,
        "interactive.sections[1].rows[0].title",
        "a" * 25,
        "interactive.sections[1].rows[0].title must have at most 24 characters",
    ),
    (
        LIST,
        "interactive.sections[0].rows[0].description",
        "a" * 73,
        "interactive.sections[0].rows[0].description must have at most 72 characters",
    ),
]
CAROUSELS = [
    (CARDS, "interactive.cards", DROP, "interactive.cards is required for type=carousel."),
    (CARDS, "interactive.cards", None, "interactive.cards is required for type=carousel."),
    (CARDS, "interactive.cards", CARDS["interactive"]["cards"][:1], "interactive.cards must have at least 2 items"),  # type: ignore[index]
    (CARDS, "interactive.cards", [{}] * 11, "interactive.cards must have at most 10 items"),
    (CARDS, "interactive.body", DROP, "interactive.body is required for type=carousel."),
    (CARDS, "interactive.cards[0].header", DROP, "interactive.cards[0].header is required"),
    (
        CARDS,
        "interactive.cards[0].header",
        {"type": "document", "url": "https://x.io"},
        "interactive.cards[0].header.type must be one of image, video",
    ),
    (CARDS, "interactive.cards[1].header.url", DROP, "interactive.cards[1].header.url is required for type=image."),
    (CARDS, "interactive.cards[1].body", "a" * 161, "interactive.cards[1].body must have at most 160 characters"),
    (CARDS, "interactive.cards[1].body", "a\nb\nc\nd", "interactive.cards[1].body must have at most 2 line breaks"),
    (CARDS, "interactive.cards[1].buttons", DROP, "interactive.cards[1] must have buttons or a cta_url"),
    (CARDS, "interactive.cards[1].buttons", [ROW] * 3, "interactive.cards[1].buttons must have at most 2 items"),
    (
        CARDS,
        "interactive.cards[1].buttons",
        [ROW, {"id": "y", "title": "Y"}],
        "interactive.cards[1] must have the same button structure as the first card",
    ),
    (
        CARDS,
        "interactive.cards[0].buttons[0].id",
        "i" * 21,
        "interactive.cards[0].buttons[0].id must have at most 20 characters",
    ),
    (
        CARDS,
        "interactive.cards[0].cta_url",
        {"display_text": "View", "url": "example.com"},
        "interactive.cards[0].cta_url.url must be an https:// or http:// link",
    ),
    (CARDS, "interactive.cards[1].card_index", 0, "interactive.cards[1].card_index is used twice"),
    (CARDS, "interactive.cards[1].card_index", 10, "interactive.cards[1].card_index must be at most 9"),
    (CARDS, "interactive.cards[1].card_index", "1", "interactive.cards[1].card_index must be an integer"),
]


@pytest.mark.parametrize(
    ("body", "path", "value", "message"), [*TOP, *MEDIA, *BUTTONS, *LISTS, *CAROUSELS], ids=lambda part: str(part)[:40]
)
def test_a_wrong_body_is_refused_naming_the_field(body: Any, path: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        parse_send_body(changed(body, path, value), local=False)

    assert raised.value.message == message
    assert raised.value.details[0]["message"] == message
    assert raised.value.details[0]["field"] == message.split(maxsplit=1)[0]


@pytest.mark.parametrize(("value", "message"), [([], "The body must be an object"), (None, "The body is required")])
def test_a_body_that_is_no_object_is_refused(value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parse_send_body(value, local=False)


def test_only_a_strict_gateway_refuses_a_card_with_both_kinds_of_button() -> None:
    mixed = changed(CARDS, "interactive.cards[0].cta_url", {"display_text": "View", "url": "https://x.io"})
    mixed = changed(mixed, "interactive.cards[1].cta_url", {"display_text": "View", "url": "https://x.io"})

    parse_send_body(mixed, local=False)
    with pytest.raises(InvalidInputError, match=r"interactive.cards\[0\] must have either buttons or a cta_url"):
        parse_send_body(mixed, local=False, meta_strict=True)
