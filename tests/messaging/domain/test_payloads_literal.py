"""A template that could not be looked up is sent as the caller wrote it, with a warning."""

import pytest

from services.messaging.domain.payloads import Renderable, graph_payload
from shared.contracts.content import (
    CarouselCard,
    CarouselTemplateContent,
    LocationHeader,
    MediaHeader,
    TemplateButton,
    TemplateContent,
    TextHeader,
)
from tests.messaging.domain.external_requests import content_of, examples
from tests.messaging.domain.made import NOW_MS, TO, components_of
from tests.messaging.domain.refused import assert_refused


def test_the_copy_code_shorthand_stands_after_the_buttons() -> None:
    content = content_of(
        {
            "type": "template",
            "template": {
                "name": "flash_sale_full",
                "language": "en_US",
                "header": {"type": "video", "url": "https://example.com/flash-sale.mp4"},
                "body": {"variables": ["FLASH30", "30%"]},
                "lto": {"expiration_time_ms": 1740000000000},
                "buttons": [{"index": 0, "sub_type": "url", "url": "?coupon=FLASH30"}],
                "copy_code": "FLASH30",
            },
        }
    )

    rendered = graph_payload(TO, content, None, now_ms=NOW_MS)

    assert rendered.payload["template"] == {
        "name": "flash_sale_full",
        "language": {"code": "en_US"},
        "components": [
            {
                "type": "header",
                "parameters": [{"type": "video", "video": {"link": "https://example.com/flash-sale.mp4"}}],
            },
            {"type": "body", "parameters": [{"type": "text", "text": "FLASH30"}, {"type": "text", "text": "30%"}]},
            {
                "type": "limited_time_offer",
                "parameters": [
                    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1740000000000}}
                ],
            },
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "?coupon=FLASH30"}],
            },
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": "1",
                "parameters": [{"type": "coupon_code", "coupon_code": "FLASH30"}],
            },
        ],
    }
    assert rendered.warnings == (
        "template_not_verified",
        "offer_expired: template.lto.expiration_time_ms lies in the past",
    )


@pytest.mark.parametrize(
    "name", ["6a body variables", "6d document header", "6e location header", "11 carousel template"]
)
def test_an_example_whose_indexes_are_right_is_sent_alike_with_and_without_its_template(name: str) -> None:
    (example,) = (example for example in examples() if example.name == name)

    rendered = graph_payload(example.to, example.content, None, now_ms=NOW_MS)

    assert rendered.payload == example.payload
    assert rendered.warnings == ("template_not_verified",)


def test_objects_are_positional_when_their_keys_count_up_and_named_otherwise() -> None:
    content = TemplateContent(
        name="made",
        language="en",
        header=TextHeader(variables={"season": "Summer"}),
        variables={"2": "b", "1": "a"},
    )

    assert components_of(graph_payload(TO, content, None, now_ms=NOW_MS).payload) == [
        {"type": "header", "parameters": [{"type": "text", "parameter_name": "season", "text": "Summer"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]


def test_quick_replies_without_payload_need_no_component() -> None:
    content = TemplateContent(
        name="made",
        language="en",
        header=TextHeader(text="Summer"),
        buttons=(TemplateButton(index=0), TemplateButton(index=1, payload="MORE")),
    )

    assert components_of(graph_payload(TO, content, None, now_ms=NOW_MS).payload) == [
        {"type": "header", "parameters": [{"type": "text", "text": "Summer"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "1",
            "parameters": [{"type": "payload", "payload": "MORE"}],
        },
    ]


def test_a_coupon_alone_is_the_first_button() -> None:
    content = TemplateContent(name="made", language="en", header=TextHeader(), copy_code="SAVE10")

    assert components_of(graph_payload(TO, content, None, now_ms=NOW_MS).payload) == [
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "0",
            "parameters": [{"type": "coupon_code", "coupon_code": "SAVE10"}],
        }
    ]


def test_a_carousel_without_language_is_sent_in_american_english() -> None:
    card = CarouselCard(card_index=0, header=MediaHeader(type="image", url="https://example.com/a.png"))
    content = CarouselTemplateContent(template_name="made", cards=(card,))

    rendered = graph_payload(TO, content, None, now_ms=NOW_MS)

    assert rendered.payload["template"]["language"] == {"code": "en_US"}


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        (
            TemplateContent(name="made"),
            "template.language",
            "required, because the approved templates cannot be looked up at the moment",
        ),
        (
            TemplateContent(name="made", language="en", variables=("",)),
            "template.body.variables[0]",
            "must not be empty",
        ),
        (
            TemplateContent(name="made", language="en", variables={"name": "a\nb"}),
            "template.body.variables.name",
            "must not contain line breaks, tabs or more than four spaces in a row",
        ),
        (
            TemplateContent(name="made", language="en", variables={"1": " "}),
            "template.body.variables.1",
            "must not be empty",
        ),
        (
            TemplateContent(name="made", language="en", header=TextHeader(text=" ")),
            "template.header.text",
            "must not be empty",
        ),
        (
            TemplateContent(name="made", language="en", buttons=(TemplateButton(index=0, sub_type="url"),)),
            "template.buttons[0].url",
            "must not be empty",
        ),
        (
            TemplateContent(
                name="made",
                language="en",
                header=LocationHeader(latitude=1, longitude=2),
                buttons=(TemplateButton(index=0, sub_type="copy_code", payload="x" * 21),),
            ),
            "template.buttons[0].payload",
            "must be at most 20 characters, got 21",
        ),
        (
            CarouselTemplateContent(template_name="made", cards=(CarouselCard(card_index=0, variables=("a", "\t")),)),
            "carousel.cards[0].body.variables[1]",
            "must not be empty",
        ),
    ],
)
def test_what_meta_refuses_in_any_template_is_refused(content: Renderable, field: str, message: str) -> None:
    assert_refused(None, content, field, message)
