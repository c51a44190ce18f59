"""Things to do later, kept in one heap and run by one timer: cheaper than a timer for each of 100,000 statuses."""

import asyncio
import heapq
import logging
from collections.abc import Callable
from itertools import count
from typing import Any

log = logging.getLogger(__name__)

# Due actions are gathered this long: a status may be this late, and a batch of them leaves together.
TICK_SECONDS = 0.005

_Entry = tuple[float, int, Callable[..., None], tuple[Any, ...]]


class Agenda:
    """Runs actions at or shortly after their time, in the order they are due."""

    def __init__(self) -> None:
        self._heap: list[_Entry] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0  # uvloop's handles do not tell

    def after(self, delay_seconds: float, action: Callable[..., None], *args: Any) -> None:
        """Run `action(*args)` in `delay_seconds`, from the event loop."""
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_seconds
        heapq.heappush(self._heap, (due, next(self._order), action, args))
        if self._timer is None or due + TICK_SECONDS < self._timer_due:
            self._arm(due)

    def reset(self) -> None:
        """Forget everything that was to come."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        while self._heap and self._heap[0][0] <= now:
            _, _, action, args = heapq.heappop(self._heap)
            try:
                action(*args)
            except Exception:  # one broken action must not take the later ones with it
                log.exception("an action of the agenda failed")
        if self._heap:
            self._arm(max(self._heap[0][0], now + TICK_SECONDS))

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._run)
        self._timer_due = when
