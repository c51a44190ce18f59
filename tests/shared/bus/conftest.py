"""Buses for tests: opened on a broker of the test's own, closed afterwards."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from shared.bus.outcome import Patience
from shared.bus.rabbit import RabbitBus, rabbit_bus
from tests.shared.bus.broker_eye import BrokerEye

IMPATIENT = Patience(tiers=(1,), hold=0.3, shortest_pause=0.01, longest_pause=0.05, postpone=1, drain=0.2)


class OpenBus(Protocol):
    """Opens the bus of a service; its options are those of `rabbit_bus`."""

    def __call__(self, service: str, **options: Any) -> Awaitable[RabbitBus]: ...


@pytest.fixture
async def open_bus(rabbit: str) -> AsyncIterator[OpenBus]:
    """Opens buses that try once more after a second and then give up."""
    async with AsyncExitStack() as stack:

        async def open_one(service: str, patience: Patience = IMPATIENT, **options: Any) -> RabbitBus:
            return await stack.enter_async_context(rabbit_bus(rabbit, service=service, patience=patience, **options))

        yield open_one


@pytest.fixture
async def broker(rabbit: str) -> AsyncIterator[BrokerEye]:
    """A look at the queues that does not go through our bus."""
    async with BrokerEye.open(rabbit) as eye:
        yield eye
