"""Shows answers in the making to those who watch a web chat: kept for who joins late, told to who is there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.agents.domain.turns import Turn
from services.agents.repositories.turns import TurnRepository
from shared.bus.stream import Stream
from shared.contracts.turns import TextDelta

SECONDS_BETWEEN = 0.1  # a reader sees no difference, and a text of 400 tokens costs few writes


@dataclass(slots=True)
class _Pen:
    """Tells one answer's text in pieces, no more often than a reader notices."""

    turns: TurnRepository
    stream: Stream
    turn: Turn
    told: int = 0
    last: float = 0.0

    async def write(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self.last < SECONDS_BETWEEN:
            return
        self.last = now
        # A model may be stopped at any moment, a database operation may not.
        if not await asyncio.shield(self.turns.save_text(self.turn, text)):
            return  # outdated: whoever keeps the claim ends this
        delta = TextDelta(turn_id=self.turn.turn_id, offset=self.told, text=text[self.told :])
        await self.stream.publish(self.turn.recipient, delta)
        self.told = len(text)


@dataclass(frozen=True, slots=True)
class Watching:
    """The way from the model's tokens to the watchers."""

    turns: TurnRepository
    stream: Stream

    @asynccontextmanager
    async def written(self, turn: Turn) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
        """What to tell the text so far, as often as it grows, while one answer is being written."""
        yield _Pen(self.turns, self.stream, turn).write if turn.is_streamed else _nobody_watches


async def _nobody_watches(text: str) -> None:
    """WhatsApp and Instagram show no half messages."""
