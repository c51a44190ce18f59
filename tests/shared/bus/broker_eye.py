"""Looks at queues, and puts things into them, beside the bus: what the bus says of itself proves little."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from tests.eventually import eventually


@dataclass(frozen=True, slots=True)
class BrokerEye:
    """A plain channel to the broker."""

    channel: AbstractChannel

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["BrokerEye"]:
        """Connect for as long as the block lasts."""
        connection = await aio_pika.connect(url)
        async with connection:
            yield cls(await connection.channel())

    async def put(self, queue: str, body: bytes, **properties: Any) -> None:
        """Put a message straight into a queue."""
        await self.channel.default_exchange.publish(aio_pika.Message(body, **properties), routing_key=queue)

    async def next_in(self, queue: str) -> AbstractIncomingMessage:
        """Take the next message out of a queue; waits for it."""
        source = await self.channel.get_queue(queue, ensure=False)

        async def taken() -> AbstractIncomingMessage:
            message = await source.get(no_ack=True, fail=False)
            assert message is not None, f"nothing in {queue}"
            return message

        return await eventually(taken)

    async def require_empty(self, queue: str) -> None:
        """Fail unless nothing waits in a queue: what is put in now must be the next to come out."""
        await self.put(queue, b"marker")
        assert (await self.next_in(queue)).body == b"marker"

    async def count(self, queue: str) -> int:
        """How many messages wait in a queue."""
        found = await self.channel.declare_queue(queue, passive=True)
        return found.declaration_result.message_count or 0

    async def drop(self, queue: str) -> None:
        """Delete a queue as an operator would."""
        underlay = await self.channel.get_underlay_channel()
        await underlay.queue_delete(queue)
