"""The messages that no handler could deal with: counted, looked at, handed over once more, or forgotten.

For operators, so a connection is opened for each question. A message keeps its id wherever it goes: what had been done
already is not done twice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from shared.bus.connection import AMQP_FAILURES, CONNECT_SECONDS
from shared.bus.envelope import ATTEMPT_HEADER
from shared.bus.topology import QUEUES
from shared.errors import BusUnavailableError, NotFoundError

_BROKERS_OWN = "x-"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message, without its body: that may hold what people wrote."""

    message_id: str
    type: str
    reason: str  # rejected (a handler gave it up) or delivery_limit (its consumer died of it)
    died_at: datetime | None


class DeadLetters(Protocol):
    """What an operator may do with them."""

    async def count(self) -> dict[str, int]:
        """How many there are of each work queue."""

    async def look(self, queue: str, limit: int) -> list[DeadLetter]:
        """The first of a queue. Raises NotFoundError for an unknown queue."""

    async def replay(self, queue: str) -> int:
        """Hand all that are there now over to their queue; how many."""

    async def drop(self, queue: str) -> int:
        """Forget all that are there now; how many."""


@dataclass(frozen=True, slots=True)
class RabbitDeadLetters:
    """Those of a broker."""

    url: str

    async def count(self) -> dict[str, int]:
        """How many there are of each work queue."""
        async with self._channel() as channel:
            return {queue.name: await _length(channel, queue.dead_letters) for queue in QUEUES}

    async def look(self, queue: str, limit: int) -> list[DeadLetter]:
        """The first of a queue. Each is put back at its end: giving it back would count as a failed delivery."""
        found = []
        async with self._channel() as channel:
            async for message in self._each(channel, queue, limit):
                found.append(_dead_letter(message))
                await _publish(channel, message, f"{queue}.dlq", message.headers)
                await message.ack()
        return found

    async def replay(self, queue: str) -> int:
        """Hand all that are there now over to their queue, each acknowledged only when that has confirmed it."""
        replayed = 0
        async with self._channel() as channel:
            async for message in self._each(channel, queue, None):
                kept = {name: value for name, value in message.headers.items() if not name.startswith(_BROKERS_OWN)}
                await _publish(channel, message, queue, kept | {ATTEMPT_HEADER: 0})
                await message.ack()
                replayed += 1
        return replayed

    async def drop(self, queue: str) -> int:
        """Forget all that are there now."""
        async with self._channel() as channel:
            dropped = await (await _dead_queue(channel, queue)).purge()
            return dropped.message_count or 0

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        try:
            connection = await aio_pika.connect(self.url, timeout=CONNECT_SECONDS)
        except AMQP_FAILURES as error:
            raise BusUnavailableError("The broker does not answer") from error
        async with connection:
            try:
                yield await connection.channel(publisher_confirms=True)
            except AMQP_FAILURES as error:
                raise BusUnavailableError("The broker has gone") from error

    @staticmethod
    async def _each(channel: AbstractChannel, name: str, limit: int | None) -> AsyncIterator[AbstractIncomingMessage]:
        """As many as were there at the beginning: what comes back meanwhile is not met again."""
        queue = await _dead_queue(channel, name)
        there = queue.declaration_result.message_count or 0
        for _ in range(there if limit is None else min(there, limit)):
            message = await queue.get(fail=False)
            if message is None:
                return
            yield message


async def _dead_queue(channel: AbstractChannel, name: str) -> AbstractQueue:
    queue = next((queue for queue in QUEUES if queue.name == name), None)
    if queue is None:
        raise NotFoundError("Queue not found")
    return await channel.declare_queue(queue.dead_letters, passive=True)


async def _length(channel: AbstractChannel, name: str) -> int:
    queue = await channel.declare_queue(name, passive=True)
    return queue.declaration_result.message_count or 0


async def _publish(channel: AbstractChannel, message: AbstractIncomingMessage, queue: str, headers: Any) -> None:
    copy = aio_pika.Message(
        message.body,
        headers=headers,
        content_type=message.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message.message_id,
        timestamp=message.timestamp,
        type=message.type,
    )
    await channel.default_exchange.publish(copy, queue, mandatory=True)


def _dead_letter(message: AbstractIncomingMessage) -> DeadLetter:
    deaths: Any = message.headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    died_at = last.get("time")
    return DeadLetter(
        message_id=message.message_id or "",
        type=message.type or "",
        reason=str(last.get("reason", "")),
        died_at=died_at if isinstance(died_at, datetime) else None,
    )
