"""A stage for every test of the service."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import UNSAFE_WRITES, Client, Database
from tests.messaging.stage import CODE_TEMPLATE, Stage, stage_on, template
from tests.servers import fresh_name


@pytest.fixture(scope="session")
async def _messaging_database(mongodb_client: Client) -> AsyncIterator[Database]:
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture
async def database(_messaging_database: Database) -> Database:
    """An empty database. Making collections and indexes takes longer than most tests, so those stay."""
    for name in await _messaging_database.list_collection_names():
        await _messaging_database.get_collection(name, write_concern=UNSAFE_WRITES).delete_many({})
    return _messaging_database


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Messaging with one number, and copies of `order_shipped` and `login_code`."""
    async with stage_on(database) as stage:
        await stage.know(template(), CODE_TEMPLATE)
        yield stage
