"""Hands messages to the broker and returns when it has confirmed them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiormq.channel import Channel
from pamqp.commands import Basic

from shared.bus.connection import AMQP_FAILURES, Link, cancelled_only_by_us, describe
from shared.bus.context import WorkContext
from shared.bus.envelope import message_properties, reply_properties
from shared.bus.topology import EVENTS, exchange_for
from shared.clock import Clock
from shared.contracts.base import Message, Reply, ReplyAddress
from shared.errors import BusUnavailableError
from shared.ids import new_id

log = structlog.get_logger()

PUBLISH_SECONDS = 5  # a blocked broker never answers, so every publish has its own limit


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to leave. A mandatory one that reaches no queue counts as refused."""

    exchange: str
    routing_key: str
    body: bytes
    properties: Basic.Properties
    mandatory: bool

    @classmethod
    def of(cls, message: Message, work: WorkContext, now: datetime, deadline: datetime | None = None) -> "Outgoing":
        """A message under a new id; one with a deadline asks for a reply."""
        exchange = exchange_for(type(message))
        return cls(
            exchange=exchange,
            routing_key=message.message_type,
            body=message.model_dump_json().encode(),
            properties=message_properties(message, message_id=new_id("msg_"), work=work, now=now, deadline=deadline),
            mandatory=exchange != EVENTS,
        )


@dataclass(frozen=True, slots=True)
class PublishingChannels:
    """What a publishing connection holds open."""

    confirmed: Channel
    requests: Channel  # the broker sends replies to the channel that asked
    replies: Channel


class Publisher:
    """Publishes on the present connection of a link; many publishes at a time share its round trips."""

    def __init__(self, link: Link[PublishingChannels], now: Clock) -> None:
        self._link = link
        self._now = now

    async def publish(self, message: Outgoing) -> None:
        """Return once the broker has confirmed the message. Raises BusUnavailableError within five seconds."""
        await self._confirmed(message, lambda channels: channels.confirmed, PUBLISH_SECONDS)

    async def publish_request(self, message: Outgoing, *, timeout_seconds: float) -> None:
        """The same on the channel that hears the replies, and within the time that the caller waits."""
        await self._confirmed(message, lambda channels: channels.requests, min(timeout_seconds, PUBLISH_SECONDS))

    async def reply(self, address: ReplyAddress, reply: Reply) -> None:
        """Answer a caller if it still waits.

        Best effort and unconfirmed: the caller may be gone, and its own time limit covers a loss.
        """
        if self._now() > address.until:
            return
        try:
            with cancelled_only_by_us():
                async with asyncio.timeout(PUBLISH_SECONDS):
                    channels = await self._link.writable()
                    await channels.replies.basic_publish(
                        reply.model_dump_json().encode(),
                        routing_key=address.to,
                        properties=reply_properties(reply, address.id),
                        wait=False,
                    )
        except AMQP_FAILURES as error:
            log.debug("reply_not_sent", reply_id=address.id, reason=describe(error))

    async def _confirmed(
        self, message: Outgoing, choose: Callable[[PublishingChannels], Channel], timeout_seconds: float
    ) -> None:
        try:
            with cancelled_only_by_us():
                async with asyncio.timeout(timeout_seconds):
                    channel = choose(await self._link.writable())
                    await channel.basic_publish(
                        message.body,
                        exchange=message.exchange,
                        routing_key=message.routing_key,
                        properties=message.properties,
                        mandatory=message.mandatory,
                        wait=False,  # for the socket: the confirm is waited for, and says more
                    )
        except AMQP_FAILURES as error:
            raise BusUnavailableError(f"the broker did not take {message.routing_key}") from error
