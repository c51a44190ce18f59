"""What tests of agents may ask for."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from tests.agents.stage import Stage, stage_on


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Agents beside messaging's numbers, with number pn_1."""
    async with stage_on(database) as ready:
        yield ready
