"""Template sends against what was approved: Meta's codes, words and order."""

from typing import Any

import pytest

from .conftest import WABA, Sandbox, details_of, error_of

PICTURE = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://cdn.example.com/p.jpg"}}]}


def texts(*values: str, kind: str = "body") -> dict[str, Any]:
    return {"type": kind, "parameters": [{"type": "text", "text": value} for value in values]}


def named(**values: str) -> dict[str, Any]:
    parameters = [{"type": "text", "parameter_name": name, "text": value} for name, value in values.items()]
    return {"type": "body", "parameters": parameters}


def button(sub_type: str, index: int | str, parameter: dict[str, Any] | None) -> dict[str, Any]:
    parameters = [] if parameter is None else [parameter]
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": parameters}


def url(index: int | str, suffix: str) -> dict[str, Any]:
    return button("url", index, {"type": "text", "text": suffix})


def payload(index: int | str, value: str) -> dict[str, Any]:
    return button("quick_reply", index, {"type": "payload", "payload": value})


def offer(expires: Any) -> dict[str, Any]:
    value = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": expires}}
    return {"type": "limited_time_offer", "parameters": [value]}


def coupon(code: str) -> dict[str, Any]:
    return button("copy_code", 0, {"type": "coupon_code", "coupon_code": code})


def card(index: int, *components: dict[str, Any]) -> dict[str, Any]:
    return {"card_index": index, "components": list(components)}


def cards(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"type": "carousel", "cards": list(rows)}


FULL_CARD = (PICTURE, texts("Aloe", "$19"), payload("0", "more"), url("1", "aloe"))
SALE = texts("FLASH30", "30%")
EXPIRES_MS = 1_740_000_000_000

ACCEPTED: dict[str, tuple[str, list[dict[str, Any]] | None]] = {
    "no variables": ("hello_world", None),
    "positional": ("order_confirmation", [texts("Ana", "A-1", "Friday")]),
    "named in any order": ("order_shipped", [named(order_id="A-1", customer_name="Ana")]),
    "code twice": ("otp_message", [texts("784521"), url("0", "784521")]),
    "quick replies without payload": ("feedback_request", [texts("Ana")]),
    "quick reply with payload": ("feedback_request", [texts("Ana"), payload(1, "BAD")]),
    "dynamic link": ("track_order", [texts("Ana"), url("0", "A-1")]),
    "picture above": ("product_promo", [PICTURE, texts("Ana", "25 %")]),
    "offer": (
        "flash_sale_full",
        [PICTURE, SALE, offer(EXPIRES_MS), coupon("CARIBE25"), url(1, "n3mtql")],
    ),
    "carousel": ("product_carousel", [cards(card(0, *FULL_CARD), card(1, *FULL_CARD))]),
    "currency": (
        "welcome_message",
        [
            {
                "type": "body",
                "parameters": [
                    {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}}
                ],
            }
        ],
    ),
}


@pytest.mark.parametrize(("name", "components"), ACCEPTED.values(), ids=ACCEPTED)
async def test_a_complete_template_send_is_accepted(
    sandbox: Sandbox, name: str, components: list[dict[str, Any]] | None
) -> None:
    status, body = await sandbox.send_template(name, components)

    assert (status, body["messages"][0]["message_status"]) == (200, "accepted")


COUNT = "{}: number of localizable_params ({}) does not match the expected number of params ({})"
WHITE_SPACE = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
REFUSED: dict[str, tuple[str, list[dict[str, Any]], int, str]] = {
    "too few values": ("order_confirmation", [texts("Ana")], 132000, COUNT.format("body", 1, 3)),
    "too many values": ("hello_world", [texts("Ana")], 132000, COUNT.format("body", 1, 0)),
    "no values": ("order_confirmation", [], 132000, COUNT.format("body", 0, 3)),
    "header before body": ("order_confirmation", [texts("a", kind="header")], 132000, COUNT.format("header", 1, 0)),
    "new line": ("welcome_message", [texts("a\nb")], 132018, WHITE_SPACE),
    "five spaces": ("welcome_message", [texts("a     b")], 132018, WHITE_SPACE),
    "empty value": ("welcome_message", [texts("")], 100, "Parameter 'text' is mandatory for component parameter type "
                    "'text' and cannot be empty"),
    "value without text": ("welcome_message", [{"type": "body", "parameters": [{"type": "text"}]}], 100,
                           "Parameter 'text' is mandatory for component parameter type 'text'"),
    "too long": ("welcome_message", [texts("x" * 1024)], 132005,
                 "body: translated text exceeds the limit of 1024 characters"),
    "name missing": ("order_shipped", [texts("Ana", "A-1")], 100, "Parameter name is missing or empty"),
    "name unknown": ("order_shipped", [named(customer_name="Ana", number="A-1")], 100,
                     "Parameter name is missing for the parameter '{{order_id}}'"),
    "picture missing": ("product_promo", [texts("Ana", "25 %")], 132012,
                        "header: Format mismatch, expected IMAGE, received UNKNOWN"),
    "text for picture": ("product_promo", [texts("a", kind="header"), texts("Ana", "25 %")], 132012,
                         "header: Format mismatch, expected IMAGE, received TEXT"),
    "picture for nothing": ("welcome_message", [PICTURE, texts("Ana")], 132012,
                            "header: Format mismatch, expected UNKNOWN, received IMAGE"),
    "picture without object": ("product_promo", [{"type": "header", "parameters": [{"type": "image"}]}], 100,
                               "Parameter 'image' is mandatory for component parameter type 'image'"),
    "picture without link": ("product_promo", [{"type": "header", "parameters": [{"type": "image", "image": {}}]}],
                             132018, "Either one of media ID or link must be present"),
    "link parameter missing": ("track_order", [texts("Ana")], 131008,
                               "buttons: Button at index 0 of type Url requires a parameter"),
    "link without parameters": ("track_order", [texts("Ana"), button("url", 0, None)], 131008,
                                "buttons: Button at index 0 of type Url requires a parameter"),
    "wrong kind of button": ("track_order", [texts("Ana"), payload(0, "x")], 132018,
                             "buttons: Button at index 0 must be of type Url"),
    "coupon for a code": ("otp_message", [texts("784521"), coupon("784521")], 132018,
                          "buttons: Button at index 0 must be of type Url"),
    "empty suffix": ("track_order", [texts("Ana"), url(0, "")], 100,
                     "button: Parameter 'text' is mandatory for component parameter type 'text' and cannot be empty"),
    "static link with parameter": ("product_promo", [PICTURE, texts("Ana", "25 %"), url(0, "x")], 132018,
                                   "buttons: Button at index 0 of type Url does not take a parameter"),
    "button that is not there": ("track_order", [texts("Ana"), url(0, "a"), url(1, "b")], 132018,
                                 "buttons: Button at index 1 does not exist in the template"),
    "coupon too long": ("flash_sale_full", [PICTURE, SALE, coupon("X" * 21), url(1, "a"), offer(EXPIRES_MS)],
                        132018, "buttons: Button at index 0: the coupon code must be 1 to 20 alphanumeric characters"),
    "offer without end": ("flash_sale_full", [PICTURE, SALE, coupon("A"), url(1, "a")], 131008,
                          "limited_time_offer: expiration_time_ms is required"),
    "offer without time": ("flash_sale_full", [PICTURE, SALE, coupon("A"), url(1, "a"), offer("soon")], 131009,
                           "limited_time_offer: expiration_time_ms must be a time in milliseconds"),
    "one card of two": ("product_carousel", [cards(card(0, *FULL_CARD))], 132018,
                        "carousel: number of cards (1) does not match the expected number of cards (2)"),
    "card twice": ("product_carousel", [cards(card(0, *FULL_CARD), card(0, *FULL_CARD))], 132018,
                   "carousel: card_index 0 is not in the template, or given twice"),
    "card without text": ("product_carousel", [cards(card(0, *FULL_CARD), card(1, PICTURE))], 132000,
                          COUNT.format("body", 0, 2)),
}  # fmt: skip


@pytest.mark.parametrize(("name", "components", "code", "details"), REFUSED.values(), ids=REFUSED)
async def test_a_template_send_that_does_not_fit_is_refused_in_metas_words(
    sandbox: Sandbox, name: str, components: list[dict[str, Any]], code: int, details: str
) -> None:
    answer = await sandbox.send_template(name, components)

    assert (answer[0], error_of(answer)["code"], details_of(answer)) == (400, code, details)


async def test_a_currency_that_lacks_fields_is_told_all_of_them_without_details(sandbox: Sandbox) -> None:
    answer = await sandbox.send_template(
        "welcome_message", [{"type": "body", "parameters": [{"type": "currency", "currency": {}}]}]
    )

    message = error_of(answer)["message"]
    assert message.count("'template.components.0.parameters.0.currency'") == 6
    assert message.endswith("for missing : 'amount_1000'")
    assert details_of(answer) is None


async def test_a_language_that_is_a_plain_string_is_refused(sandbox: Sandbox) -> None:
    answer = await sandbox.send({"type": "template", "template": {"name": "hello_world", "language": "en_US"}})

    assert error_of(answer)["message"] == "(#100) Param template['language'] must be a JSON object."


async def test_an_unknown_template_or_language_is_132001(sandbox: Sandbox) -> None:
    unknown = await sandbox.send_template("nope")
    elsewhere = await sandbox.send_template("hello_world", language="en_GB")

    assert unknown[0] == 404
    assert error_of(unknown)["message"] == "(#132001) Template name does not exist in the translation"
    assert details_of(unknown) == "template name (nope) does not exist in en_US"
    assert details_of(elsewhere) == "template name (hello_world) does not exist in en_GB"


@pytest.mark.parametrize(("status", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001)])
async def test_a_template_that_is_not_approved_cannot_be_sent(sandbox: Sandbox, status: str, code: int) -> None:
    body = {"type": "BODY", "text": "Hello there"}
    row = {"waba_id": WABA, "name": "mine", "language": "en_US", "category": "utility", "components": [body]}
    await sandbox.call("POST", "/_sandbox/templates", row | {"status": status})

    answer = await sandbox.send_template("mine")

    assert error_of(answer)["code"] == code


async def test_every_language_is_a_template_of_its_own(sandbox: Sandbox) -> None:
    status, _ = await sandbox.send_template("appointment_reminder", [texts("আনা", "শুক্রবার")], language="bn")

    assert status == 200


async def test_a_code_cannot_be_sent_to_a_business_scoped_id(sandbox: Sandbox) -> None:
    template = {"name": "otp_message", "language": {"code": "en_US"}, "components": [texts("1"), url("0", "1")]}

    answer = await sandbox.send({"to": None, "recipient": "US.1", "type": "template", "template": template})

    assert error_of(answer)["code"] == 131062


async def test_the_template_of_the_tokens_own_account_is_meant(sandbox: Sandbox) -> None:
    for waba, text in (("111", "Hello {{1}} there"), ("222", "Hello there")):
        body = {"type": "BODY", "text": text}
        row = {"waba_id": waba, "name": "mine", "language": "en_US", "category": "UTILITY", "components": [body]}
        await sandbox.call("POST", "/_sandbox/templates", row)
    await sandbox.call("POST", "/v23.0/222/subscribed_apps", token="EAAother")
    template = {"type": "template", "template": {"name": "mine", "language": {"code": "en_US"}}}

    status, _ = await sandbox.send(template, token="EAAother")

    assert status == 200


@pytest.mark.parametrize("body", [{"text": "*{{1}}* is your code."}, {"add_security_recommendation": True}])
async def test_a_code_template_may_be_registered_as_it_is_created(sandbox: Sandbox, body: dict[str, Any]) -> None:
    buttons = [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]
    components = [{"type": "BODY", **body}, {"type": "BUTTONS", "buttons": buttons}]
    row = {"waba_id": WABA, "name": "mine", "language": "en_US", "category": "AUTHENTICATION", "components": components}
    await sandbox.call("POST", "/_sandbox/templates", row)

    sent, _ = await sandbox.send_template("mine", [texts("123456"), url("0", "123456")])
    refused = await sandbox.send_template("mine", [texts("123456")])

    assert (sent, error_of(refused)["code"]) == (200, 131008)
