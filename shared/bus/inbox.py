"""What the broker has handed over and no handler has taken yet, oldest first."""

import asyncio
from collections import deque
from collections.abc import Callable

from shared.bus.envelope import Delivery

GATHER_SECONDS = 0.002  # while other calls are busy, a group waits this long for company


class Inbox:
    """Deliveries of one queue. Only one collector takes from it."""

    def __init__(
        self, group_limit: Callable[[str], int], is_busy: Callable[[], bool], company_seconds: float = 0.0
    ) -> None:
        self._group_limit = group_limit
        self._is_busy = is_busy
        self._company_seconds = company_seconds
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()

    def put(self, delivery: Delivery) -> None:
        """Add what the broker has just handed over."""
        self._waiting.append(delivery)
        self._arrived.set()

    async def take(self) -> list[Delivery]:
        """The oldest delivery, with those of the same type behind it, as many as one call may have.

        A message in an idle system waits for no company, unless its queue is one that does. One that has failed before
        goes alone, so that it takes no innocent ones along if it fails again.
        """
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        limit = self._limit(self._waiting[0])
        patience = self._company_seconds or (GATHER_SECONDS if self._is_busy() else 0.0)
        if patience and len(self._waiting) < limit:
            await asyncio.sleep(patience)
        return self._take_group(self._waiting.popleft(), limit)

    def _take_group(self, first: Delivery, limit: int) -> list[Delivery]:
        taken, passed = [first], deque[Delivery]()
        while len(taken) < limit and self._waiting:
            if self._goes_with(first, self._waiting[0]):
                taken.append(self._waiting.popleft())
            elif self._company_seconds:  # what may wait may be overtaken
                passed.append(self._waiting.popleft())
            else:
                break
        self._waiting.extendleft(reversed(passed))
        return taken

    def _limit(self, delivery: Delivery) -> int:
        return 1 if delivery.attempt else self._group_limit(delivery.type)

    @staticmethod
    def _goes_with(first: Delivery, other: Delivery) -> bool:
        return other.type == first.type and not other.attempt
