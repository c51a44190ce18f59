"""Fixtures of the webhooks tests."""

from collections.abc import AsyncIterator

import pytest

from shared.mongo import Database
from tests.webhooks.receiver import Receiver
from tests.webhooks.stage import InboundStage, OutboundStage


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A vendor's receiver."""
    async with Receiver.running() as running:
        yield running


@pytest.fixture
async def outbound(database: Database) -> AsyncIterator[OutboundStage]:
    """The delivering half of webhooks."""
    async with OutboundStage.set_up(database) as stage:
        yield stage


@pytest.fixture
async def inbound(database: Database) -> InboundStage:
    """The receiving half of webhooks."""
    return await InboundStage.set_up(database)
