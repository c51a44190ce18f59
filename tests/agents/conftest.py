"""What tests of agents may ask for."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import UNSAFE_WRITES, Client, Database
from tests.agents.stage import Stage, stage_on
from tests.servers import fresh_name


@pytest.fixture(scope="session")
async def _agents_database(mongodb_client: Client) -> AsyncIterator[Database]:
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture
async def database(_agents_database: Database) -> Database:
    """An empty database. Making collections and indexes takes longer than most tests, so those stay."""
    for name in await _agents_database.list_collection_names():
        await _agents_database.get_collection(name, write_concern=UNSAFE_WRITES).delete_many({})
    return _agents_database


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Agents beside messaging's numbers, with number pn_1."""
    async with stage_on(database) as ready:
        yield ready
