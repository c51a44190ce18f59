from typing import Any

import pytest

from services.messaging.domain.payloads import template_payload
from services.messaging.domain.templates import ApprovedTemplate
from shared.contracts.content import (
    LocationHeader,
    MediaHeader,
    TemplateButton,
    TemplateContent,
    TemplateHeader,
    TextHeader,
)
from tests.messaging.domain.made import (
    CODE_BODY,
    COPY_CODE,
    NOW_MS,
    OFFER,
    OTP,
    PHONE,
    TO,
    approved,
    body,
    buttons,
    components_of,
    header,
    quick_reply,
    url,
)

GREETING = body("Hello {{1}}, your order {{2}} is here.")
NAMED = body("Hello {{customer_name}}, your order {{order_id}} is here.")
ONE_TIME_PASSWORD = approved(CODE_BODY, buttons(OTP), category="AUTHENTICATION")


def components(template: ApprovedTemplate, **content: Any) -> list[dict[str, Any]]:
    rendered = template_payload(TO, TemplateContent(name="made", **content), template, now_ms=NOW_MS)
    return components_of(rendered.payload)


def warnings(template: ApprovedTemplate, **content: Any) -> tuple[str, ...]:
    return template_payload(TO, TemplateContent(name="made", **content), template, now_ms=NOW_MS).warnings


def button(sub_type: str, index: int, parameter: dict[str, str]) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]}


def test_a_template_without_variables_is_sent_without_components() -> None:
    template = approved(header("TEXT", "News"), body("Hello world"), buttons(PHONE, url("https://example.com")))

    rendered = template_payload(TO, TemplateContent(name="made"), template, now_ms=NOW_MS)

    assert rendered.payload["template"] == {"name": "made", "language": {"code": "en_US"}}


def test_an_object_with_positions_fills_a_positional_template() -> None:
    assert components(approved(GREETING), variables={"2": "ORD-1", "1": "John"}) == [
        {"type": "body", "parameters": [{"type": "text", "text": "John"}, {"type": "text", "text": "ORD-1"}]}
    ]


def test_the_tenth_variable_comes_after_the_ninth() -> None:
    text = body("Values: " + " and ".join(f"{{{{{position}}}}}" for position in range(1, 12)) + ".")

    (rendered,) = components(approved(text), variables=tuple("abcdefghijk"))

    assert [parameter["text"] for parameter in rendered["parameters"]] == list("abcdefghijk")


def test_named_values_are_sent_with_their_names() -> None:
    template = approved(NAMED, parameter_format="named")

    assert components(template, variables={"order_id": "ORD-1", "customer_name": "John"}) == [
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "customer_name", "text": "John"},
                {"type": "text", "parameter_name": "order_id", "text": "ORD-1"},
            ],
        }
    ]


@pytest.mark.parametrize("given", [TextHeader(variables=("Summer",)), TextHeader(text="Summer")])
def test_a_text_header_takes_its_one_value_as_list_or_text(given: TextHeader) -> None:
    template = approved(header("TEXT", "Our {{1}} sale"), body("Come in."))

    assert components(template, header=given) == [
        {"type": "header", "parameters": [{"type": "text", "text": "Summer"}]}
    ]


@pytest.mark.parametrize("given", [TextHeader(variables={"season": "Summer"}), TextHeader(text="Summer")])
def test_a_named_header_variable_is_sent_with_its_name(given: TextHeader) -> None:
    template = approved(header("TEXT", "Our {{season}} sale"), body("Come in."), parameter_format="named")

    assert components(template, header=given) == [
        {"type": "header", "parameters": [{"type": "text", "parameter_name": "season", "text": "Summer"}]}
    ]


def test_repeating_a_header_that_was_approved_as_it_is_changes_nothing() -> None:
    assert components(approved(header("TEXT", "News"), body("Hello")), header=TextHeader(text="News")) == []


@pytest.mark.parametrize(
    ("form", "given", "parameter"),
    [
        (
            "IMAGE",
            MediaHeader(type="image", url="https://example.com/a.png", filename="a.png"),
            {"type": "image", "image": {"link": "https://example.com/a.png"}},
        ),
        (
            "DOCUMENT",
            MediaHeader(type="document", url="https://example.com/a.pdf"),
            {"type": "document", "document": {"link": "https://example.com/a.pdf"}},
        ),
        (
            "LOCATION",
            LocationHeader(latitude=0.00001, longitude=-180),
            {"type": "location", "location": {"latitude": "0.00001", "longitude": "-180.0"}},
        ),
    ],
)
def test_a_header_is_sent_in_its_approved_form(form: str, given: TemplateHeader, parameter: dict[str, Any]) -> None:
    assert components(approved(header(form), body("Hello")), header=given) == [
        {"type": "header", "parameters": [parameter]}
    ]


def test_a_quick_reply_without_payload_is_sent_with_an_id_made_of_its_label() -> None:
    template = approved(body("Hello"), buttons(quick_reply("Get Started"), quick_reply("Learn more!")))

    assert components(template, buttons=(TemplateButton(index=1, payload="MORE"),)) == [
        button("quick_reply", 0, {"type": "payload", "payload": "get_started"}),
        button("quick_reply", 1, {"type": "payload", "payload": "MORE"}),
    ]


def test_a_payload_may_hold_what_a_text_may_not() -> None:
    template = approved(body("Hello"), buttons(quick_reply("Yes")))

    assert components(template, buttons=(TemplateButton(index=0, payload='{\n     "a": 1}'),)) == [
        button("quick_reply", 0, {"type": "payload", "payload": '{\n     "a": 1}'})
    ]


def test_values_in_any_order_go_to_the_buttons_that_their_index_names() -> None:
    template = approved(body("Hello"), buttons(PHONE, url(), url("https://b.example.com/{{1}}")))
    given = (TemplateButton(index=2, sub_type="url", url="two"), TemplateButton(index=1, sub_type="url", url="one"))

    assert components(template, buttons=given) == [
        button("url", 1, {"type": "text", "text": "one"}),
        button("url", 2, {"type": "text", "text": "two"}),
    ]
    assert warnings(template, buttons=given) == ()


def test_a_value_with_a_wrong_index_moves_to_the_only_button_of_its_kind_with_a_warning() -> None:
    template = approved(body("Hello"), buttons(quick_reply("Yes"), quick_reply("No"), url()))
    given = (TemplateButton(index=0, sub_type="url", url="one"),)

    assert components(template, buttons=given) == [
        button("quick_reply", 0, {"type": "payload", "payload": "yes"}),
        button("quick_reply", 1, {"type": "payload", "payload": "no"}),
        button("url", 2, {"type": "text", "text": "one"}),
    ]
    assert warnings(template, buttons=given) == (
        "button_moved: template.buttons[0] has index 0, but the approved template's URL button with a variable "
        "has index 2; sent there",
    )


def test_a_coupon_shorthand_goes_to_the_copy_code_button_wherever_it_is() -> None:
    template = approved(body("Hello"), buttons(quick_reply("Yes"), COPY_CODE))

    assert components(template, copy_code="SAVE10")[1] == button(
        "copy_code", 1, {"type": "coupon_code", "coupon_code": "SAVE10"}
    )
    assert warnings(template, copy_code="SAVE10") == ()


@pytest.mark.parametrize(
    "content",
    [
        {"variables": ("784521",), "copy_code": "784521"},
        {"variables": {"1": "784521"}, "copy_code": "784521"},
        {"copy_code": "784521"},
        {"variables": ("784521",)},
        {"buttons": (TemplateButton(index=0, sub_type="copy_code", payload="784521"),)},
        {"buttons": (TemplateButton(index=0, sub_type="url", url="784521"),)},
        {"variables": ("784521",), "buttons": (TemplateButton(index=0, sub_type="url", url="784521"),)},
    ],
)
@pytest.mark.parametrize(
    "template",
    [
        ONE_TIME_PASSWORD,
        approved(
            {"type": "BODY", "add_security_recommendation": True},
            buttons(url("https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}", "Copy code")),
            category="authentication",
        ),
    ],
    ids=["as created", "as Meta may answer"],
)
def test_a_one_time_password_is_sent_in_body_and_url_button(
    template: ApprovedTemplate, content: dict[str, Any]
) -> None:
    assert components(template, **content) == [
        {"type": "body", "parameters": [{"type": "text", "text": "784521"}]},
        button("url", 0, {"type": "text", "text": "784521"}),
    ]


def test_an_offer_stands_between_body_and_buttons() -> None:
    template = approved(buttons(COPY_CODE), OFFER, GREETING, header("VIDEO"))

    rendered = components(
        template,
        header=MediaHeader(type="video", url="https://example.com/a.mp4"),
        variables=("John", "30%"),
        copy_code="SAVE10",
        lto_expiration_time_ms=NOW_MS + 1,
    )

    assert [component["type"] for component in rendered] == ["header", "body", "limited_time_offer", "button"]


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        (NOW_MS - 1, ("offer_expired: template.lto.expiration_time_ms lies in the past",)),
        (NOW_MS, ("offer_expired: template.lto.expiration_time_ms lies in the past",)),
        (NOW_MS + 1, ()),
    ],
)
def test_an_offer_that_has_expired_is_sent_with_a_warning(expires_at: int, expected: tuple[str, ...]) -> None:
    assert warnings(approved(OFFER, body("Hurry")), lto_expiration_time_ms=expires_at) == expected


def test_an_offer_that_never_expires_may_go_without_a_time() -> None:
    offer = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Special"}}

    assert components(approved(offer, body("Hurry"))) == []


def test_a_body_may_be_as_long_as_meta_allows() -> None:
    (rendered,) = components(approved(body("Hi {{1}}")), variables=("x" * 1021,))

    assert len(rendered["parameters"][0]["text"]) == 1021
