"""The schema of a send request says what is accepted: never less, and more only where JSON Schema has no words."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.openapi.files import EXTERNAL, file_text
from services.gateway.schemas.send import parse_send_body
from shared.errors import InvalidInputError
from tests.gateway.openapi.rules import is_beyond_schema
from tests.gateway.openapi.validating import reference, validator
from tests.gateway.schemas.bodies import CARDS, TEXT
from tests.gateway.schemas.test_any_body import ANY_JSON, places

DOCUMENT = json.loads(file_text(EXTERNAL))
SCHEMA = validator(DOCUMENT, reference("SendMessageBody"))
SEND = DOCUMENT["paths"]["/api/external/send-message/{encodedPhoneId}"]["post"]
SHOWN = {
    name: example["value"] for name, example in SEND["requestBody"]["content"]["application/json"]["examples"].items()
}
TEXT_HEADER = {"type": "text", "text": "Ravi", "variables": ["Ravi"]}
NAMED = {"name": "welcome", "header": TEXT_HEADER, "body": {"variables": {"customer_name": "Ravi", "amount": 5}}}
CONTACT = {"name": "Ravi", "email": "ravi@example.com", "company": "Acme"}
BODIES = SHOWN | {
    "named": {"to": "+919876543210", "type": "template", "template": NAMED},
    "contact": TEXT | {"contact": CONTACT, "preview_url": True},
    "few cards": CARDS,
}

LEFT_OUT = object()
TEXTS = (
    "",
    " ",
    "\t",
    "3",
    "09",
    "010",
    "10",
    "a\nb\nc\nd",
    "a     b",
    "url",
    "copy_code",
    "text",
    "video",
    "document",
)
LONG = tuple("x" * length for length in (21, 25, 61, 73, 161, 201, 241, 257, 501, 513, 1025, 2001, 4097))
LINKS = ("https://x.io", "HTTPS://X.IO", "http://x.io", "https://:80", "https://", "https://a b", "ftp://x.io")
NUMBERS = (0, 9, 10, -1, 1.0, 1.5, 91, -181, 10**20)
NO_LINKS = ("x", "ftp://x.io", "https://", "https:///x", "https://a b", f"https://x.io/{'x' * 2000}")
OTHERS: tuple[Any, ...] = (None, True, [], {}, [None], [1, 2.5, "x"], {"$a": 1}, {"a.b": 1}, {"a": "b"}, {"a": "\n"})
EDGES = (LEFT_OUT, *TEXTS, *LONG, *LINKS, *NUMBERS, *OTHERS, "+14155550123", "+1415555", "a..b@example.com")


def change(container: Any, key: Any, value: Any) -> None:
    """Put a value into a place, or clear the place."""
    if value is not LEFT_OUT:
        container[key] = copy.deepcopy(value)
    elif isinstance(container, dict):
        del container[key]


def refusal_of(body: Any) -> list[str]:
    """Why the API refuses a body; empty when it does not."""
    try:
        parse_send_body(body, local=False)
    except InvalidInputError as error:
        return [detail["message"] for detail in error.details]
    return []


def check(body: Any) -> None:
    """API and schema agree on a body."""
    refusal, allowed = refusal_of(body), SCHEMA.is_valid(body)

    assert allowed or refusal, f"accepted, although the schema refuses it: {body}"
    assert not allowed or all(map(is_beyond_schema, refusal)), f"refused, although the schema allows it: {refusal}"


@pytest.mark.parametrize("name", BODIES)
def test_schema_and_api_agree_whatever_stands_in_any_one_place(name: str) -> None:
    for number in range(len(places(BODIES[name]))):
        for value in EDGES:
            body = copy.deepcopy(BODIES[name])
            change(*places(body)[number], value)
            check(body)


@pytest.mark.parametrize("name", BODIES)
def test_the_schema_by_itself_refuses_what_is_no_link(name: str) -> None:
    for number, (container, key) in enumerate(places(BODIES[name])):
        if key != "url" or not container[key].startswith("https://"):
            continue
        for value in NO_LINKS:
            body = copy.deepcopy(BODIES[name])
            change(*places(body)[number], value)
            assert not SCHEMA.is_valid(body), value


@st.composite
def odd(draw: st.DrawFn) -> Any:
    """A right body in which several places hold something else."""
    body = copy.deepcopy(draw(st.sampled_from(list(BODIES.values()))))
    for _ in range(draw(st.integers(2, 4))):
        if found := places(body):
            change(*found[draw(st.integers(0, len(found) - 1))], draw(st.sampled_from(EDGES) | ANY_JSON))
    return body


@settings(max_examples=500, deadline=None)
@given(odd())
def test_schema_and_api_agree_on_several_changes_at_once(body: Any) -> None:
    check(body)
