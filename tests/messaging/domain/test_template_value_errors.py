"""Values and headers that do not fit are refused before Meta is asked, by the field as the caller wrote it."""

import pytest

from services.messaging.domain.payloads import Renderable
from services.messaging.domain.templates import ApprovedTemplate
from shared.contracts.content import LocationHeader, TextHeader
from tests.messaging.domain.made import NOW_MS, OFFER, approved, body, header
from tests.messaging.domain.refused import IMAGE, VIDEO, Row, assert_refused, sent

THREE = approved(body("Dear {{1}}, {{2}} and {{3}}."))
ONE = approved(body("Hello {{1}}."))
PLAIN = approved(body("Hello."))
NAMED = approved(body("Hello {{name}}, {{order_id}}."), parameter_format="named")
VARIABLE_HEADER = approved(header("TEXT", "Our {{1}} sale"), body("Hello."))
STATIC_HEADER = approved(header("TEXT", "News"), body("Hello."))
IMAGE_HEADER = approved(header("IMAGE"), body("Hello."))
LIMITED = approved(OFFER, body("Hello {{1}}."))
PLACE = LocationHeader(latitude=1, longitude=2)


ROWS: list[Row] = [
    # Counts and names of variables
    (THREE, sent(variables=("a", "b")), "template.body.variables", "expected 3 values, got 2"),
    (THREE, sent(variables=("a", "b", "c", "d")), "template.body.variables", "expected 3 values, got 4"),
    (ONE, sent(), "template.body.variables", "expected 1 value, got 0"),
    (PLAIN, sent(variables=("a",)), "template.body.variables", "expected 0 values, got 1"),
    (PLAIN, sent(variables={"a": "b"}), "template.body.variables", "expected no values: unknown a"),
    (
        THREE,
        sent(variables={"1": "a", "2": "b"}),
        "template.body.variables",
        "expected the keys 1, 2, 3: missing 3",
    ),
    (
        NAMED,
        sent(variables=("John", "ORD-1")),
        "template.body.variables",
        "expected an object with the keys name, order_id, got a list of 2",
    ),
    (NAMED, sent(), "template.body.variables", "expected an object with the keys name, order_id, got nothing"),
    (
        NAMED,
        sent(variables={"name": "John", "order": "ORD-1"}),
        "template.body.variables",
        "expected the keys name, order_id: missing order_id, unknown order",
    ),
    (
        ONE,
        sent(variables={"1": "a"} | {f"{'k' * 70}{extra:02}": "v" for extra in range(12)}),
        "template.body.variables",
        f"expected the keys 1: unknown {', '.join(['k' * 60 + '…'] * 10)} and 2 more",
    ),
    # What Meta refuses in a value
    (ONE, sent(variables=("",)), "template.body.variables[0]", "must not be empty"),
    (ONE, sent(variables=("  ",)), "template.body.variables[0]", "must not be empty"),
    (
        THREE,
        sent(variables=("a", "b\nc", "d")),
        "template.body.variables[1]",
        "must not contain line breaks, tabs or more than four spaces in a row",
    ),
    (
        THREE,
        sent(variables={"1": "a", "2": "b", "3": "c\rd"}),
        "template.body.variables.3",
        "must not contain line breaks, tabs or more than four spaces in a row",
    ),
    (
        NAMED,
        sent(variables={"name": "John", "order_id": "a\tb"}),
        "template.body.variables.order_id",
        "must not contain line breaks, tabs or more than four spaces in a row",
    ),
    (
        ONE,
        sent(variables=("a     b",)),
        "template.body.variables[0]",
        "must not contain line breaks, tabs or more than four spaces in a row",
    ),
    # Lengths after substitution
    (
        ONE,
        sent(variables=("x" * 1018,)),
        "template.body.variables",
        "with these values the text has 1025 characters; Meta takes 1024",
    ),
    (
        approved(body("{{name}} and {{name}}."), parameter_format="named"),
        sent(variables={"name": "x" * 510}),
        "template.body.variables",
        "with these values the text has 1026 characters; Meta takes 1024",
    ),
    (
        LIMITED,
        sent(variables=("x" * 594,), lto_expiration_time_ms=NOW_MS + 1),
        "template.body.variables",
        "with these values the text has 601 characters; Meta takes 600",
    ),
    # Headers
    (PLAIN, sent(header=IMAGE), "template.header", "the approved template has no header"),
    (IMAGE_HEADER, sent(), "template.header", "required, because the approved template has an image header"),
    (
        approved(header("VIDEO"), body("Hello.")),
        sent(),
        "template.header",
        "required, because the approved template has a video header",
    ),
    (IMAGE_HEADER, sent(header=VIDEO), "template.header.type", "expected image, got video"),
    (IMAGE_HEADER, sent(header=PLACE), "template.header.type", "expected image, got location"),
    (IMAGE_HEADER, sent(header=TextHeader(text="a")), "template.header.type", "expected image, got text"),
    (
        approved(header("LOCATION"), body("Hello.")),
        sent(header=IMAGE),
        "template.header.type",
        "expected location, got image",
    ),
    (
        approved(header("PRODUCT"), body("Hello.")),
        sent(),
        "template.header",
        "the approved template's product header cannot be filled here",
    ),
    (
        VARIABLE_HEADER,
        sent(),
        "template.header",
        "required, because the approved template's header has the variable {{1}}",
    ),
    (VARIABLE_HEADER, sent(header=TextHeader()), "template.header.variables", "expected 1 value, got 0"),
    (
        VARIABLE_HEADER,
        sent(header=TextHeader(variables=("a", "b"))),
        "template.header.variables",
        "expected 1 value, got 2",
    ),
    (VARIABLE_HEADER, sent(header=TextHeader(text="")), "template.header.text", "must not be empty"),
    (VARIABLE_HEADER, sent(header=IMAGE), "template.header.type", "expected text, got image"),
    (
        STATIC_HEADER,
        sent(header=TextHeader(text="Other")),
        "template.header.text",
        "the approved template's header has no variable",
    ),
    (STATIC_HEADER, sent(header=TextHeader(variables=("a",))), "template.header.variables", "expected 0 values, got 1"),
]


@pytest.mark.parametrize(("template", "content", "field", "message"), ROWS)
def test_values_that_do_not_fit_the_approved_template_are_refused_by_field(
    template: ApprovedTemplate, content: Renderable, field: str, message: str
) -> None:
    assert_refused(template, content, field, message)
