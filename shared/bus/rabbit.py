"""The bus on RabbitMQ: two connections, one to publish on and one to consume from, both kept alive.

A broker that is short of memory stops reading from connections that publish; acknowledgements must not wait behind
that, so they have a connection of their own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from shared.bus.connection import Link, Session
from shared.bus.consumer import Consumer
from shared.bus.context import current_work
from shared.bus.declare import declare_topology
from shared.bus.handling import Handling, Routes
from shared.bus.outcome import Patience
from shared.bus.port import GroupHandler, Handler, MessageT
from shared.bus.publisher import Outgoing, Publisher, PublishingChannels
from shared.bus.requester import Requester
from shared.bus.retrier import Retrier
from shared.bus.topology import Queue, queues_of
from shared.clock import Clock, utc_now
from shared.contracts.base import Event, Message, Reply, ReplyAddress, ReplyT, Request
from shared.errors import BusUnavailableError

log = structlog.get_logger()

CHECK_SECONDS = 1


class RabbitBus:
    """See shared.bus.port.Bus for what its calls promise."""

    def __init__(
        self, url: str, *, service: str, transient: tuple[type[Exception], ...], patience: Patience, now: Clock
    ) -> None:
        self._url = url
        self._service = service
        self._transient = transient
        self._patience = patience
        self._now = now
        self._routes = Routes()
        self._link = Link(url, f"{service} publishing", self._open_channels)
        self._publisher = Publisher(self._link, now)
        self._requester = Requester(self._publisher, now)
        self._consumer: Consumer | None = None

    def on(self, message_type: type[MessageT], handler: Handler[MessageT]) -> None:
        self._require_place(message_type)
        self._routes.single[message_type.message_type] = handler

    def on_group(self, message_type: type[MessageT], handler: GroupHandler[MessageT]) -> None:
        self._require_place(message_type)
        self._routes.grouped[message_type.message_type] = handler

    async def publish(self, *events: Event) -> None:
        work, now = current_work(), self._now()
        outgoing = [Outgoing.of(event, work, now) for event in events]
        if len(outgoing) == 1:
            await self._publisher.publish(outgoing[0])
            return
        results = await asyncio.gather(*map(self._publisher.publish, outgoing), return_exceptions=True)
        for failure in filter(None, results):
            raise failure

    async def send(self, command: Request[Any]) -> None:
        await self._publisher.publish(Outgoing.of(command, current_work(), self._now()))

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        return await self._requester.request(request, timeout_seconds=timeout_seconds)

    async def reply(self, address: ReplyAddress, reply: Reply) -> None:
        await self._publisher.reply(address, reply)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Be connected while the block lasts; raises what `Link.open` raises."""
        async with self._link.open():
            yield

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        """Consume the queues of everything registered while the block lasts.

        On the way out no more is taken, and calls under way have 25 s to finish; what is left goes back to its queue.
        """
        queues = [
            queue
            for queue in queues_of(self._service)
            if any(message.message_type in self._routes for message in queue.messages)
        ]
        if not queues:
            yield
            return
        self._report_unhandled(queues)
        consumer = Consumer(self._url, self._service, queues, self._new_handling())
        async with consumer.running():
            self._consumer = consumer
            try:
                yield
            finally:
                self._consumer = None

    async def check(self) -> None:
        """Raise BusUnavailableError unless messages can leave and (while consuming) come in now."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._link.writable()
                if self._consumer is not None:
                    await self._consumer.check()
        except TimeoutError as error:
            raise BusUnavailableError("not connected to the broker, or blocked by it") from error

    async def _open_channels(self, session: Session) -> PublishingChannels:
        confirmed = await session.channel(confirms=True)
        await declare_topology(confirmed)
        channels = PublishingChannels(
            confirmed=confirmed,
            requests=await session.channel(confirms=True),
            replies=await session.channel(confirms=False),
        )
        await self._requester.listen(channels.requests)
        return channels

    def _new_handling(self) -> Handling:
        stopping = asyncio.Event()
        retrier = Retrier(self._publisher, self._patience, stopping)
        return Handling(self._routes, self._publisher, retrier, self._patience, self._transient, self._now, stopping)

    def _report_unhandled(self, queues: list[Queue]) -> None:
        for queue in queues:
            names = [each.message_type for each in queue.messages if each.message_type not in self._routes]
            if names:
                log.warning("messages_without_handler", queue=queue.name, types=names)

    def _require_place(self, message_type: type[Message]) -> None:
        """Refuse what could never be called, and what would be called in place of another."""
        name = message_type.message_type
        if name in self._routes:
            raise ValueError(f"{name} has a handler already")
        if not any(message_type in queue.messages for queue in queues_of(self._service)):
            raise ValueError(f"no queue of {self._service} takes {name}")


@asynccontextmanager
async def rabbit_bus(
    url: str,
    *,
    service: str,
    transient: tuple[type[Exception], ...] = (),
    patience: Patience | None = None,
    now: Clock = utc_now,
) -> AsyncIterator[RabbitBus]:
    """A connected bus, with all topology declared.

    `transient` are the errors of a database that is away: messages are kept in hand meanwhile. Raises
    BusUnavailableError when the broker does not answer within half a minute, ConfigurationError when it refuses us.
    """
    bus = RabbitBus(url, service=service, transient=transient, patience=patience or Patience(), now=now)
    async with bus.connected():
        yield bus
