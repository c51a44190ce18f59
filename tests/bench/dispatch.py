"""How many campaign messages a second leave, by the product, by the reference and by dramatiq in turn."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.bus.port import Bus
from shared.bus.topology import EVENTS
from shared.clock import utc_now
from shared.contracts.content import TemplateContent
from shared.contracts.messaging import BatchMessage, MessagesSent, MessageStatusesChanged, SendBatch
from shared.ids import derived_hex_id
from shared.mongo import Database
from tests.bench import dramatiq_reference, reference
from tests.bench.processes import Cost, Processes
from tests.product.tenants import Tenant
from tests.product.waiting import comes_true

BATCH_SIZE = 50  # of the reference
PRODUCT_BATCH = 100  # as campaigns hands them over
DRAMATIQ_SHARE = 6  # one message in so many: more would take longer than all that it is compared with
TEMPLATE = "spring_offer"
PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Meter:
    """Counts the messages of which something was announced, from events as any listener gets them."""

    mark: bytes  # what stands in an event once for each item that counts
    announced: int = 0
    last_at: float = 0.0
    _awaited: int = 0
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_event(self, delivery: AbstractIncomingMessage) -> None:
        """Count an event's items without parsing them."""
        self.announced += delivery.body.count(self.mark)
        if self.announced >= self._awaited:
            self.last_at = time.perf_counter()
            self._reached.set()

    def expect(self, count: int) -> None:
        """Wait for so many more than were announced so far."""
        self._awaited = self.announced + count
        self._reached.clear()

    async def reached(self) -> float:
        """When the last one was announced. TimeoutError after a minute."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._reached.wait()
        return self.last_at


@dataclass(frozen=True, slots=True)
class Round:
    """How fast messages left, and what each cost."""

    messages_per_second: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class WithStatuses:
    """A round with three status webhooks for each message, which are received and applied beside the sending."""

    messages_per_second: float
    statuses_per_second: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Rounds of campaign messages, spread over all numbers of the tenant so that no number's rate is the limit."""

    bus: Bus
    channel: AbstractChannel
    meter: Meter
    read: Meter
    database: Database
    tenant: Tenant
    processes: Processes
    messages: int

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, bus: Bus, amqp_url: str, *, database: Database, tenant: Tenant, processes: Processes, messages: int
    ) -> AsyncIterator["Dispatch"]:
        """With a listener of its own to the events of both."""
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            for routing_key in (MessagesSent.message_type, reference.ROUTING_KEY):
                await queue.bind(EVENTS, routing_key)
            # The references may not have come so far yet, and what is published to no queue is gone.
            await channel.declare_queue(reference.QUEUE, durable=True, arguments=reference.QUEUE_ARGUMENTS)
            await asyncio.to_thread(dramatiq_reference.declare, amqp_url)
            meter, read = Meter(b'"wa_message_id"'), Meter(b'"status":"read"')
            await queue.consume(meter.on_event, no_ack=True)
            statuses = await channel.declare_queue(exclusive=True)
            await statuses.bind(EVENTS, MessageStatusesChanged.message_type)
            await statuses.consume(read.on_event, no_ack=True)
            yield cls(bus, channel, meter, read, database, tenant, processes, messages)

    async def product(self) -> Round:
        """The product, from the first command to the last announcement."""
        commands = self._commands(self.messages, PRODUCT_BATCH)
        with self.processes.cost_of(self.messages) as cost:
            rate = await self._timed(self.messages, asyncio.gather(*map(self.bus.send, commands)))
            await self._settled(commands[0].campaign_id)
        return Round(rate, cost)

    async def reference(self) -> Round:
        """The reference, in the same way."""
        bodies = [command.model_dump_json().encode() for command in self._commands(self.messages, BATCH_SIZE)]
        return await self._published(self.messages, reference.QUEUE, bodies)

    async def dramatiq(self) -> Round:
        """Dramatiq, in the same way, with fewer messages."""
        count = self.messages // DRAMATIQ_SHARE
        bodies = [dramatiq_reference.message_of(command) for command in self._commands(count, 1)]
        return await self._published(count, dramatiq_reference.QUEUE, bodies)

    async def product_with_statuses(self) -> WithStatuses:
        """The product while Meta reports sent, delivered and read of each message."""
        commands, began = self._commands(self.messages, PRODUCT_BATCH), time.perf_counter()
        self.read.expect(self.messages)
        with self.processes.cost_of(self.messages) as cost:
            rate = await self._timed(self.messages, asyncio.gather(*map(self.bus.send, commands)))
            statuses_per_second = 3 * self.messages / (await self.read.reached() - began)
        return WithStatuses(rate, statuses_per_second, cost)

    async def _published(self, count: int, queue: str, bodies: Sequence[bytes]) -> Round:
        publish = self.channel.default_exchange.publish
        messages = [aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT) for body in bodies]
        with self.processes.cost_of(count) as cost:
            rate = await self._timed(count, asyncio.gather(*(publish(message, queue) for message in messages)))
        return Round(rate, cost)

    async def _timed(self, count: int, handing_over: Awaitable[object]) -> float:
        """Messages a second, from the first command to the last announcement."""
        self.meter.expect(count)
        began = time.perf_counter()
        await handing_over
        return count / (await self.meter.reached() - began)

    async def _settled(self, campaign_id: str) -> None:
        """Wait until nothing is left to do for a round's messages. AssertionError if that never comes."""

        async def is_settled() -> bool:
            waiting = {"campaign_id": campaign_id, "wake_at": {"$exists": True}}
            left = await self.database["messages"].count_documents(waiting)
            return not left + await self.database["groups"].count_documents({"campaign_id": campaign_id})

        assert await comes_true(is_settled, PATIENCE_SECONDS, poll_seconds=0.2), "messages still wait for something"

    def _commands(self, count: int, batch_size: int) -> list[SendBatch]:
        campaign_id = f"camp_{secrets.token_hex(6)}"
        lines, expires_at = self.tenant.lines, utc_now() + timedelta(hours=1)
        return [
            SendBatch(
                user_id=self.tenant.user_id,
                phone_number_id=lines[number % len(lines)].phone_number_id,
                campaign_id=campaign_id,
                content=TemplateContent(name=TEMPLATE, language="en_US", variables=("Ana",)),
                items=tuple(_item(campaign_id, number * batch_size + index) for index in range(batch_size)),
                expires_at=expires_at,
            )
            for number in range(count // batch_size)
        ]


def _item(campaign_id: str, index: int) -> BatchMessage:
    recipient_id = f"rcp_{index}"
    message_id = derived_hex_id(campaign_id, recipient_id, "0")
    return BatchMessage(message_id=message_id, recipient_id=recipient_id, to=f"+49151{index:08d}")
