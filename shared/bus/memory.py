"""The bus without a broker, for handler tests. Every message still goes through JSON, as on the wire."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

from shared.bus.context import current_work, work_of, working
from shared.bus.port import GroupHandler, Handler, MessageT, Received
from shared.clock import Clock, utc_now
from shared.contracts.base import (
    ErrorReply,
    Event,
    Message,
    MessageContext,
    Reply,
    ReplyAddress,
    ReplyT,
    Request,
)
from shared.errors import InternalError, ReplyTimeoutError, WaapiError
from shared.ids import new_id

_Deliver = Callable[[Received[Any]], Awaitable[Reply | None]]


class MemoryBus:
    """Delivers at once, in the caller's task; `published` and `sent` keep what went out, in order.

    Where RabbitMQ would try again later, the error of a handler is raised where the message was published or sent, so
    that a test sees it. A caller that waits for a reply hears what it would hear over RabbitMQ.
    """

    def __init__(self, now: Clock = utc_now) -> None:
        self.published: list[Event] = []
        self.sent: list[Request[Any]] = []
        self._now = now
        self._handlers: defaultdict[type[Message], list[_Deliver]] = defaultdict(list)
        self._waiting: dict[str, asyncio.Future[Reply]] = {}

    def on(self, message_type: type[MessageT], handler: Handler[MessageT]) -> None:
        async def deliver(received: Received[MessageT]) -> Reply | None:
            return await handler(received.message)

        self._handlers[message_type].append(deliver)

    def on_group(self, message_type: type[MessageT], handler: GroupHandler[MessageT]) -> None:
        async def deliver(received: Received[MessageT]) -> Reply | None:
            await handler([received])
            return None

        self._handlers[message_type].append(deliver)

    async def publish(self, *events: Event) -> None:
        for event in events:
            self.published.append(event)
            for deliver in self._handlers[type(event)]:
                await self._deliver(deliver, event, None)

    async def send(self, command: Request[Any]) -> None:
        self.sent.append(command)
        for deliver in self._handlers[type(command)]:
            await self._deliver(deliver, command, None)

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        until = self._now() + timedelta(seconds=timeout_seconds)
        address = ReplyAddress(to="memory", id=new_id("reply_"), until=until)
        future = self._waiting[address.id] = asyncio.get_running_loop().create_future()
        try:
            for deliver in self._handlers[type(request)]:
                await self._deliver_and_answer(deliver, request, address)
            async with asyncio.timeout(timeout_seconds):
                answer = await future
        except TimeoutError as error:
            raise ReplyTimeoutError(f"no reply to {request.message_type}") from error
        finally:
            del self._waiting[address.id]
        if isinstance(answer, ErrorReply):
            raise ErrorReply.model_validate_json(answer.model_dump_json()).to_error()
        return cast("ReplyT", request.reply_type.model_validate_json(answer.model_dump_json()))

    async def reply(self, address: ReplyAddress, reply: Reply) -> None:
        future = self._waiting.get(address.id)
        if future is not None and not future.done():
            future.set_result(reply)

    async def _deliver_and_answer(self, deliver: _Deliver, request: Request[Any], address: ReplyAddress) -> None:
        try:
            reply = await self._deliver(deliver, request, address)
        except WaapiError as error:
            reply = ErrorReply.of(error)
        except Exception as error:
            raise InternalError("internal error") from error  # the test sees the cause
        if reply is not None:
            await self.reply(address, reply)

    async def _deliver(self, deliver: _Deliver, message: Message, address: ReplyAddress | None) -> Reply | None:
        work = current_work()
        copy = type(message).model_validate_json(message.model_dump_json())
        context = MessageContext(
            id=new_id("msg_"),
            type=message.message_type,
            occurred_at=self._now(),
            correlation_id=work.correlation_id,
            causation_id=work.causation_id,
            user_id=work.user_id,
            deadline=address.until if address else None,
            traceparent=work.traceparent,
            reply=address,
        )
        with working(work_of(context)):
            return await deliver(Received(copy, context))
