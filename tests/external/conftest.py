"""One product for all tests of this folder; each test makes tenants of its own."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Client
from tests.external.product import Product, Tenant, running
from tests.servers import RealServers, fresh_name


@pytest.fixture(scope="session")
async def product(servers: RealServers, mongodb_client: Client) -> AsyncIterator[Product]:
    """The product, on a virtual host and databases of its own."""
    name = fresh_name()
    try:
        async with running(servers, servers.add_vhost(name), mongodb_client[name]) as product:
            yield product
    finally:
        servers.delete_vhost(name)


@pytest.fixture(scope="session")
async def tenant(product: Product) -> Tenant:
    """A tenant with the templates that every account at Meta starts with."""
    return await product.add_tenant()
