"""A customer writes on the phone, and the agent answers as the product runs: every service a process of its own."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.product.api import Api
from tests.product.running import Product
from tests.product.tenants import Line, Tenant
from tests.product.waiting import seen

pytestmark = pytest.mark.system

_customers = count(1)


@pytest.fixture
def customer() -> str:
    """A phone that has written to nobody yet."""
    return f"+49151770{next(_customers):05d}"


def write(api: Api, line: Line, customer: str, *texts: str) -> None:
    """The customer writes."""
    for text in texts:
        body = {"phone_number_id": line.meta_phone_number_id, "from": customer, "type": "text", "text": text}
        api.control("POST", "inbound", body)


def answers_to(api: Api, customer: str) -> list[str]:
    """What the customer has got."""
    return [message["body"]["text"]["body"] for message in api.messages_to(customer)]


def asked_with(api: Api, text: str) -> Iterator[str]:
    """What became of the requests to the model that held a text."""
    for each in api.control("GET", "openai/requests")["requests"]:
        if text in str(each["request"]["input"]):
            yield each["outcome"]


@pytest.mark.usefixtures("agent")
def test_a_question_gets_one_answer(stack: Product, line: Line, customer: str) -> None:
    write(stack.api, line, customer, "Where is my order?")

    seen(lambda: answers_to(stack.api, customer))
    write(stack.api, line, customer, "Thank you")
    seen(lambda: len(answers_to(stack.api, customer)) == 2)

    assert answers_to(stack.api, customer) == ["You wrote: Where is my order?", "You wrote: Thank you"]


def test_three_quick_messages_get_one_answer(stack: Product, line: Line, agent: dict[str, Any], customer: str) -> None:
    # Long enough for three messages to come through on a busy machine.
    changed = stack.api.call("PATCH", f"/api/v1/agents/{agent['agent_id']}", {"debounce_ms": 3000})
    assert changed.is_success, changed.text
    write(stack.api, line, customer, "Hello", "I ordered a book", "Where is it?")

    [answer] = seen(lambda: answers_to(stack.api, customer))

    assert sorted(answer.removeprefix("You wrote: ").split(" / ")) == ["Hello", "I ordered a book", "Where is it?"]


def test_a_person_who_writes_while_the_model_thinks_is_not_contradicted(
    stack: Product, tenant: Tenant, line: Line, agent: dict[str, Any], customer: str
) -> None:
    write(stack.api, line, customer, f"sim_slow_20000ms {customer}")
    seen(lambda: list(asked_with(stack.api, customer)) == ["open"])
    [conversation] = stack.api.call("GET", f"/api/v1/conversations?user_id={tenant.user_id}").json()["data"]

    path = f"/api/v1/conversations/{conversation['conversation_id']}/messages"
    answer = stack.api.call("POST", path, {"type": "text", "text": "Bea here, I will look."})

    assert answer.is_success, answer.text
    seen(lambda: list(asked_with(stack.api, customer)) == ["cancelled"])
    write(stack.api, line, customer, "Thanks, Bea")
    write(stack.api, line, f"{customer}9", "Hello")
    seen(lambda: answers_to(stack.api, f"{customer}9"))
    assert answers_to(stack.api, customer) == ["Bea here, I will look."]
