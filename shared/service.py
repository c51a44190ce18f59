"""What every service's `main` begins and ends with: its database, the bus, and the operations listener."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from shared.bus.rabbit import RabbitBus, rabbit_bus
from shared.mongo import TRANSIENT_ERRORS, Database, connect, database_of, ping_primary
from shared.settings import Settings
from shared.web.ops import Readiness, ops_app
from shared.web.server import serving


class NotStartedError(Exception):
    """The service is connected, but does not take messages or requests yet."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is connected and observed, and takes no messages yet."""

    database: Database
    bus: RabbitBus
    readiness: Readiness
    _started: asyncio.Event = field(repr=False)

    async def until(self, stop: asyncio.Event) -> None:
        """Take messages until `stop` is set; what is in hand then is finished before this returns."""
        async with self.bus.consuming():
            self._started.set()
            await stop.wait()
            self.readiness.drain()


@asynccontextmanager
async def running(service: str, settings: Settings, ops_bind: str) -> AsyncIterator[Running]:
    """Connect a service to its own database and the bus, and serve its operations listener while the block lasts."""
    async with AsyncExitStack() as stack:
        client = await connect(settings.mongodb_url.get_secret_value(), app_name=service)
        stack.push_async_callback(client.close)
        amqp_url = settings.amqp_url.get_secret_value()
        bus = await stack.enter_async_context(rabbit_bus(amqp_url, service=service, transient=TRANSIENT_ERRORS))

        async def primary_answers() -> None:
            await ping_primary(client)

        started = asyncio.Event()

        async def has_started() -> None:
            if not started.is_set():  # its own listeners may not be open yet, though this one is
                raise NotStartedError

        readiness = Readiness({"mongodb": primary_answers, "rabbitmq": bus.check, "started": has_started})
        await stack.enter_async_context(serving(ops_app(service, readiness), ops_bind))
        yield Running(database_of(client, service, prefix=settings.database_prefix), bus, readiness, started)
