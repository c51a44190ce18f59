import pytest

from services.messaging.domain.templates import ApprovedButton, ApprovedHeader, ApprovedText
from shared.button_ids import button_id
from tests.messaging.domain.made import (
    CODE_BODY,
    COPY_CODE,
    OFFER,
    OTP,
    PHONE,
    approved,
    body,
    buttons,
    carousel,
    header,
    quick_reply,
    url,
)


def test_a_text_knows_its_variables_in_order_and_what_it_weighs_without_them() -> None:
    template = approved(body("{{2}} before {{ 1 }} and {{2}}"))

    assert template.body == ApprovedText(
        text="{{2}} before {{ 1 }} and {{2}}",
        variables=("1", "2"),
        named=False,
        fixed_length=13,
        uses=(1, 2),
        limit=1024,
    )


def test_named_variables_keep_the_order_in_which_they_appear() -> None:
    template = approved(body("Hi {{name}}, {{age}}, {{name}}"), parameter_format="named")

    assert template.body is not None
    assert template.body.variables == ("name", "age")
    assert template.body.uses == (2, 1)


def test_component_types_are_read_in_either_case() -> None:
    template = approved(
        {"type": "header", "format": "text", "text": "Hi {{1}}"},
        {"type": "body", "text": "Hello"},
        {"type": "buttons", "buttons": [{"type": "quick_reply", "text": "Yes"}]},
    )

    assert template.header is not None
    assert template.header.text is not None
    assert template.header.text.variables == ("1",)
    assert template.buttons[0].takes == "quick_reply"


def test_a_media_header_has_no_text() -> None:
    assert approved(header("IMAGE"), body("Hello")).header == ApprovedHeader("image", None)


def test_every_button_knows_what_it_takes() -> None:
    template = approved(
        buttons(
            quick_reply("Get Started"),
            url("https://example.com", "Home"),
            url("https://example.com/{{1}}", "Shop"),
            COPY_CODE,
            PHONE,
            {"type": "FLOW", "text": "Book"},
        )
    )

    assert [(button.index, button.type, button.takes) for button in template.buttons] == [
        (0, "QUICK_REPLY", "quick_reply"),
        (1, "URL", None),
        (2, "URL", "url"),
        (3, "COPY_CODE", "copy_code"),
        (4, "PHONE_NUMBER", None),
        (5, "FLOW", None),
    ]
    assert template.buttons[2] == ApprovedButton(2, "URL", "Shop", "url", "shop", "https://example.com/")


@pytest.mark.parametrize("button", [OTP, url("https://www.whatsapp.com/otp/code/?code=otp{{1}}")])
def test_the_button_of_an_authentication_template_takes_the_one_time_password(button: dict[str, str]) -> None:
    template = approved(CODE_BODY, buttons(button), category="AUTHENTICATION")

    assert template.buttons[0].takes == "otp"


def test_an_authentication_template_without_text_has_one_variable_the_code() -> None:
    template = approved({"type": "BODY", "add_security_recommendation": True}, category="AUTHENTICATION")

    assert template.body is not None
    assert template.body.variables == ("1",)


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (OFFER, True),
        ({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Special"}}, False),
        ({"type": "LIMITED_TIME_OFFER"}, False),
    ],
)
def test_an_offer_says_whether_it_expires_and_shortens_the_body(offer: dict[str, object], *, expected: bool) -> None:
    template = approved(offer, body("Hello {{1}}"))

    assert template.offer_expires is expected
    assert template.body is not None
    assert template.body.limit == 600


def test_a_template_without_offer_says_so() -> None:
    assert approved(body("Hello")).offer_expires is None


def test_cards_are_parsed_one_by_one() -> None:
    template = approved(
        body("Hi"),
        carousel(
            [header("IMAGE"), body("One {{1}}"), buttons(quick_reply("More"))],
            [header("IMAGE"), buttons(quick_reply("More"))],
        ),
    )

    first, second = template.cards
    assert first.body is not None
    assert first.body.limit == 160
    assert second.body is None
    assert [card.buttons[0].button_id for card in template.cards] == ["more", "more_2"]


def test_components_that_nobody_knows_yet_are_left_alone() -> None:
    template = approved({"type": "HOLOGRAM"}, {"no": "type"}, body("Hello"))

    assert template.body is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Get Started", "get_started"),
        ("  Yes, please! ", "yes_please"),
        ("Déjà vu", "deja_vu"),
        ("হ্যাঁ", "button_3"),
        ("👍", "button_3"),
        ("", "button_3"),
    ],
)
def test_a_button_id_is_made_of_the_label(text: str, expected: str) -> None:
    assert button_id(text, 3, set()) == expected


def test_equal_labels_get_ids_of_their_own() -> None:
    taken: set[str] = {"more_2"}

    assert [button_id("More", 0, taken) for _ in range(3)] == ["more", "more_3", "more_4"]
