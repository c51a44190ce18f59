"""One running product for all system tests, which run one after the other; what a test stops, it starts again."""

import io
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.product.running import Product
from tests.product.tenants import Line, Tenant, add_tenant

_numbers = count(1)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole product under a directory of its own, on free ports. What the supervisor says is in its progress."""
    with Product.running(tmp_path_factory.mktemp("product"), out=io.StringIO()) as product:
        yield product


@pytest.fixture
def tenant(stack: Product) -> Tenant:
    """A user of the test's own, with a number, a key, templates and a webhook."""
    return add_tenant(stack.api, next(_numbers))


@pytest.fixture
def line(tenant: Tenant) -> Line:
    """The tenant's phone number."""
    return tenant.lines[0]


@pytest.fixture
def agent(stack: Product, tenant: Tenant, line: Line) -> dict[str, Any]:
    """The agent on the tenant's number, with a registered prompt; it answers at once."""
    prompt = {
        "user_id": tenant.user_id,
        "prompt_id": "prompt_shop",
        "instructions": "You help the customers of a shop.",
    }
    stack.api.made("/admin/prompts", prompt)
    body = {
        "user_id": tenant.user_id,
        "phone_number_id": line.phone_number_id,
        "prompt_id": "prompt_shop",
        "name": "Bo",
    }
    made = stack.api.made("/api/v1/agents", body)
    answer = stack.api.call("PATCH", f"/api/v1/agents/{made['agent_id']}", {"debounce_ms": 300})
    assert answer.is_success, answer.text
    return made
