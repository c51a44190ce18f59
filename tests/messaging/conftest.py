"""A stage for every test of the service."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from tests.messaging.stage import CODE_TEMPLATE, Stage, stage_on, template


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Messaging with one number, and copies of `order_shipped` and `login_code`."""
    async with stage_on(database) as stage:
        await stage.know(template(), CODE_TEMPLATE)
        yield stage
