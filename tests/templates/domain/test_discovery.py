"""What discovery reads from Meta's components."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.templates.domain.discovery import discovered, nothing_called, stored_language
from shared.contracts.templates import DiscoveredTemplate, Template, TemplateBody, TemplateButton, TemplateHeader

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
INVOICE = "Hello {{1}}, your invoice for {{2}} is ready. Total: {{3}}."


def template(*components: dict[str, Any], **changes: Any) -> Template:
    """A template of these components."""
    fields: dict[str, Any] = {
        "template_id": "tpl_1",
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "waba_id": "102",
        "name": "invoice_ready",
        "language": "en",
        "category": "UTILITY",
        "status": "APPROVED",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Template(**(fields | {"components": components} | changes))


def body(**rest: Any) -> dict[str, Any]:
    """A body component."""
    return {"type": "BODY"} | rest


def button(index: int, kind: str, **rest: Any) -> TemplateButton:
    """A button of which only what is given is known."""
    fields: dict[str, Any] = {"text": None, "url": None, "phone_number": None, "variable_count": 0}
    return TemplateButton(index=index, type=kind, **(fields | rest))


def test_the_documented_template_is_read_as_documented() -> None:
    components = (
        {"type": "HEADER", "format": "DOCUMENT"},
        body(text=INVOICE),
        {"type": "FOOTER", "text": "Powered by WAAPI"},
    )

    read = discovered(template(*components, meta_template_id="1219262932664098", quality_score="GREEN"))

    assert read == DiscoveredTemplate(
        name="invoice_ready",
        language="en",
        category="UTILITY",
        status="APPROVED",
        parameter_format="positional",
        meta_template_id="1219262932664098",
        quality_score="GREEN",
        header=TemplateHeader(format="DOCUMENT", text=None, variable_count=0),
        body=TemplateBody(text=INVOICE, variable_count=3),
        footer="Powered by WAAPI",
        buttons=(),
        components=components,
    )


def test_a_part_that_a_template_does_not_have_is_none() -> None:
    read = discovered(template(body(text="Hello")))

    assert (read.header, read.footer, read.buttons) == (None, None, ())
    assert read.body == TemplateBody(text="Hello", variable_count=0)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            {"format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A-1"]}},
            TemplateHeader(format="TEXT", text="Order {{1}}", variable_count=1, example={"header_text": ["A-1"]}),
        ),
        ({"text": "Hello"}, TemplateHeader(format="TEXT", text="Hello", variable_count=0)),
        ({"format": "location"}, TemplateHeader(format="LOCATION", text=None, variable_count=0)),
        (
            {"format": "IMAGE", "example": {"header_handle": ["https://scontent.example/1"]}},
            TemplateHeader(
                format="IMAGE", text=None, variable_count=0, example={"header_handle": ["https://scontent.example/1"]}
            ),
        ),
    ],
)
def test_a_header_is_shown_with_its_format_and_metas_example(header: dict[str, Any], expected: TemplateHeader) -> None:
    assert discovered(template({"type": "HEADER"} | header)).header == expected


@pytest.mark.parametrize(
    ("component", "category", "count"),
    [
        (body(text="{{1}} and {{2}} and {{1}}"), "UTILITY", 2),
        (body(text="{{first_name}} and {{ order_id }}"), "UTILITY", 2),
        (body(), "AUTHENTICATION", 1),  # Meta's own text, with the code as its one value
        (body(add_security_recommendation=True), "AUTHENTICATION", 1),
        (body(text="*{{1}}* is your code."), "AUTHENTICATION", 1),
    ],
)
def test_a_variable_counts_once_however_often_it_is_used(component: Any, category: str, count: int) -> None:
    read = discovered(template(component, category=category))

    assert read.body is not None
    assert read.body.variable_count == count


def test_buttons_carry_the_index_by_which_a_message_addresses_them() -> None:
    buttons = [
        {"type": "QUICK_REPLY", "text": "Good"},
        {"type": "URL", "text": "Track", "url": "https://acme.example/{{1}}", "example": ["https://acme.example/1"]},
        {"type": "URL", "text": "Shop", "url": "https://acme.example/"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+14155550123"},
        {"type": "COPY_CODE", "example": ["FLASH30"]},
        {"type": "a_new_kind"},
    ]

    read = discovered(template(body(text="Hello"), {"type": "BUTTONS", "buttons": buttons}))

    assert read.buttons == (
        button(0, "QUICK_REPLY", text="Good"),
        button(
            1,
            "URL",
            text="Track",
            url="https://acme.example/{{1}}",
            variable_count=1,
            example=["https://acme.example/1"],
        ),
        button(2, "URL", text="Shop", url="https://acme.example/"),
        button(3, "PHONE_NUMBER", text="Call", phone_number="+14155550123"),
        button(4, "COPY_CODE", variable_count=1, example=["FLASH30"]),
        button(5, "A_NEW_KIND"),
    )


@pytest.mark.parametrize(
    "component",
    [
        {"type": "BUTTONS"},
        {"type": "BUTTONS", "buttons": None},
        {"type": "BUTTONS", "buttons": {"0": {}}},
        {"type": "BUTTONS", "buttons": ["QUICK_REPLY"]},
        {"type": "FOOTER", "text": 7},
        {"type": "HEADER", "format": None, "text": ["a"]},
        {"type": None},
        {},
    ],
)
def test_components_in_a_form_that_nobody_knows_do_no_harm(component: dict[str, Any]) -> None:
    read = discovered(template(component))

    assert (read.buttons, read.footer) == ((), None)
    assert read.components == (component,)


@pytest.mark.parametrize(
    ("code", "stored"),
    [("en", "en"), ("en_US", "en_US"), ("en-us", "en_US"), ("EN_us", "en_US"), ("es_419", "es_419"), ("FIL", "fil")],
)
def test_a_language_is_found_however_it_is_written(code: str, stored: str) -> None:
    assert stored_language(code) == stored


def test_a_name_that_nothing_has_brings_names_like_it() -> None:
    error = nothing_called("invoice_redy", [], ["hello", "invoice_ready", "invoice_ready"])

    message = "No template is called 'invoice_redy' on this account; did you mean invoice_ready?"
    assert (error.message, error.code) == (message, "template_not_found")
    assert error.details == [{"field": "name", "message": message, "close_matches": ["invoice_ready"]}]


def test_a_name_like_no_other_brings_none() -> None:
    error = nothing_called("zzz", [], ["hello"])

    assert error.message == "No template is called 'zzz' on this account"
    assert error.details[0]["close_matches"] == []


def test_a_name_in_another_language_or_state_is_told_as_such() -> None:
    variants = [template(language="en"), template(language="bn", status="PENDING")]

    error = nothing_called("invoice_ready", variants, [])

    assert error.message == "No template 'invoice_ready' matches the query; there is bn (PENDING), en (APPROVED)"
