"""How many calls campaigns may have under way, so that a person's message never stands behind theirs."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PEOPLE_STAY_SECONDS = 2.0


@dataclass(slots=True)
class Room:
    """Calls to Meta that campaigns may have under way in this process; who comes first is served first.

    It is taken before the claim: what waits here is no intent yet, so that its lease and a pause lose no time to it.
    `portion` is what is worth a group of its own. While people's messages come, campaigns make do with less, in
    smaller groups: what keeps both processors busy is what a person would wait for.
    """

    size: int = 400  # of the 500 connections
    beside_people: int = 100
    portion: int = 100
    monotonic: Callable[[], float] = time.monotonic
    _taken: int = 0
    _people_until: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _given_back: asyncio.Event = field(default_factory=asyncio.Event)

    def people_came(self) -> None:
        """Messages that somebody waits for are being sent."""
        self._people_until = self.monotonic() + PEOPLE_STAY_SECONDS

    async def take(self, wanted: int) -> int:
        """Room for as many as there is, and for a portion at least."""
        async with self._turn:
            while (free := self._size() - self._taken) < min(wanted, self.portion, max(1, self._size() // 2)):
                self._given_back.clear()
                await self._given_back.wait()
            taken = min(wanted, free)
            self._taken += taken
            return taken

    def give_back(self, count: int = 1) -> None:
        """So many calls have ended, or were not made."""
        self._taken -= count
        self._given_back.set()

    def _size(self) -> int:
        return min(self.size, self.beside_people) if self.monotonic() < self._people_until else self.size
