"""Shows customers that an answer is being made: its text as it grows in a web chat, "typing…" on WhatsApp."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from services.agents.domain.turns import Turn
from services.agents.repositories.turns import TurnRepository
from shared.bus.port import Bus
from shared.bus.stream import Stream
from shared.contracts.threads import MarkConversationRead
from shared.contracts.turns import TextDelta
from shared.errors import WaapiError

SECONDS_BETWEEN = 0.1  # a reader sees no difference, and a text of 400 tokens costs few writes
TYPING_SECONDS = 5  # later it would be told to nobody

OnText = Callable[[str], Awaitable[None]]


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
    """The way from the model's tokens to the customer's screen; nothing depends on it."""

    turns: TurnRepository
    stream: Stream
    bus: Bus
    _told: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def written(self, turn: Turn) -> AsyncIterator[OnText]:
        """What to tell the text so far, as often as it grows, while one answer is being written."""
        if turn.channel == "webchat":
            yield _Pen(self.turns, self.stream, turn).write
            return
        if turn.channel == "whatsapp":
            task = asyncio.create_task(self._show_typing(turn))
            self._told.add(task)
            task.add_done_callback(self._told.discard)
        yield _nobody_watches

    async def _show_typing(self, turn: Turn) -> None:
        with suppress(WaapiError):
            command = MarkConversationRead(conversation_id=turn.conversation_id, typing=True)
            await self.bus.request(command, timeout_seconds=TYPING_SECONDS)


async def _nobody_watches(text: str) -> None:
    """These channels show no half messages."""
