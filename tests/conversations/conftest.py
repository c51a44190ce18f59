"""A stage for every test of conversations."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import UNSAFE_WRITES, Client, Database
from tests.conversations.stage import Stage
from tests.servers import fresh_name


@pytest.fixture(scope="session")
async def _conversations_database(mongodb_client: Client) -> AsyncIterator[Database]:
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture
async def database(_conversations_database: Database) -> Database:
    """An empty database. Making collections and indexes takes longer than most tests, so those stay."""
    for name in await _conversations_database.list_collection_names():
        await _conversations_database.get_collection(name, write_concern=UNSAFE_WRITES).delete_many({})
    return _conversations_database


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Conversations of one number that has an agent."""
    async with Stage.set_up(database) as stage:
        yield stage
