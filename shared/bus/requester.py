"""Asks the owner of a command or query and waits for the reply, which comes straight to the asking channel."""

import asyncio
from datetime import timedelta
from typing import cast

from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel
from pydantic import ValidationError

from shared.bus.context import current_work
from shared.bus.envelope import DIRECT_REPLY, ERROR_REPLY
from shared.bus.publisher import Outgoing, Publisher
from shared.clock import Clock
from shared.contracts.base import ErrorReply, ReplyT, Request
from shared.errors import InternalError, ReplyTimeoutError


class Requester:
    """Matches replies to those who wait for them."""

    def __init__(self, publisher: Publisher, now: Clock) -> None:
        self._publisher = publisher
        self._now = now
        self._waiting: dict[str, asyncio.Future[DeliveredMessage]] = {}

    async def listen(self, channel: Channel) -> None:
        """Hear the replies to what is published on `channel`."""
        await channel.basic_consume(DIRECT_REPLY, self._on_reply, no_ack=True)

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        """Hand the request over and wait for its reply; see Bus.request.

        When the connection is lost in between, nobody knows what became of the request, so that ends as a time-out too.
        """
        now, until = self._now(), asyncio.get_running_loop().time() + timeout_seconds
        message = Outgoing.of(request, current_work(), now, deadline=now + timedelta(seconds=timeout_seconds))
        reply_id = str(message.properties.correlation_id)
        future = self._waiting[reply_id] = asyncio.get_running_loop().create_future()
        try:
            await self._publisher.publish_request(message, timeout_seconds=timeout_seconds)
            async with asyncio.timeout_at(until):
                answer = await future
        except TimeoutError as error:
            raise ReplyTimeoutError(f"no reply to {request.message_type}") from error
        finally:
            del self._waiting[reply_id]
        return _read(request, answer)

    async def _on_reply(self, message: DeliveredMessage) -> None:
        future = self._waiting.get(message.header.properties.correlation_id or "")
        if future is not None and not future.done():
            future.set_result(message)


def _read(request: Request[ReplyT], answer: DeliveredMessage) -> ReplyT:
    try:
        if answer.header.properties.message_type == ERROR_REPLY:
            raise ErrorReply.model_validate_json(answer.body).to_error()
        return cast("ReplyT", request.reply_type.model_validate_json(answer.body))
    except ValidationError as error:
        raise InternalError(f"the reply to {request.message_type} was not understood") from error
