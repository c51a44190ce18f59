"""From a delivery to its end: understand it, call its handler, settle it. The only place that acknowledges."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from shared.bus.connection import cancelled_only_by_us, describe
from shared.bus.context import WorkContext, work_of, working
from shared.bus.envelope import Delivery, PoisonError, read_message, read_reply_address
from shared.bus.outcome import Outcome, Patience, error_reply, outcome_of
from shared.bus.port import GroupHandler, Handler, Received
from shared.bus.publisher import Publisher
from shared.bus.retrier import Call, Retrier
from shared.clock import Clock
from shared.contracts.base import ErrorReply, Query, ReplyAddress
from shared.errors import InvalidInputError, WaapiError
from shared.ids import new_id

log = structlog.get_logger()

ReturnT = TypeVar("ReturnT")


class _CutShortError(Exception):
    """The service stops, or the broker has taken the deliveries back: they will come again."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Who handles which message of a service, by wire name."""

    single: dict[str, Handler[Any]] = field(default_factory=dict)
    grouped: dict[str, GroupHandler[Any]] = field(default_factory=dict)

    def __contains__(self, message_type: object) -> bool:
        return message_type in self.single or message_type in self.grouped


@dataclass(frozen=True, slots=True)
class Handling:
    """Carries out calls. Errors never leave it: each one ends in an answer, a retry or the dead letters."""

    routes: Routes
    publisher: Publisher
    retrier: Retrier
    patience: Patience
    transient: tuple[type[Exception], ...]
    now: Clock
    stopping: asyncio.Event

    async def handle(self, call: Call) -> None:
        """Deal with every delivery of the call. What is cut short stays unsettled, and the broker delivers it again."""
        understood = [(each, received) for each in call.deliveries if (received := await self._understood(call, each))]
        if not understood:
            return
        deliveries, messages = zip(*understood, strict=True)
        rest = Call(call.queue, call.acker, deliveries)
        work = work_of(messages[0].context) if len(messages) == 1 else WorkContext(correlation_id=new_id("grp_"))
        with working(work), structlog.contextvars.bound_contextvars(correlation_id=work.correlation_id):
            if messages[0].context.type in self.routes.grouped:
                await self._handle_group(rest, messages)
            else:
                await self._handle_single(rest, messages[0])

    async def _understood(self, call: Call, delivery: Delivery) -> Received[Any] | None:
        try:
            received = read_message(delivery, self.routes)
        except PoisonError as poison:
            await self._refuse(call, delivery, str(poison))
            return None
        if isinstance(received.message, Query) and received.context.is_past_deadline(self.now()):
            log.debug("stale_query_dropped", type=delivery.type)
            call.acker.ack([delivery.tag])
            return None
        return received

    async def _refuse(self, call: Call, delivery: Delivery, reason: str) -> None:
        if (address := read_reply_address(delivery)) is not None:
            refusal = InvalidInputError("the message was not understood", code="message_not_understood")
            await self.publisher.reply(address, ErrorReply.of(refusal))
        self.retrier.bury(call, delivery, reason)

    async def _handle_single(self, call: Call, received: Received[Any]) -> None:
        handler, address = self.routes.single[received.context.type], received.context.reply
        caller = address if address is not None and self.now() <= address.until else None
        try:
            reply = await self._run(call, lambda: handler(received.message), may_hold=caller is None)
            if reply is not None and address is not None:
                await self.publisher.reply(address, reply)
        except _CutShortError:
            return
        except Exception as error:  # whatever a handler raises is decided on here
            await self._settle_failure(call, error, caller)
            return
        call.ack()

    async def _handle_group(self, call: Call, messages: Sequence[Received[Any]]) -> None:
        handler = self.routes.grouped[messages[0].context.type]
        try:
            await self._run(call, lambda: handler(messages), may_hold=True)
        except _CutShortError:
            return
        except Exception as error:  # whatever a handler raises is decided on here
            await self._settle_failure(call, error, None)
            return
        call.ack()

    async def _run(self, call: Call, attempt: Callable[[], Awaitable[ReturnT]], *, may_hold: bool) -> ReturnT:
        """Call the handler; while its database is away, keep the messages in hand and try again."""
        time = asyncio.get_running_loop().time
        pause, end = self.patience.shortest_pause, time() + self.patience.hold
        while True:
            try:
                with cancelled_only_by_us():
                    return await attempt()
            except self.transient as error:
                if not may_hold or time() + pause > end:
                    raise
                log.info("message_held", type=call.type, messages=len(call.deliveries), error=describe(error))
            if await self.retrier.stops_within(pause) or not call.acker.is_open:
                raise _CutShortError
            pause = min(pause * 2, self.patience.longest_pause)

    async def _settle_failure(self, call: Call, error: Exception, caller: ReplyAddress | None) -> None:
        outcome = outcome_of(error, is_awaited=caller is not None, transient=self.transient)
        if outcome is Outcome.ACCEPT and len(call.deliveries) > 1:
            outcome = Outcome.RETRY  # the refusal was for one of them; alone, each gets its own outcome
        _log_failure(call, error, outcome, is_expected=isinstance(error, (WaapiError, *self.transient)))
        if caller is not None:
            await self.publisher.reply(caller, error_reply(error, transient=self.transient))
        match outcome:
            case Outcome.ANSWER | Outcome.ACCEPT:
                call.ack()
            case Outcome.RETRY:
                await self.retrier.retry(call)
            case Outcome.POSTPONE:
                await self.retrier.postpone(call)


def _log_failure(call: Call, error: Exception, outcome: Outcome, *, is_expected: bool) -> None:
    """An expected outcome in one line; a fault of ours with its traceback."""
    facts = {
        "type": call.type,
        "message_ids": [each.properties.message_id for each in call.deliveries],
        "attempt": call.deliveries[0].attempt,
        "outcome": outcome.name.lower(),
        "error": describe(error),
    }
    if is_expected:
        log.info("message_refused", **facts)
    else:
        log.error("message_failed", **facts, exc_info=error)
