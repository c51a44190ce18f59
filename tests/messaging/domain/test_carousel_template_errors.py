"""Carousels that do not fit are refused before Meta is asked, by the field as the caller wrote it."""

from typing import Any

import pytest

from services.messaging.domain.payloads import Renderable
from services.messaging.domain.templates import ApprovedTemplate
from shared.contracts.content import CarouselCard, CarouselTemplateContent
from tests.messaging.domain.made import COPY_CODE, approved, body, buttons, carousel, header, quick_reply, url
from tests.messaging.domain.refused import IMAGE, VIDEO, Row, assert_refused, coupon, link, reply, sent

ONE = approved(body("Hello {{1}}."))
CARD = [header("IMAGE"), body("The {{1}}"), buttons(quick_reply("More"), url())]
CARDS = approved(body("Hi {{1}}."), carousel(CARD, CARD))


def card(index: int, **rest: Any) -> CarouselCard:
    given: dict[str, Any] = {"header": IMAGE, "variables": ("Aloe",), "buttons": (link(1),)} | rest
    return CarouselCard(card_index=index, **given)


def cards(*given: CarouselCard, variables: tuple[str, ...] = ("Pablo",)) -> CarouselTemplateContent:
    return CarouselTemplateContent(template_name="made", variables=variables, cards=given)


ROWS: list[Row] = [
    (CARDS, sent(), "template.name", "made is a carousel template; send it with type carousel"),
    (ONE, cards(card(0)), "carousel.template_name", "made has no cards; send it with type template"),
    (CARDS, cards(card(0)), "carousel.cards", "expected 2 cards, got 1"),
    (CARDS, cards(card(0), card(1), card(2)), "carousel.cards", "expected 2 cards, got 3"),
    (CARDS, cards(card(0), card(2)), "carousel.cards[1].card_index", "expected 0 to 1, got 2"),
    (CARDS, cards(card(0), card(-1)), "carousel.cards[1].card_index", "expected 0 to 1, got -1"),
    (CARDS, cards(card(1), card(1)), "carousel.cards[1].card_index", "1 is given twice"),
    (CARDS, cards(card(0), card(1), variables=()), "carousel.body.variables", "expected 1 value, got 0"),
    (
        CARDS,
        cards(card(0), card(1, variables=("a", "b"))),
        "carousel.cards[1].body.variables",
        "expected 1 value, got 2",
    ),
    (CARDS, cards(card(1, variables=("",)), card(0)), "carousel.cards[0].body.variables[0]", "must not be empty"),
    (
        CARDS,
        cards(card(0), card(1, variables=("x" * 157,))),
        "carousel.cards[1].body.variables",
        "with these values the text has 161 characters; Meta takes 160",
    ),
    (
        CARDS,
        cards(card(0, header=None), card(1)),
        "carousel.cards[0].header",
        "required, because the approved template has an image header",
    ),
    (CARDS, cards(card(0, header=VIDEO), card(1)), "carousel.cards[0].header.type", "expected image, got video"),
    (
        CARDS,
        cards(card(0), card(1, buttons=(reply(0),))),
        "carousel.cards[1].buttons",
        'a url value is required for button 1 ("Shop") of the approved template',
    ),
    (
        CARDS,
        cards(card(0), card(1, buttons=(link(1, "a\nb"),))),
        "carousel.cards[1].buttons[0].url",
        "must not contain line breaks, tabs or more than four spaces in a row",
    ),
    (
        CARDS,
        cards(card(0), card(1, buttons=(link(1), coupon(0)))),
        "carousel.cards[1].buttons[1]",
        "the approved template has no copy-code button",
    ),
    (
        approved(body("Hi."), carousel([body("Card"), buttons(COPY_CODE)])),
        cards(CarouselCard(card_index=0), variables=()),
        "carousel.cards[0].buttons",
        'a code is required for button 0 ("Copy offer code") of the approved template',
    ),
    (
        approved(carousel([header("IMAGE")], [header("IMAGE")])),
        cards(card(0), card(1)),
        "carousel.body.variables",
        "the approved template has no body text",
    ),
]


@pytest.mark.parametrize(("template", "content", "field", "message"), ROWS)
def test_what_does_not_fit_the_approved_carousel_is_refused_by_field(
    template: ApprovedTemplate, content: Renderable, field: str, message: str
) -> None:
    assert_refused(template, content, field, message)
