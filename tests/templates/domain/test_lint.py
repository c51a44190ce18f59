"""What Meta will refuse, found while a template is still a draft."""

from typing import Any

import pytest

from services.templates.domain.drafts import drafted_template
from services.templates.domain.lint import lint, warnings_of
from shared.contracts.messaging import NumberAccess
from shared.contracts.template_drafts import CreateTemplate
from shared.contracts.templates import Template
from shared.ids import new_id
from tests.templates.drafting import SOUND, draft
from tests.templates.stage import NOON

ACCESS = NumberAccess(
    phone_number_id="pn_1",
    user_id="usr_1",
    platform="whatsapp",
    meta_phone_number_id="106",
    waba_id="102",
    sealed_access_token="sealed",
)
OTP = {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon!", "has_expiration": True}}
COUPON = {"type": "COPY_CODE", "text": "Copy code", "example": "FLASH30"}
SHOP = {"type": "URL", "text": "Shop", "url": "https://shop.example.com/sale"}
IMAGE = {"type": "HEADER", "format": "IMAGE", "example": {"header_url": "https://shop.example.com/a.jpg"}}


def template(command: CreateTemplate) -> Template:
    return drafted_template(command, ACCESS, lambda: NOON, new_id)


def findings(*components: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    """Code and field of everything found in a template of these components."""
    command = draft(components=components or (SOUND,), variables=(), **changes)
    return [(finding.code, finding.field) for finding in lint(template(command))]


def text(words: str, *examples: str, **more: Any) -> dict[str, Any]:
    example = {"example": {"body_text": [list(examples)]}} if examples else {}
    return {"type": "BODY", "text": words} | example | more


def header(words: str, *examples: str) -> dict[str, Any]:
    example = {"example": {"header_text": list(examples)}} if examples else {}
    return {"type": "HEADER", "format": "TEXT", "text": words} | example


def buttons(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(listed)}


def replies(number: int) -> list[dict[str, Any]]:
    return [{"type": "QUICK_REPLY", "text": f"Answer {each}"} for each in range(number)]


def carousel(*cards: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "CAROUSEL", "cards": [{"components": card} for card in cards]}


CARD = [IMAGE, text("{{1}} for you", "Earbuds"), buttons(*replies(1), SHOP)]

TAKEN = {
    "a body": (SOUND,),
    "everything at once": (
        header("Order {{1}}", "12345"),
        text("Hi {{1}}, your order is {{2}}. Thank you.", "John", "shipped"),
        {"type": "FOOTER", "text": "Acme"},
        buttons(
            *replies(2),
            {
                "type": "URL",
                "text": "Track",
                "url": "https://acme.example/t/{{1}}",
                "example": ["https://acme.example/t/1"],
            },
            {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+14155551234"},
        ),
    ),
    "a picture": (IMAGE, SOUND),
    "a place": ({"type": "HEADER", "format": "LOCATION"}, SOUND),
    "names": (text("Hi {{first_name}}, hello.", example={"body_text_named_params": [{"param_name": "first_name"}]}),),
    "lower case": ({"type": "body", "text": "Hello."},),
}


@pytest.mark.parametrize("components", TAKEN.values(), ids=TAKEN)
def test_nothing_is_found_in_what_meta_takes(components: tuple[dict[str, Any], ...]) -> None:
    assert findings(*components) == []


@pytest.mark.parametrize(
    "components",
    [
        pytest.param((OFFER, IMAGE, text("Save {{1}} today.", "30 %"), buttons(COUPON, SHOP)), id="an offer"),
        pytest.param((text("Our picks."), carousel(CARD, CARD)), id="a carousel"),
    ],
)
def test_nothing_is_found_in_marketing_that_meta_takes(components: tuple[dict[str, Any], ...]) -> None:
    assert findings(*components, category="MARKETING") == []


def test_nothing_is_found_in_a_code_that_meta_takes() -> None:
    parts = ({"type": "BODY", "add_security_recommendation": True}, {"type": "FOOTER", "code_expiration_minutes": 10})

    assert findings(*parts, OTP, category="AUTHENTICATION") == []


def test_sample_values_stand_in_for_examples() -> None:
    said = ({"variable_name": "name", "position": 1, "sample_value": "John"},)

    assert warnings_of(template(draft(components=(text("Hi {{1}}, hello."),), variables=said))) == ()


LONG = "x" * 61


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "Order Update"}, ("name_form", "name")),
        ({"name": "order-update"}, ("name_form", "name")),
        ({"name": "x" * 513}, ("name_form", "name")),
        ({"name": "hello_world"}, ("name_taken", "name")),
        ({"language": "xx"}, ("language_unknown", "language")),
        ({"language": "en_XX"}, ("language_unknown", "language")),
    ],
)
def test_names_and_languages_that_meta_refuses_are_found(changes: dict[str, str], expected: tuple[str, str]) -> None:
    assert findings(**changes) == [expected]


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([{"type": "FOOTER", "text": "Acme"}], ("body_missing", "components")),
        ([SOUND, SOUND], ("component_twice", "components")),
        ([SOUND, {"type": "CATALOG"}], ("component_unknown", "components[1].type")),
        ([text("")], ("text_missing", "components[0].text")),
        ([{"type": "BODY"}], ("text_missing", "components[0].text")),
        ([text("x" * 1025)], ("text_too_long", "components[0].text")),
        ([text("{{1}}, hello.", "John")], ("variable_at_start", "components[0].text")),
        ([text("Hello {{1}}", "John")], ("variable_at_end", "components[0].text")),
        ([text("Hi {{1}}{{2}} there, you.", "a", "b")], ("variables_adjacent", "components[0].text")),
        ([text("Hi {{1}} {{2}} there, you.", "a", "b")], ("variables_adjacent", "components[0].text")),
        ([text("Hi {{2}}, hello.", "a")], ("variable_numbers", "components[0].text")),
        ([text("Hi {{1}} and {{3}}, hello.", "a", "b")], ("variable_numbers", "components[0].text")),
        ([text("Hi {{1}, hello.")], ("braces_unbalanced", "components[0].text")),
        ([text("Hi {{1}}, hello.")], ("example_missing", "components[0].example")),
        ([text("Hi {{1}}, hello.", "a", "b")], ("example_count", "components[0].example")),
        ([header(LONG), SOUND], ("text_too_long", "components[0].text")),
        ([header("One *bold*"), SOUND], ("header_format", "components[0].text")),
        ([header("Order {{1}}"), SOUND], ("example_missing", "components[0].example")),
        ([header("Order {{1}} of {{2}}", "1", "2"), SOUND], ("header_variables", "components[0].text")),
        ([{"type": "HEADER", "format": "AUDIO"}, SOUND], ("header_format", "components[0].format")),
        ([{"type": "HEADER", "format": "VIDEO"}, SOUND], ("example_missing", "components[0].example")),
        ([SOUND, {"type": "FOOTER", "text": LONG}], ("text_too_long", "components[1].text")),
        ([SOUND, {"type": "FOOTER", "text": "By {{1}}"}], ("footer_variable", "components[1].text")),
        ([SOUND, buttons()], ("button_count", "components[1].buttons")),
        ([SOUND, buttons(*replies(11))], ("button_count", "components[1].buttons")),
        ([SOUND, buttons(SHOP, SHOP, SHOP)], ("button_count", "components[1].buttons")),
        ([SOUND, buttons(*replies(1), SHOP, *replies(1))], ("button_order", "components[1].buttons")),
        ([SOUND, buttons({"type": "MAGIC", "text": "x"})], ("button_unknown", "components[1].buttons")),
        ([SOUND, buttons({"type": "QUICK_REPLY"})], ("button_text", "components[1].buttons[0].text")),
        (
            [SOUND, buttons({"type": "QUICK_REPLY", "text": "x" * 26})],
            ("button_text", "components[1].buttons[0].text"),
        ),
        ([SOUND, buttons({**SHOP, "url": "shop"})], ("button_url", "components[1].buttons[0].url")),
        ([SOUND, buttons({**SHOP, "url": "https://wa.me/1415"})], ("button_url", "components[1].buttons[0].url")),
        (
            [SOUND, buttons({**SHOP, "url": "https://a.example/{{1}}/b"})],
            ("button_url", "components[1].buttons[0].url"),
        ),
        (
            [SOUND, buttons({**SHOP, "url": "https://a.example/{{1}}"})],
            ("example_missing", "components[1].buttons[0].example"),
        ),
        (
            [SOUND, buttons({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "call us"})],
            ("button_phone", "components[1].buttons[0].phone_number"),
        ),
        (
            [SOUND, buttons({"type": "COPY_CODE"})],
            ("example_missing", "components[1].buttons[0].example"),
        ),
        ([SOUND, carousel(CARD, CARD)], ("category_wrong", "category")),
    ],
)
def test_what_meta_refuses_is_found_where_it_stands(
    components: list[dict[str, Any]], expected: tuple[str, str]
) -> None:
    assert expected in findings(*components)


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([SOUND, carousel(CARD)], ("card_count", "components[1].cards")),
        ([SOUND, carousel(CARD, CARD[:2])], ("cards_differ", "components[1].cards")),
        (
            [SOUND, carousel(*[[{**IMAGE, "format": "DOCUMENT"}, *CARD[1:]]] * 2)],
            ("header_format", "components[1].cards[0].components[0].format"),
        ),
        (
            [SOUND, carousel(*[[IMAGE, text("x" * 161)]] * 2)],
            ("text_too_long", "components[1].cards[0].components[1].text"),
        ),
        (
            [SOUND, carousel(*[[IMAGE, buttons(*replies(3))]] * 2)],
            ("button_count", "components[1].cards[0].components[1].buttons"),
        ),
        ([OFFER, text("x" * 601)], ("text_too_long", "components[1].text")),
        ([OFFER, SOUND, {"type": "FOOTER", "text": "x"}], ("footer_not_allowed", "components[2]")),
        ([OFFER, SOUND, buttons(SHOP, COUPON)], ("button_order", "components[2].buttons")),
        (
            [{"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "x" * 17}}, SOUND],
            ("offer_text", "components[0].limited_time_offer.text"),
        ),
    ],
)
def test_what_meta_refuses_in_marketing_is_found(components: list[dict[str, Any]], expected: tuple[str, str]) -> None:
    assert expected in findings(*components, category="MARKETING")


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([text("Your code is {{1}}.", "1"), OTP], ("body_preset", "components[0].text")),
        ([{"type": "BODY"}], ("otp_button", "components")),
        ([{"type": "BODY"}, buttons(SHOP)], ("otp_button", "components")),
        (
            [{"type": "BODY"}, {"type": "FOOTER", "text": "Hurry"}, OTP],
            ("footer_preset", "components[1].code_expiration_minutes"),
        ),
        ([{"type": "BODY"}, header("Code"), OTP], ("component_not_allowed", "components[1]")),
    ],
)
def test_what_meta_refuses_in_a_code_is_found(components: list[dict[str, Any]], expected: tuple[str, str]) -> None:
    assert expected in findings(*components, category="AUTHENTICATION")
