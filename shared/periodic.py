"""Work that comes round again: sweepers, relays and runners, each as one supervised task."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger()

_LONGEST_PAUSE_SECONDS = 10.0
_CANCEL_AGAIN_SECONDS = 0.5


@asynccontextmanager
async def repeating(name: str, work: Callable[[], Awaitable[object]], *, seconds: float) -> AsyncIterator[None]:
    """Run `work` about every `seconds` (±20 %, so that replicas do not move in step) while the block lasts.

    A round that fails is logged and tried again with growing pauses of at most ten seconds: a sweeper outlives the
    broker and the database.
    """
    task = asyncio.create_task(_repeat(name, work, seconds), name=name)
    try:
        yield
    finally:
        while not task.done():
            # Once may not be enough: while the database is away, PyMongo's locks can turn a cancellation into a
            # RuntimeError, which the loop takes for one more failed round.
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCEL_AGAIN_SECONDS)


async def _repeat(name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
    pause = seconds
    while True:
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter guards nothing
        try:
            await work()
            pause = seconds
        except Exception as error:  # the loop must outlive any fault of one round; the next round finds the work again
            pause = min(max(pause, 0.1) * 2, _LONGEST_PAUSE_SECONDS)
            log.warning("round_failed", loop=name, error=f"{type(error).__name__}: {error}", exc_info=True)
