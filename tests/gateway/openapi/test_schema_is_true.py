"""The schema of a send request says what is accepted: never less, and more only where JSON Schema has no words."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.openapi.files import EXTERNAL, file_text
from services.gateway.schemas.send import SEND_BODY
from tests.gateway.openapi.agreeing import EDGES, Described, change
from tests.gateway.schemas.bodies import CARDS, TEXT
from tests.gateway.schemas.test_any_body import ANY_JSON, places

DOCUMENT = json.loads(file_text(EXTERNAL))
DESCRIBED = Described.of(DOCUMENT, "SendMessageBody", SEND_BODY)
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
NO_LINKS = ("x", "ftp://x.io", "https://", "https:///x", "https://a b", f"https://x.io/{'x' * 2000}")


@pytest.mark.thorough
@pytest.mark.parametrize("name", BODIES)
def test_schema_and_api_agree_whatever_stands_in_any_one_place(name: str) -> None:
    DESCRIBED.check_edges(BODIES[name])


@pytest.mark.parametrize("name", BODIES)
def test_the_schema_by_itself_refuses_what_is_no_link(name: str) -> None:
    for number, (container, key) in enumerate(places(BODIES[name])):
        if key != "url" or not container[key].startswith("https://"):
            continue
        for value in NO_LINKS:
            body = copy.deepcopy(BODIES[name])
            change(*places(body)[number], value)
            assert not DESCRIBED.schema.is_valid(body), value


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
    DESCRIBED.check(body)
