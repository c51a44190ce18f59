"""What a service may ask of the bus. `RabbitBus` and `MemoryBus` both answer to it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from shared.contracts.base import Event, Message, MessageContext, Reply, ReplyAddress, ReplyT, Request

MessageT = TypeVar("MessageT", bound=Message)
MessageT_co = TypeVar("MessageT_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class Received(Generic[MessageT_co]):
    """A message and the envelope it came in."""

    message: MessageT_co
    context: MessageContext


Handler = Callable[[MessageT], Awaitable[Reply | None]]
GroupHandler = Callable[[Sequence[Received[MessageT]]], Awaitable[None]]


class Bus(Protocol):
    """Commands and queries to their owner, events to whoever listens.

    Delivery is at least once. A handler only raises; the bus alone acknowledges, answers, retries or dead-letters.
    """

    def on(self, message_type: type[MessageT], handler: Handler[MessageT]) -> None:
        """Handle messages of a type one by one. What the handler returns is the reply of a request."""

    def on_group(self, message_type: type[MessageT], handler: GroupHandler[MessageT]) -> None:
        """Handle together whatever messages of a type are waiting (at most the queue's `group_limit`).

        When the handler returns, all of them are acknowledged: what must survive has been stored by then. It answers
        requests itself, by `reply`. When it raises, all of them are delivered again later, each by itself, so that one
        bad message takes no others along. Several messages are handled under a correlation id of the group's own;
        `working(work_of(received.context))` (shared/bus/context.py) acts in the name of one of them.
        """

    async def publish(self, *events: Event) -> None:
        """Announce events; returns once the broker has confirmed them all.

        Raises BusUnavailableError when it does not within five seconds; some of the events may be out nevertheless.
        """

    async def send(self, command: Request[Any]) -> None:
        """Hand a command over without waiting for a reply; confirmed, and refused when its queue does not exist.

        Raises BusUnavailableError.
        """

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        """Ask the owner and wait.

        Raises the WaapiError that the owner raised, BusUnavailableError when the message could not be handed over, and
        ReplyTimeoutError when it was but no reply came in time.
        """

    async def reply(self, address: ReplyAddress, reply: Reply) -> None:
        """Answer a waiting caller from wherever its outcome became known; a caller that has gone is no error."""
