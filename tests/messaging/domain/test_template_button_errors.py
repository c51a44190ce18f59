"""Buttons, codes and offers that do not fit are refused before Meta is asked, by the field as the caller wrote it."""

import pytest

from services.messaging.domain.payloads import Renderable
from services.messaging.domain.templates import ApprovedTemplate
from tests.messaging.domain.made import (
    CODE_BODY,
    COPY_CODE,
    NOW_MS,
    OFFER,
    OTP,
    approved,
    body,
    buttons,
    quick_reply,
    url,
)
from tests.messaging.domain.refused import Row, assert_refused, coupon, link, reply, sent

ONE = approved(body("Hello {{1}}."))
PLAIN = approved(body("Hello."))
REPLIES = approved(body("Hello."), buttons(url("https://example.com"), quick_reply("Yes"), quick_reply("No")))
LINK = approved(body("Hello."), buttons(quick_reply("Yes"), url()))
LINKS = approved(body("Hello."), buttons(quick_reply("Yes"), url(), url("https://b.example.com/{{1}}", "Blog")))
COUPON = approved(body("Hello."), buttons(COPY_CODE))
CODE = approved(CODE_BODY, buttons(OTP), category="AUTHENTICATION")
LIMITED = approved(OFFER, body("Hello {{1}}."))


ROWS: list[Row] = [
    # Buttons without a place, without a value, or with an ambiguous one
    (PLAIN, sent(buttons=(reply(0),)), "template.buttons[0]", "the approved template has no quick-reply button"),
    (
        REPLIES,
        sent(buttons=(link(0),)),
        "template.buttons[0]",
        "the approved template has no URL button with a variable",
    ),
    (PLAIN, sent(copy_code="SAVE10"), "template.copy_code", "the approved template has no copy-code button"),
    (
        REPLIES,
        sent(buttons=(reply(0), reply(1))),
        "template.buttons[0]",
        "button 0 of the approved template is no quick-reply button; look at 1, 2",
    ),
    (
        REPLIES,
        sent(buttons=(reply(0),)),
        "template.buttons[0]",
        "button 0 of the approved template is no quick-reply button; look at 1, 2",
    ),
    (
        LINK,
        sent(buttons=(link(1), link(2))),
        "template.buttons[1]",
        "button 2 of the approved template is no URL button with a variable; look at 1",
    ),
    (
        REPLIES,
        sent(buttons=(reply(1), reply(1))),
        "template.buttons[1]",
        "button 1 has its value from template.buttons[0] already",
    ),
    (
        approved(body("Hello."), buttons(COPY_CODE, COPY_CODE)),
        sent(copy_code="SAVE10"),
        "template.copy_code",
        "the approved template has more than one copy-code button (0, 1); name one by its index",
    ),
    (
        COUPON,
        sent(buttons=(coupon(0),), copy_code="SAVE10"),
        "template.copy_code",
        "button 0 has its value from template.buttons[0] already",
    ),
    (REPLIES, sent(buttons=(reply(1, ""),)), "template.buttons[0].payload", "must not be empty"),
    (
        REPLIES,
        sent(buttons=(reply(1, "x" * 257),)),
        "template.buttons[0].payload",
        "must be at most 256 characters, got 257",
    ),
    (
        LINK,
        sent(),
        "template.buttons",
        'a url value is required for button 1 ("Shop") of the approved template',
    ),
    (
        LINKS,
        sent(buttons=(link(1),)),
        "template.buttons",
        'a url value is required for button 2 ("Blog") of the approved template',
    ),
    (LINK, sent(buttons=(reply(0), link(1, None))), "template.buttons[1].url", "must not be empty"),
    (LINK, sent(buttons=(reply(0), link(1, ""))), "template.buttons[1].url", "must not be empty"),
    (
        LINK,
        sent(buttons=(reply(0), link(1, "https://shop.example.com/x"))),
        "template.buttons[1].url",
        "must be what follows https://shop.example.com/ in the approved template, not the whole link",
    ),
    (
        LINK,
        sent(buttons=(link(1, "x" * 1976),)),
        "template.buttons[0].url",
        "must be at most 1975 characters, got 1976",
    ),
    (
        approved(body("Hello."), buttons({"type": "MPM", "text": "View items"})),
        sent(),
        "template.buttons",
        'the approved template\'s button "View items" cannot be filled here',
    ),
    # Codes
    (
        COUPON,
        sent(),
        "template.copy_code",
        'a code is required for button 0 ("Copy offer code") of the approved template',
    ),
    (COUPON, sent(copy_code="x" * 21), "template.copy_code", "must be at most 20 characters, got 21"),
    (COUPON, sent(buttons=(coupon(0, None),)), "template.buttons[0].payload", "must not be empty"),
    (
        COUPON,
        sent(buttons=(coupon(0, "x" * 21),)),
        "template.buttons[0].payload",
        "must be at most 20 characters, got 21",
    ),
    (CODE, sent(), "template.body.variables", "expected 1 value, got 0"),
    (CODE, sent(copy_code="x" * 16), "template.copy_code", "must be at most 15 characters, got 16"),
    (CODE, sent(copy_code=""), "template.copy_code", "must not be empty"),
    (CODE, sent(variables=("x" * 16,)), "template.body.variables", "must be at most 15 characters, got 16"),
    (
        CODE,
        sent(variables=("x" * 16,), copy_code="x" * 16),
        "template.copy_code",
        "must be at most 15 characters, got 16",
    ),
    (
        CODE,
        sent(variables=("111111",), copy_code="222222"),
        "template.copy_code",
        "must be the code that template.body.variables shows",
    ),
    (
        CODE,
        sent(buttons=(link(0, "111111"),), copy_code="111111"),
        "template.copy_code",
        "button 0 has its value from template.buttons[0] already",
    ),
    # Offers
    (
        LIMITED,
        sent(variables=("a",)),
        "template.lto.expiration_time_ms",
        "required, because the approved template's offer expires",
    ),
    (
        ONE,
        sent(variables=("a",), lto_expiration_time_ms=NOW_MS + 1),
        "template.lto",
        "the approved template has no limited-time offer",
    ),
]


@pytest.mark.parametrize(("template", "content", "field", "message"), ROWS)
def test_button_values_that_do_not_fit_the_approved_template_are_refused_by_field(
    template: ApprovedTemplate, content: Renderable, field: str, message: str
) -> None:
    assert_refused(template, content, field, message)
