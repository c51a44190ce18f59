"""A process that dies before its n-th step, where a step is anything that leaves it: a database call or a request."""

from dataclasses import dataclass
from typing import Any

from shared.bus.memory import MemoryBus
from shared.clock import Clock
from shared.contracts.base import ReplyT, Request


class Died(BaseException):
    """The process is gone: no handler of ordinary errors sees it."""


@dataclass
class Steps:
    """Counts steps, and dies before the one that it was told; 0: never."""

    dies_before: int = 0
    taken: int = 0

    def take(self) -> None:
        """Go on, or die. The dead take no further step."""
        self.taken += 1
        if self.dies_before and self.taken >= self.dies_before:
            raise Died


class DyingBus(MemoryBus):
    """Each request of the process's own is a step; what others do meanwhile is not."""

    def __init__(self, now: Clock, steps: Steps) -> None:
        super().__init__(now)
        self._steps = steps

    async def request(self, request: Request[ReplyT], *, timeout_seconds: float) -> ReplyT:
        self._steps.take()
        return await super().request(request, timeout_seconds=timeout_seconds)


@dataclass(frozen=True)
class DyingDatabase:
    """Each call to a collection is a step."""

    database: Any
    steps: Steps

    def __getitem__(self, name: str) -> "DyingCollection":
        return DyingCollection(self.database[name], self.steps)


@dataclass(frozen=True)
class DyingCollection:
    """One collection."""

    collection: Any
    steps: Steps

    def __getattr__(self, name: str) -> Any:
        self.steps.take()
        return getattr(self.collection, name)
