"""Messages that are to be tried again later, and those that are given up."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from shared.bus.acker import Acker
from shared.bus.envelope import Delivery, retry_properties
from shared.bus.outcome import Patience
from shared.bus.publisher import Outgoing, Publisher
from shared.bus.topology import Queue, retry_exchange
from shared.errors import BusUnavailableError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """Deliveries of one type that one handler call deals with, and where they came from."""

    queue: Queue
    acker: Acker
    deliveries: Sequence[Delivery]

    @property
    def type(self) -> str:
        """The wire name of its messages."""
        return self.deliveries[0].type

    def ack(self) -> None:
        """All of them are dealt with."""
        self.acker.ack(each.tag for each in self.deliveries)


@dataclass(frozen=True, slots=True)
class Retrier:
    """Moves deliveries to a retry queue, which brings them back, or to the dead letters."""

    publisher: Publisher
    patience: Patience
    stopping: asyncio.Event

    async def retry(self, call: Call) -> None:
        """Try each message again after its next wait; one that has used them all is given up."""
        await asyncio.gather(*(self._retry_one(call, each) for each in call.deliveries))

    async def postpone(self, call: Call) -> None:
        """Try the messages again later without counting it as a failure of theirs."""
        await asyncio.gather(
            *(self._send_round(call, each, self.patience.postpone, each.attempt) for each in call.deliveries)
        )

    def bury(self, call: Call, delivery: Delivery, reason: str) -> None:
        """Give a delivery up: the broker moves it to the queue's dead letters."""
        log.error(
            "message_dead_lettered",
            queue=call.queue.name,
            type=delivery.type,
            message_id=delivery.properties.message_id,
            reason=reason,
        )
        call.acker.reject(delivery.tag)

    async def stops_within(self, seconds: float) -> bool:
        """Pause; True when the service is told to stop meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        return self.stopping.is_set()

    async def _retry_one(self, call: Call, delivery: Delivery) -> None:
        if delivery.attempt >= len(self.patience.tiers):
            self.bury(call, delivery, f"failed {delivery.attempt + 1} times")
        else:
            await self._send_round(call, delivery, self.patience.tiers[delivery.attempt], delivery.attempt + 1)

    async def _send_round(self, call: Call, delivery: Delivery, seconds: int, attempt: int) -> None:
        """First the confirmed publish to the retry queue, then the acknowledgement: never neither.

        While the broker does not take it, the message stays in hand. Handing it back instead would count as a delivery
        and, in a long outage, end among the dead letters.
        """
        message = Outgoing(
            exchange=retry_exchange(seconds),
            routing_key=call.queue.name,
            body=delivery.raw.body,
            properties=retry_properties(delivery.properties, attempt=attempt),
            mandatory=True,
        )
        while call.acker.is_open:
            try:
                await self.publisher.publish(message)
            except BusUnavailableError as error:
                log.warning("retry_not_taken", message_id=delivery.properties.message_id, error=str(error.__cause__))
                if await self.stops_within(self.patience.longest_pause):
                    return
            else:
                call.acker.ack([delivery.tag])
                return
