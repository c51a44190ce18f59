"""How many calls campaigns may have under way, so that a person's message never stands behind theirs."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Room:
    """Calls to Meta that campaigns may have under way in this process; who comes first is served first.

    It is taken before the claim: what waits here is no intent yet, so that its lease and a pause lose no time to it.
    `portion` is what is worth a group of its own.
    """

    size: int = 240  # of the 300 connections
    portion: int = 100
    _taken: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _given_back: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, wanted: int) -> int:
        """Room for as many as there is, and for a portion at least."""
        async with self._turn:
            while self.size - self._taken < min(wanted, self.portion):
                self._given_back.clear()
                await self._given_back.wait()
            taken = min(wanted, self.size - self._taken)
            self._taken += taken
            return taken

    def give_back(self, count: int = 1) -> None:
        """So many calls have ended, or were not made."""
        self._taken -= count
        self._given_back.set()
