"""Wrong template and carousel-template bodies: each refused, with its field named."""

from typing import Any

import pytest

from services.gateway.schemas.send import parse_send_body
from shared.errors import InvalidInputError
from tests.gateway.schemas.bodies import CAROUSEL, DROP, TEMPLATE, changed

LOCATION = {"type": "location", "latitude": 28.6, "longitude": 77.2}
HEADERS = "text, image, video, document, location"

TEMPLATES = [
    ("template", DROP, "template is required"),
    ("template", "order_confirmation", "template must be an object"),
    ("template.name", DROP, "template.name is required"),
    ("template.name", "", "template.name must not be empty"),
    ("template.name", "a" * 513, "template.name must have at most 512 characters"),
    ("template.language", {"code": "en_US"}, "template.language must be a string"),
    ("template.language", "a" * 21, "template.language must have at most 20 characters"),
    ("template.body", ["John"], "template.body must be an object"),
    ("template.copy_code", 784521, "template.copy_code must be a string"),
    ("template.copy_code", "1" * 21, "template.copy_code must have at most 20 characters"),
    ("template.lto", {}, "template.lto.expiration_time_ms is required"),
    ("template.lto", {"expiration_time_ms": 0}, "template.lto.expiration_time_ms must be greater than 0"),
    ("template.lto", {"expiration_time_ms": "soon"}, "template.lto.expiration_time_ms must be an integer"),
    ("template.lto", {"expiration_time_ms": 10**30}, "template.lto.expiration_time_ms must be at most 253402300799999"),
]
HEADER_ROWS = [
    ("template.header", "image", "template.header must be an object"),
    ("template.header.type", DROP, "template.header.type is required"),
    ("template.header.type", "audio", f"template.header.type must be one of {HEADERS}"),
    ("template.header.url", DROP, "template.header.url is required for type=image."),
    ("template.header.url", "http://example.com", "template.header.url must be a publicly accessible https:// link"),
    ("template.header", {"type": "text"}, "template.header.variables is required for type=text."),
    ("template.header", {"type": "text", "variables": [""]}, "template.header.variables[0] must not be empty"),
    ("template.header", {"type": "document"}, "template.header.url is required for type=document."),
    ("template.header", {"type": "location"}, "template.header.latitude is required for type=location."),
    ("template.header", LOCATION | {"latitude": 91}, "template.header.latitude must be at most 90"),
    ("template.header", LOCATION | {"longitude": -181}, "template.header.longitude must be at least -180"),
    ("template.header", LOCATION | {"latitude": True}, "template.header.latitude must be a number"),
    ("template.header", LOCATION | {"latitude": "28.6"}, "template.header.latitude must be a number"),
]
VARIABLES = [
    ("John", "template.body.variables must be an array of values, or an object for named parameters"),
    (["John", ""], "template.body.variables[1] must not be empty"),
    (["John", "  "], "template.body.variables[1] must not be empty"),
    (["a\nb"], "template.body.variables[0] must not contain line breaks or tabs"),
    (["a\tb"], "template.body.variables[0] must not contain line breaks or tabs"),
    (["a     b"], "template.body.variables[0] must not contain more than four spaces in a row"),
    ([None], "template.body.variables[0] must be a string or a number"),
    ([True], "template.body.variables[0] must be a string or a number"),
    ([["a"]], "template.body.variables[0] must be a string or a number"),
    (["a" * 1025], "template.body.variables[0] must have at most 1024 characters"),
    (["a"] * 101, "template.body.variables must have at most 100 values"),
    ({"name": ""}, "template.body.variables.name must not be empty"),
    ({"$where": "1"}, "template.body.variables.$where is not the name of a variable"),
    ({"a.b": "1"}, "template.body.variables.a.b is not the name of a variable"),
    ({"": "1"}, "template.body.variables. is not the name of a variable"),
]
BUTTONS = [
    ("template.buttons", {"index": 0}, "template.buttons must be an array"),
    ("template.buttons", [{}] * 11, "template.buttons must have at most 10 items"),
    ("template.buttons[0]", "x", "template.buttons[0] must be an object"),
    ("template.buttons[0].url", DROP, "template.buttons[0].url is required for sub_type=url"),
    (
        "template.buttons[0]",
        {"sub_type": "copy_code"},
        "template.buttons[0].payload is required for sub_type=copy_code",
    ),
    (
        "template.buttons[0].sub_type",
        "flow",
        "template.buttons[0].sub_type must be 'quick_reply', 'url' or 'copy_code'",
    ),
    ("template.buttons[0].index", 10, "template.buttons[0].index must be at most 9"),
    ("template.buttons[0].index", -1, "template.buttons[0].index must be at least 0"),
    ("template.buttons[0].index", "first", "template.buttons[0].index must be an integer"),
    ("template.buttons[0].index", 1, "template.buttons[1].index is used twice"),
    ("template.buttons[1].payload", "p" * 257, "template.buttons[1].payload must have at most 256 characters"),
    ("template.buttons[1].payload", 5, "template.buttons[1].payload must be a string"),
]
CAROUSELS = [
    ("carousel", DROP, "carousel is required"),
    ("carousel.template_name", DROP, "carousel.template_name is required"),
    ("carousel.cards", DROP, "carousel.cards is required"),
    ("carousel.cards", [{}], "carousel.cards must have at least 2 items"),
    ("carousel.cards", [{}] * 11, "carousel.cards must have at most 10 items"),
    ("carousel.cards[0].header.type", "document", "carousel.cards[0].header.type must be one of image, video"),
    ("carousel.cards[0].header.url", DROP, "carousel.cards[0].header.url is required for type=image."),
    ("carousel.cards[0].body.variables", [""], "carousel.cards[0].body.variables[0] must not be empty"),
    ("carousel.cards[1].buttons", [{}] * 3, "carousel.cards[1].buttons must have at most 2 items"),
    (
        "carousel.cards[1].buttons[0].sub_type",
        "copy_code",
        "carousel.cards[1].buttons[0].sub_type must be 'quick_reply' or 'url'",
    ),
    ("carousel.cards[1].card_index", 0, "carousel.cards[1].card_index is used twice"),
]


def refusal(body: dict[str, Any]) -> InvalidInputError:
    """The error that the body meets."""
    with pytest.raises(InvalidInputError) as raised:
        parse_send_body(body, local=False)
    return raised.value


@pytest.mark.parametrize(("path", "value", "message"), [*TEMPLATES, *HEADER_ROWS, *BUTTONS])
def test_a_wrong_template_is_refused_naming_the_field(path: str, value: Any, message: str) -> None:
    error = refusal(changed(TEMPLATE, path, value))

    assert (error.message, error.details[0]["field"]) == (message, message.split(maxsplit=1)[0])


@pytest.mark.parametrize(("value", "message"), VARIABLES)
def test_a_wrong_variable_is_refused_naming_it(value: Any, message: str) -> None:
    error = refusal(changed(TEMPLATE, "template.body.variables", value))

    assert (error.message, error.details[0]["field"]) == (message, message.split(maxsplit=1)[0])


@pytest.mark.parametrize(("path", "value", "message"), CAROUSELS)
def test_a_wrong_carousel_is_refused_naming_the_field(path: str, value: Any, message: str) -> None:
    error = refusal(changed(CAROUSEL, path, value))

    assert (error.message, error.details[0]["field"]) == (message, message.split(maxsplit=1)[0])


@pytest.mark.parametrize("header", [LOCATION, {"type": "document", "url": "https://x.io"}])
def test_a_limited_time_offer_takes_pictures_only(header: dict[str, Any]) -> None:
    body = changed(changed(TEMPLATE, "template.header", header), "template.lto", {"expiration_time_ms": 1})

    assert refusal(body).message == "template.header.type must be image or video when template.lto is given"
