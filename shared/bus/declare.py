"""Declares the topology (shared/bus/topology.py) on a broker; on one that has it already, nothing changes."""

from aiormq.abc import AbstractChannel
from pamqp.common import FieldTable

from shared.bus import topology
from shared.bus.topology import QUEUES, RETRY_SECONDS, Queue, exchange_for, retry_exchange

# At-least-once dead-lettering needs a queue that refuses rather than forgets when it is full.
_NOTHING_IS_LOST: FieldTable = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


async def declare_topology(channel: AbstractChannel) -> None:
    """Declare every exchange, queue and binding.

    All of them in every service, so that no event is lost before its listener's first start.
    """
    await _declare_exchanges(channel)
    for seconds in RETRY_SECONDS:
        await _declare_retry_tier(channel, seconds)
    for queue in QUEUES:
        await _declare_queue(channel, queue)


async def _declare_exchanges(channel: AbstractChannel) -> None:
    for name in (topology.COMMANDS, topology.QUERIES, topology.EVENTS, topology.STREAM):
        await channel.exchange_declare(name, exchange_type="topic", durable=True)
    await channel.exchange_declare(topology.DEAD_LETTERS, exchange_type="direct", durable=True)


async def _declare_retry_tier(channel: AbstractChannel, seconds: int) -> None:
    """A message waits here and goes home to the queue that its routing key names, through the default exchange.

    One time to live for the whole queue: with a time for each message a long one would hold up the short ones behind.
    """
    name = retry_exchange(seconds)
    await channel.exchange_declare(name, exchange_type="fanout", durable=True)
    arguments: FieldTable = {
        "x-queue-type": "quorum",
        "x-message-ttl": seconds * 1000,
        "x-dead-letter-exchange": "",
        **_NOTHING_IS_LOST,
    }
    await channel.queue_declare(name, durable=True, arguments=arguments)
    await channel.queue_bind(name, name)


async def _declare_queue(channel: AbstractChannel, queue: Queue) -> None:
    await channel.queue_declare(queue.dead_letters, durable=True, arguments={"x-queue-type": "quorum"})
    await channel.queue_bind(queue.dead_letters, topology.DEAD_LETTERS, queue.name)
    arguments: FieldTable = {
        "x-dead-letter-exchange": topology.DEAD_LETTERS,
        "x-dead-letter-routing-key": queue.name,
        "x-max-length": topology.MAX_LENGTH,
    }
    await channel.queue_declare(queue.name, durable=True, arguments=arguments | _lasting(queue))
    for message in queue.messages:
        await channel.queue_bind(queue.name, exchange_for(message), message.message_type)


def _lasting(queue: Queue) -> FieldTable:
    """What keeps messages, or only refuses what is too much: a query's caller has gone when the broker is back."""
    if queue.is_for_queries:
        return {"x-queue-type": "classic", "x-overflow": "reject-publish"}
    return {"x-queue-type": "quorum", "x-delivery-limit": topology.DELIVERY_LIMIT, **_NOTHING_IS_LOST}
