"""Takes messages from a service's queues and has them handled, as many at a time as each queue says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel

from shared.bus.acker import Acker
from shared.bus.connection import AMQP_FAILURES, CLOSE_SECONDS, Link, Session, cancelled_only_by_us, describe, end
from shared.bus.declare import declare_topology
from shared.bus.envelope import Delivery
from shared.bus.handling import Handling
from shared.bus.inbox import Inbox
from shared.bus.retrier import Call
from shared.bus.topology import Queue

log = structlog.get_logger()


class Subscription:
    """One queue on one channel, from the first delivery to the loss of the channel or the end of the service."""

    def __init__(
        self, queue: Queue, session: Session, channel: Channel, handling: Handling, calls: set[asyncio.Task[None]]
    ) -> None:
        self._queue = queue
        self._channel = channel
        self._handling = handling
        self._all_calls = calls
        self._calls: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(queue.concurrency or queue.prefetch)
        self._inbox = Inbox(self._group_limit, is_busy=lambda: bool(self._calls), company_seconds=queue.company_seconds)
        self._acker = Acker(channel)
        self._collector = asyncio.create_task(self._collect(), name=f"bus {queue.name}")
        self._consumer_tag = ""
        channel.on_consumer_cancel_callbacks.add(lambda _: session.give_up(f"{queue.name} is gone"))
        session.lost.add_done_callback(lambda _: self._abandon())
        for task in (self._collector, self._acker.writer):
            task.add_done_callback(partial(_end_with, session))

    async def start(self) -> None:
        """Ask the broker for messages."""
        await self._channel.basic_qos(prefetch_count=self._queue.prefetch)
        answer = await self._channel.basic_consume(self._queue.name, self._on_delivery)
        self._consumer_tag = answer.consumer_tag or ""

    async def stop(self) -> None:
        """Take no more; what nobody has begun with goes back when the channel closes."""
        self._collector.cancel()
        with suppress(*AMQP_FAILURES), cancelled_only_by_us():
            await self._channel.basic_cancel(self._consumer_tag, timeout=CLOSE_SECONDS)

    async def close(self) -> None:
        """Acknowledge what has been dealt with."""
        if self._acker.is_open:
            await self._acker.close()

    async def _on_delivery(self, message: DeliveredMessage) -> None:
        delivery = Delivery(message)
        self._acker.delivered(delivery.tag)
        self._inbox.put(delivery)

    async def _collect(self) -> None:
        while True:
            await self._free.acquire()
            deliveries = await self._inbox.take()
            task = asyncio.create_task(self._handling.handle(Call(self._queue, self._acker, deliveries)))
            for calls in (self._calls, self._all_calls):
                calls.add(task)
            task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._free.release()
        for calls in (self._calls, self._all_calls):
            calls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("handling_failed", queue=self._queue.name, exc_info=error)

    def _group_limit(self, message_type: str) -> int:
        return self._queue.group_limit if message_type in self._handling.routes.grouped else 1

    def _abandon(self) -> None:
        """The channel is lost: calls under way go on, but what waits here will be delivered again."""
        self._collector.cancel()
        self._acker.abandon()


def _end_with(session: Session, task: asyncio.Task[None]) -> None:
    """A queue without its collector or acker would stand still unnoticed; a new connection brings new ones."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("consuming_failed", task=task.get_name(), exc_info=error)
        session.give_up(describe(error))


class Consumer:
    """Everything a service consumes, over one connection."""

    def __init__(self, url: str, service: str, queues: Sequence[Queue], handling: Handling) -> None:
        self._queues = queues
        self._handling = handling
        self._link = Link(url, f"{service} consuming", self._subscribe)
        self._calls: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Consume while the block lasts, then let the calls under way finish."""
        async with self._link.open():
            try:
                yield
            finally:
                await self._drain()

    async def check(self) -> None:
        """Return once the queues are being consumed. Give it a timeout."""
        await self._link.ready()

    async def _subscribe(self, session: Session) -> list[Subscription]:
        subscriptions: list[Subscription] = []
        if self._handling.stopping.is_set():  # the connection came back while the last calls finish
            return subscriptions
        for queue in self._queues:
            channel = await session.channel(confirms=False)
            if not subscriptions:  # the queues may have gone with the connection
                await declare_topology(channel)
            subscriptions.append(Subscription(queue, session, channel, self._handling, self._calls))
        for subscription in subscriptions:
            await subscription.start()
        return subscriptions

    async def _drain(self) -> None:
        self._handling.stopping.set()
        subscriptions = self._link.present or []
        await asyncio.gather(*(each.stop() for each in subscriptions))
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=self._handling.patience.drain)
            if late:
                log.warning("calls_cut_short", calls=len(late))
            await end(late)
        await asyncio.gather(*(each.close() for each in subscriptions))
