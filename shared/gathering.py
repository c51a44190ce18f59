"""Work that concurrent callers share: while one group is under way, the next one gathers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from itertools import islice
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Gathering(Generic[ItemT, ResultT]):
    """Turns many single calls into few calls of `work`, one at a time, each with at most `limit` items.

    A caller alone is served at once, and under load a group is as large as what came in meanwhile. With
    `pause_seconds` groups keep that distance, for work that may come a little later if it comes in fewer pieces.
    `work` returns one result for each item, in order; when it raises, everyone in the group hears the same error.
    """

    def __init__(
        self,
        work: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT]]],
        *,
        limit: int,
        pause_seconds: float = 0.0,
    ) -> None:
        self._work = work
        self._limit = limit
        self._pause_seconds = pause_seconds
        self._context = copy_context()  # a group belongs to none of its callers, least of all to the first one
        self._waiting: dict[asyncio.Future[ResultT], ItemT] = {}
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Items that wait for their group to start."""
        return len(self._waiting)

    async def add(self, item: ItemT) -> ResultT:
        """Have the item worked on with its neighbours. A caller who gives up before the group starts leaves it."""
        future = self.submit(item)
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    def submit(self, item: ItemT) -> asyncio.Future[ResultT]:
        """The same without waiting."""
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting[future] = item
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work_off(), context=self._context.copy())
        return future

    async def drained(self) -> None:
        """Wait until nothing is left to do."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    async def _work_off(self) -> None:
        while self._waiting:
            group = dict(islice(self._waiting.items(), self._limit))
            for future in group:
                del self._waiting[future]
            await self._work_on(group)
            if self._pause_seconds and len(self._waiting) < self._limit:
                await asyncio.sleep(self._pause_seconds)

    async def _work_on(self, group: dict[asyncio.Future[ResultT], ItemT]) -> None:
        try:
            results = await self._work(tuple(group.values()))
        except BaseException as error:  # every caller gets it, and decides; nobody may wait for ever
            for future in group:
                with suppress(asyncio.InvalidStateError):  # that caller has gone
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for future, result in zip(group, results, strict=True):
                with suppress(asyncio.InvalidStateError):
                    future.set_result(result)
