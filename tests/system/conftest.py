"""One running product for all system tests; what a test stops, it starts again."""

import io
from collections.abc import Iterator
from itertools import count

import pytest

from tests.product.running import Product
from tests.product.tenants import Line, Tenant, add_tenant

_numbers = count(1)


@pytest.fixture(scope="session")
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
