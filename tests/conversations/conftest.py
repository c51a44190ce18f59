"""A stage for every test of conversations."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from tests.conversations.stage import Stage


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Conversations of one number that has an agent."""
    async with Stage.set_up(database) as stage:
        yield stage
