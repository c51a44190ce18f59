"""A stage for every test of the service."""

import pytest

from shared.mongo import Database
from tests.campaigns.stage import Stage, stage_on


@pytest.fixture
async def stage(database: Database) -> Stage:
    """Campaigns with one number and one template."""
    return await stage_on(database)
