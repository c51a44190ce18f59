"""Variables are found where Meta's components have gaps, and keep what people wrote on them."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from services.templates.domain.variables import Placeholder, placeholders, template_variables

BODY = {
    "type": "BODY",
    "text": "Hi {{1}}, order {{2}} is {{1}}.",
    "example": {"body_text": [["Ana", "A-1042"]]},
}
NAMED_BODY = {
    "type": "BODY",
    "text": "Hi {{first_name}}, your order {{order_id}} left.",
    "example": {
        "body_text_named_params": [
            {"param_name": "order_id", "example": "A-1042"},
            {"param_name": "first_name", "example": "Ana"},
        ]
    },
}
OTP_BUTTON = {"type": "URL", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?code=otp{{1}}"}


def numbered() -> Callable[[str], str]:
    """Ids that count, so that expected values can be written out."""
    numbers = count(1)
    return lambda prefix: f"{prefix}{next(numbers)}"


@pytest.mark.parametrize(
    ("components", "category", "expected"),
    [
        pytest.param(
            [BODY], "UTILITY", [Placeholder("BODY", 1, None, "Ana"), Placeholder("BODY", 2, None, "A-1042")], id="body"
        ),
        pytest.param(
            [NAMED_BODY],
            "UTILITY",
            [
                Placeholder("BODY", 1, "first_name", "Ana", by_name=True),
                Placeholder("BODY", 2, "order_id", "A-1042", by_name=True),
            ],
            id="named body",
        ),
        pytest.param(
            [{"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["12345"]}}],
            "UTILITY",
            [Placeholder("HEADER", 1, None, "12345")],
            id="header",
        ),
        pytest.param(
            [
                {
                    "type": "HEADER",
                    "format": "TEXT",
                    "text": "From {{ sale_start }}",
                    "example": {"header_text_named_params": [{"param_name": "sale_start", "example": "1 December"}]},
                }
            ],
            "MARKETING",
            [Placeholder("HEADER", 1, "sale_start", "1 December", by_name=True)],
            id="named header",
        ),
        pytest.param(
            [
                {
                    "type": "BUTTONS",
                    "buttons": [
                        {"type": "QUICK_REPLY", "text": "Help"},
                        {
                            "type": "URL",
                            "text": "Track",
                            "url": "https://acme.example/t/{{1}}",
                            "example": ["https://acme.example/t/12345"],
                        },
                        {"type": "URL", "text": "Shop", "url": "https://acme.example/"},
                        {"type": "URL", "text": "More", "url": "https://acme.example/{{1}}", "example": ["sale"]},
                    ],
                }
            ],
            "UTILITY",
            [Placeholder("BUTTON", 1, None, "12345"), Placeholder("BUTTON", 3, None, "sale")],
            id="URL buttons by their index among all buttons",
        ),
        pytest.param(
            [{"type": "HEADER", "format": "IMAGE"}, {"type": "FOOTER", "text": "{{1}}"}], "UTILITY", [], id="none"
        ),
        pytest.param(
            [{"type": "BODY", "add_security_recommendation": True}, {"type": "BUTTONS", "buttons": [OTP_BUTTON]}],
            "AUTHENTICATION",
            [Placeholder("BODY", 1, "code", None)],
            id="a code that Meta words itself",
        ),
        pytest.param(
            [
                {"type": "BODY", "text": "*{{1}}* is your code.", "example": {"body_text": [["123456"]]}},
                {"type": "BUTTONS", "buttons": [OTP_BUTTON]},
            ],
            "AUTHENTICATION",
            [Placeholder("BODY", 1, None, "123456")],
            id="a code is one value though body and button carry it",
        ),
        pytest.param(
            [{"type": "body", "text": "{{1}}", "example": {"body_text": "odd"}}, {"type": "buttons", "buttons": None}],
            "UTILITY",
            [Placeholder("BODY", 1, None, None)],
            id="odd examples and lower case are tolerated",
        ),
        pytest.param(
            [{"type": "CAROUSEL", "cards": [{"components": [BODY]}]}], "MARKETING", [], id="cards are left out"
        ),
    ],
)
def test_gaps_are_found(components: list[dict[str, Any]], category: str, expected: list[Placeholder]) -> None:
    assert list(placeholders(components, category)) == expected


def test_new_variables_get_neutral_or_metas_own_names() -> None:
    header = {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://acme.example/{{1}}"}]}

    positional = template_variables([header, BODY, buttons], "UTILITY", new_id=numbered())
    named = template_variables([NAMED_BODY], "UTILITY", new_id=numbered())

    assert [(one.variable_id, one.variable_name) for one in positional] == [
        ("var_1", "header_variable_1"),
        ("var_2", "variable_1"),
        ("var_3", "variable_2"),
        ("var_4", "button_variable_0"),
    ]
    assert [one.variable_name for one in named] == ["first_name", "order_id"]
    assert [one.sample_value for one in named] == ["Ana", "A-1042"]


def test_a_known_variable_keeps_what_people_wrote_on_it() -> None:
    written = {
        "variable_name": "customer",
        "default_value": "friend",
        "description": "Who ordered",
        "is_required": False,
    }
    first = template_variables([BODY], "UTILITY", new_id=numbered())
    known = (first[0].model_copy(update=written), first[1])
    longer = {"type": "BODY", "text": "Dear {{1}}, {{2}}: {{3}}!"}

    after = template_variables([longer], "UTILITY", new_id=numbered(), known=known)

    assert after[0] == known[0]
    assert after[1] == known[1]
    assert (after[2].variable_name, after[2].position) == ("variable_3", 3)


def test_a_named_variable_is_known_by_its_name_wherever_it_moves() -> None:
    known = template_variables([NAMED_BODY], "UTILITY", new_id=numbered())
    turned = {"type": "BODY", "text": "Order {{order_id}} of {{first_name}}, and {{more}}."}

    after = template_variables([turned], "UTILITY", new_id=lambda prefix: f"{prefix}new", known=known)

    assert [(one.variable_id, one.variable_name, one.position) for one in after] == [
        ("var_2", "order_id", 1),
        ("var_1", "first_name", 2),
        ("var_new", "more", 3),
    ]
