"""A stage for every test of the service."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import UNSAFE_WRITES, Client, Database
from tests.campaigns.stage import Stage, stage_on
from tests.servers import fresh_name


@pytest.fixture(scope="session")
async def _campaigns_database(mongodb_client: Client) -> AsyncIterator[Database]:
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture
async def database(_campaigns_database: Database) -> Database:
    """An empty database. Making collections and indexes takes longer than most tests, so those stay."""
    for name in await _campaigns_database.list_collection_names():
        await _campaigns_database.get_collection(name, write_concern=UNSAFE_WRITES).delete_many({})
    return _campaigns_database


@pytest.fixture
async def stage(database: Database) -> Stage:
    """Campaigns with one number and one template."""
    return await stage_on(database)
