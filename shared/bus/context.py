"""Who and what the present work belongs to, carried through tasks and written on every message that leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from shared.contracts.base import MessageContext
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class WorkContext:
    """The correlation id of the request that started it all, and the message that caused this step."""

    correlation_id: str
    causation_id: str | None = None
    user_id: str | None = None
    traceparent: str | None = None


_current: ContextVar[WorkContext | None] = ContextVar("waapi_work_context", default=None)


def current_work() -> WorkContext:
    """The present context; work that nobody asked for (a sweeper's) gets a correlation id of its own."""
    return _current.get() or WorkContext(correlation_id=new_id("req_"))


@contextmanager
def working(context: WorkContext) -> Iterator[None]:
    """Do the block's work in the name of `context`."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def work_of(context: MessageContext) -> WorkContext:
    """The context in which a message is handled: what leaves meanwhile was caused by it."""
    return WorkContext(context.correlation_id, context.id, context.user_id, context.traceparent)
