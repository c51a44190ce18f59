"""Where the values of a template's variables come from, and what is said of those that are missing or wrong."""

from typing import Any

import pytest

from services.messaging.domain.templates import approved_template
from services.messaging.domain.variables import (
    ContactFields,
    VariableSchema,
    content_of,
    parts_of,
    resolve,
    variable_schema,
)
from shared.contracts.content import MediaHeader, TemplateButton, TextHeader
from shared.contracts.templates import Template, TemplateVariable
from shared.errors import InvalidInputError
from tests.messaging.stage import template

BODY = {"type": "BODY", "text": "Hi {{1}}! Your order #{{2}} is {{3}}."}
NOBODY = ContactFields(phone="+14155551234")
SARAH = ContactFields("+14155551234", "Sarah", "sarah@example.com", "TechCorp", {"city": "Oakland"})


def variable(name: str, position: int, component: str = "BODY", **changes: Any) -> TemplateVariable:
    fields = {"variable_id": f"var_{name}", "variable_name": name, "position": position, "component_type": component}
    return TemplateVariable.model_validate(fields | changes)


ORDER = template(
    components=(BODY,),
    variables=(
        variable("customer_name", 1, extraction_field="name", default_value="Customer"),
        variable("order_id", 2, is_required=True, sample_value="12345"),
        variable("status", 3, default_value="processing"),
    ),
)


def schema_of(of: Template) -> VariableSchema:
    return variable_schema(of, approved_template(of))


def values_of(of: Template, given: dict[str, str], contact: ContactFields = NOBODY) -> dict[str, str]:
    values, problems = resolve(schema_of(of), given, contact)
    assert problems == []
    return values


def problems_of(of: Template, given: dict[str, str], contact: ContactFields = NOBODY) -> list[str]:
    return [f"{problem.code} {problem}" for problem in resolve(schema_of(of), given, contact)[1]]


def test_values_are_given_by_position() -> None:
    given = {"1": "Sarah Johnson", "2": "ORD-98765", "3": "shipped"}

    assert values_of(ORDER, given) == given


def test_values_are_given_by_name() -> None:
    given = {"customer_name": "Sarah", "order_id": "17", "status": "late"}

    assert values_of(ORDER, given) == {"1": "Sarah", "2": "17", "3": "late"}


def test_a_position_counts_before_a_name() -> None:
    assert values_of(ORDER, {"status": "late", "2": "17", "3": "shipped"})["3"] == "shipped"
    assert values_of(ORDER, {"3": "shipped", "2": "17", "status": "late"})["3"] == "shipped"


def test_what_is_not_given_comes_from_the_contact_then_from_the_default() -> None:
    assert values_of(ORDER, {"2": "17"}, SARAH) == {"1": "Sarah", "2": "17", "3": "processing"}
    assert values_of(ORDER, {"2": "17"}) == {"1": "Customer", "2": "17", "3": "processing"}


def test_a_blank_value_counts_as_not_given() -> None:
    assert values_of(ORDER, {"1": " ", "2": "17", "3": ""}, SARAH) == {"1": "Sarah", "2": "17", "3": "processing"}


def test_a_sample_is_never_sent() -> None:
    assert problems_of(ORDER, {}) == ["missing_variable variables.2: a value for 2 (order_id) is required"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "+14155551234"),
        ("email", "sarah@example.com"),
        ("company", "TechCorp"),
        ("attributes.city", "Oakland"),
    ],
)
def test_a_value_may_come_from_any_field_of_the_contact(field: str, value: str) -> None:
    one = template(variables=(variable("it", 1, extraction_field=field),))

    assert values_of(one, {}, SARAH) == {"1": value}


def test_a_field_that_no_contact_has_gives_nothing() -> None:
    one = template(variables=(variable("it", 1, extraction_field="attributes"),))

    assert problems_of(one, {}, SARAH) == ["missing_variable variables.1: a value for 1 (it) is required"]


def test_an_unknown_key_is_refused_and_the_known_ones_named() -> None:
    assert problems_of(ORDER, {"2": "17", "ordr_id": "x"}) == [
        "unknown_variable variables.ordr_id: unknown variable; "
        "the template has 1 (customer_name), 2 (order_id), 3 (status)"
    ]
    assert problems_of(template(components=({"type": "BODY", "text": "Hello."},)), {"1": "x"}) == [
        "unknown_variable variables.1: unknown variable; the template has no variables"
    ]


def test_every_problem_is_told_at_once() -> None:
    assert problems_of(ORDER, {"1": "two\nlines", "4": "x"}) == [
        "unknown_variable variables.4: unknown variable; the template has 1 (customer_name), 2 (order_id), 3 (status)",
        "invalid_variable variables.1: must not contain line breaks, tabs or more than four spaces in a row",
        "missing_variable variables.2: a value for 2 (order_id) is required",
    ]


def test_a_text_that_grows_too_long_is_refused() -> None:
    assert problems_of(ORDER, {"1": "x" * 600, "2": "y" * 600}) == [
        "invalid_variable variables: with these values the text has 1232 characters; Meta takes 1024"
    ]


RICH = template(
    components=(
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "Hello {{1}}."},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Stop"},
                {"type": "URL", "text": "Track", "url": "https://shop.example.com/t/{{1}}"},
                {"type": "COPY_CODE", "example": "SAVE"},
            ],
        },
    ),
    variables=(
        variable("order", 1, "HEADER", default_value="A-1"),
        variable("name", 1),
        variable("order", 1, "BUTTON"),
    ),
)


def test_header_and_buttons_have_keys_of_their_own() -> None:
    given = {"header.1": "A-17", "1": "Sarah", "button.1": "a17", "button.2": "SAVE20"}

    body, header, buttons = parts_of(approved_template(RICH), values_of(RICH, given))

    assert body == {"1": "Sarah"}
    assert header == TextHeader(variables={"1": "A-17"})
    assert buttons == (
        TemplateButton(index=1, sub_type="url", url="a17"),
        TemplateButton(index=2, sub_type="copy_code", payload="SAVE20"),
    )


def test_a_name_that_several_places_share_fills_them_all() -> None:
    values = values_of(RICH, {"order": "A-17", "name": "Sarah", "button.2": "SAVE"})

    assert values == {"header.1": "A-17", "1": "Sarah", "button.1": "A-17", "button.2": "SAVE"}


def test_a_link_is_given_without_what_was_approved_of_it() -> None:
    given = {"1": "Sarah", "button.1": "https://shop.example.com/t/a17", "button.2": "SAVE"}

    assert problems_of(RICH, given) == [
        "invalid_variable variables.button.1: "
        "must be what follows https://shop.example.com/t/ in the template, not the whole link"
    ]


NAMED = template(
    parameter_format="named",
    components=({"type": "BODY", "text": "Hi {{first_name}}, {{city}} waits."},),
    variables=(variable("first_name", 1), variable("city", 2, default_value="Oakland")),
)


def test_named_variables_are_given_by_name_or_position() -> None:
    assert values_of(NAMED, {"first_name": "Sarah"}) == {"first_name": "Sarah", "city": "Oakland"}
    assert values_of(NAMED, {"1": "Sarah", "2": "Pune"}) == {"first_name": "Sarah", "city": "Pune"}


PICTURE = template(components=({"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look!"}))


def test_a_media_header_is_given_as_a_link() -> None:
    link = "https://cdn.example.com/a.jpg"

    content = content_of(approved_template(PICTURE), values_of(PICTURE, {"header.1": link}))

    assert content.header == MediaHeader(type="image", url=link)
    assert problems_of(PICTURE, {}) == ["missing_variable variables.header.1: a value for header.1 is required"]
    assert problems_of(PICTURE, {"header.1": "file:///etc/passwd"}) == [
        "invalid_variable variables.header.1: must be a publicly accessible https:// link"
    ]


@pytest.mark.parametrize(
    ("components", "reason"),
    [
        (({"type": "CAROUSEL", "cards": [{"components": [{"type": "BODY", "text": "x"}]}]},), "carousel"),
        (({"type": "HEADER", "format": "LOCATION"},), "location"),
        (({"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"has_expiration": True}},), "offer that expires"),
    ],
)
def test_what_keys_cannot_fill_is_said(components: tuple[dict[str, Any], ...], reason: str) -> None:
    found = schema_of(template(components=components)).unsendable

    assert found is not None
    assert reason in found


def test_a_batch_with_a_key_of_no_template_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"variables\.footer\.1: unknown variable"):
        parts_of(approved_template(ORDER), {"footer.1": "x"})
