"""Pieces of answers on their way to whoever watches: unconfirmed, unstored, dropped where nobody listens.

A topic for each web chat session. Nothing may depend on a delta's arrival; what has to arrive is an event.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Protocol

import structlog
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic
from pydantic import ValidationError

from shared.bus.connection import AMQP_FAILURES, Link, Session, cancelled_only_by_us, describe
from shared.bus.topology import STREAM
from shared.contracts.turns import TextDelta

log = structlog.get_logger()

WAITING_DELTAS = 1_000  # of one listener; what it does not take in time is dropped
STEP_SECONDS = 1  # a delta that could not be handed over by then is no longer worth it

Deltas = asyncio.Queue[TextDelta]


class Stream(Protocol):
    """Deltas by topic. `RabbitStream` and `MemoryStream` both answer to it."""

    async def publish(self, topic: str, delta: TextDelta) -> None:
        """Tell those who listen now. Raises nothing: a delta may always be lost."""

    def listening(self, topic: str) -> AbstractAsyncContextManager[Deltas]:
        """The topic's deltas from now on, while the block lasts; fewer while the broker is away."""


class _Listeners:
    """Who in this process listens to what."""

    def __init__(self) -> None:
        self._by_topic: defaultdict[str, list[Deltas]] = defaultdict(list)

    def topics(self) -> tuple[str, ...]:
        return tuple(self._by_topic)

    def has(self, topic: str) -> bool:
        return topic in self._by_topic

    @contextmanager
    def listening(self, topic: str) -> Iterator[Deltas]:
        deltas = Deltas(WAITING_DELTAS)
        self._by_topic[topic].append(deltas)
        try:
            yield deltas
        finally:
            self._by_topic[topic].remove(deltas)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    def tell(self, topic: str, body: bytes) -> None:
        waiting = [deltas for deltas in self._by_topic.get(topic, ()) if not deltas.full()]
        if not waiting:
            return
        try:
            delta = TextDelta.model_validate_json(body)
        except ValidationError:  # of another version: the final message comes all the same
            log.debug("delta_not_understood", topic=topic)
            return
        for deltas in waiting:
            deltas.put_nowait(delta)


class MemoryStream:
    """Deltas within one process, for tests; `published` keeps what went out, in order."""

    def __init__(self) -> None:
        self.published: list[tuple[str, TextDelta]] = []
        self._listeners = _Listeners()

    async def publish(self, topic: str, delta: TextDelta) -> None:
        self.published.append((topic, delta))
        self._listeners.tell(topic, delta.model_dump_json().encode())

    @asynccontextmanager
    async def listening(self, topic: str) -> AsyncIterator[Deltas]:
        with self._listeners.listening(topic) as deltas:
            yield deltas


class RabbitStream:
    """Deltas over RabbitMQ: an exclusive queue of this process, bound to the topics it listens to now."""

    def __init__(self, url: str, service: str) -> None:
        self._link = Link(url, f"{service} streaming", self._open)
        self._listeners = _Listeners()
        self._queue = ""  # the broker names it anew on every connection

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Be connected while the block lasts; raises what `Link.open` raises."""
        async with self._link.open():
            yield

    async def publish(self, topic: str, delta: TextDelta) -> None:
        if self._link.present is None:
            return
        body = delta.model_dump_json().encode()
        properties = Basic.Properties(delivery_mode=1, content_type="application/json")

        async def hand_over() -> None:
            channel = await self._link.writable()
            await channel.basic_publish(body, exchange=STREAM, routing_key=topic, properties=properties, wait=False)

        await _try("delta_lost", hand_over)

    @asynccontextmanager
    async def listening(self, topic: str) -> AsyncIterator[Deltas]:
        try:
            with self._listeners.listening(topic) as deltas:
                await self._on_broker(lambda channel: channel.queue_bind(self._queue, STREAM, routing_key=topic))
                yield deltas
        finally:
            if not self._listeners.has(topic):
                await self._on_broker(lambda channel: channel.queue_unbind(self._queue, STREAM, routing_key=topic))

    async def _open(self, session: Session) -> Channel:
        channel = await session.channel(confirms=False)
        await channel.exchange_declare(STREAM, exchange_type="topic", durable=True)
        declared = await channel.queue_declare("", exclusive=True, auto_delete=True)
        self._queue = declared.queue or ""
        await channel.basic_consume(self._queue, self._on_delivery, no_ack=True)
        for topic in self._listeners.topics():
            await channel.queue_bind(self._queue, STREAM, routing_key=topic)
        return channel

    async def _on_delivery(self, message: DeliveredMessage) -> None:
        self._listeners.tell(message.routing_key or "", message.body)

    async def _on_broker(self, step: Callable[[Channel], Awaitable[object]]) -> None:
        """Do it on the present connection; the next one begins with whatever is listened to then."""

        async def wait_and_do() -> None:
            await step(await self._link.ready())

        await _try("stream_not_changed", wait_and_do)


async def _try(failure: str, step: Callable[[], Awaitable[None]]) -> None:
    try:
        with cancelled_only_by_us():
            async with asyncio.timeout(STEP_SECONDS):
                await step()
    except AMQP_FAILURES as error:
        log.debug(failure, reason=describe(error))


@asynccontextmanager
async def rabbit_stream(url: str, *, service: str) -> AsyncIterator[RabbitStream]:
    """A connected stream; raises BusUnavailableError or ConfigurationError as `rabbit_bus` does."""
    stream = RabbitStream(url, service)
    async with stream.connected():
        yield stream
