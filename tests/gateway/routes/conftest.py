"""The gateway with the owners of what its routes show."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Client, Database
from tests.emptying import empty
from tests.gateway.joined import Joined, joined_on
from tests.servers import fresh_name


@pytest.fixture(scope="session")
async def _joined_database(mongodb_client: Client) -> AsyncIterator[Database]:
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture
async def joined_database(_joined_database: Database) -> Database:
    """An empty database. Making collections and indexes takes longer than most tests, so those stay."""
    await empty(_joined_database)
    return _joined_database


@pytest.fixture
async def joined(joined_database: Database) -> AsyncIterator[Joined]:
    """Gateway, numbers, agents and the sandbox, with user usr_456 and nothing else."""
    async with joined_on(joined_database) as ready:
        await ready.make_user()
        yield ready
