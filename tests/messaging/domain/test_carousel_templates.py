from typing import Any

from services.messaging.domain.payloads import carousel_template_payload
from shared.contracts.content import CarouselCard, CarouselTemplateContent, MediaHeader, TemplateButton
from tests.messaging.domain.made import TO, approved, body, buttons, carousel, components_of, header, quick_reply, url

IMAGE = MediaHeader(type="image", url="https://example.com/a.png")
CARD = [header("IMAGE"), body("The {{1}} plant"), buttons(quick_reply("More like this"), url())]
PLANTS = approved(body("Hi {{1}}, look at these."), carousel(CARD, CARD))


def card(index: int, name: str, *given: TemplateButton) -> CarouselCard:
    return CarouselCard(card_index=index, header=IMAGE, variables=(name,), buttons=given)


def rendered_card(index: int, name: str, payload: str, suffix: str) -> dict[str, Any]:
    return {
        "card_index": index,
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/a.png"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": name}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "0",
                "parameters": [{"type": "payload", "payload": payload}],
            },
            {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": suffix}]},
        ],
    }


def test_the_message_bubble_and_every_card_are_filled_in_order() -> None:
    content = CarouselTemplateContent(
        template_name="made",
        variables=("Pablo",),
        cards=(
            card(1, "Crassula", TemplateButton(index=1, sub_type="url", url="temple")),
            card(
                0, "Aloe", TemplateButton(index=0, payload="ALOES"), TemplateButton(index=1, sub_type="url", url="elf")
            ),
        ),
    )

    rendered = carousel_template_payload(TO, content, PLANTS)

    assert components_of(rendered.payload) == [
        {"type": "body", "parameters": [{"type": "text", "text": "Pablo"}]},
        {
            "type": "carousel",
            "cards": [
                rendered_card(0, "Aloe", "ALOES", "elf"),
                rendered_card(1, "Crassula", "more_like_this_2", "temple"),
            ],
        },
    ]
    assert rendered.warnings == ()


def test_a_moved_button_is_named_with_its_card() -> None:
    given = (TemplateButton(index=0, sub_type="url", url="elf"),)
    content = CarouselTemplateContent(
        template_name="made",
        variables=("Pablo",),
        cards=(card(0, "Aloe", TemplateButton(index=1, sub_type="url", url="elf")), card(1, "Crassula", *given)),
    )

    rendered = carousel_template_payload(TO, content, PLANTS)

    assert rendered.warnings == (
        "button_moved: carousel.cards[1].buttons[0] has index 0, but the approved template's URL button "
        "with a variable has index 1; sent there",
    )


def test_cards_without_body_or_buttons_need_only_their_header() -> None:
    template = approved(body("Look at these."), carousel([header("VIDEO")], [header("VIDEO")]))
    video = MediaHeader(type="video", url="https://example.com/a.mp4")
    content = CarouselTemplateContent(
        template_name="made", cards=tuple(CarouselCard(card_index=index, header=video) for index in (0, 1))
    )

    (rendered,) = components_of(carousel_template_payload(TO, content, template).payload)

    parameters = [{"type": "video", "video": {"link": "https://example.com/a.mp4"}}]
    assert rendered["cards"] == [
        {"card_index": index, "components": [{"type": "header", "parameters": parameters}]} for index in (0, 1)
    ]
