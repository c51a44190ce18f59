"""Telling the outcome: to the caller who waits, and to whoever listens on the bus.

The document holds the outcome with a `wake_at` until its event is confirmed, or its group's document does; so a crash
here only delays the event.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.messaging.domain.messages import StoredMessage, present_outcome
from services.messaging.domain.states import FAILED, SENT, State
from services.messaging.repositories.messages import MessageRepository
from shared.bus.port import Bus
from shared.contracts.base import ReplyAddress
from shared.contracts.messaging import (
    FailedMessage,
    MessageOutcome,
    MessagesFailed,
    MessagesQueued,
    MessagesSent,
    QueuedMessage,
    SentMessage,
)
from shared.crashpoints import crash_point
from shared.errors import BusUnavailableError
from shared.insist import insist
from shared.mongo import TRANSIENT_ERRORS

log = structlog.get_logger()

Answer = tuple[ReplyAddress | None, MessageOutcome]


@dataclass(frozen=True, slots=True)
class Announcer:
    """Answers and events of outcomes that are already recorded."""

    bus: Bus
    messages: MessageRepository

    async def answer(self, answers: Sequence[Answer]) -> None:
        """Tell those who wait, all at once: while the broker is away, each answer takes seconds to give up."""
        await asyncio.gather(*(self.bus.reply(address, told) for address, told in answers if address is not None))

    async def answer_stored(self, group: Sequence[StoredMessage]) -> None:
        """Tell everybody who still waits for these messages what their documents say by now."""
        waited_for = [stored for stored in group if stored.is_settled and (stored.message.reply or stored.callers)]
        if waited_for:
            await self.answer(
                [
                    (address, present_outcome(stored))
                    for stored in waited_for
                    for address in (stored.message.reply, *stored.callers)
                ]
            )
            await self.messages.mark_answered([stored.message.id for stored in waited_for])

    async def announce_sent(self, items: Sequence[SentMessage]) -> None:
        """Publish `MessagesSent`, then forget that it was due."""
        await self._announce(MessagesSent(items=tuple(items)), [item.message_id for item in items], SENT)

    async def announce_grouped(self, items: Sequence[SentMessage]) -> None:
        """Publish `MessagesSent` for messages of groups; where that fails, the sweeper is to do it."""
        ids = [item.message_id for item in items]
        try:
            await self.bus.publish(MessagesSent(items=tuple(items)))
        except BusUnavailableError as error:
            log.warning("announcement_postponed", messages=len(ids), error=error.message)
            await insist(lambda: self.messages.make_due(ids))
            return
        crash_point("messaging.published")

    async def announce_queued(self, items: Sequence[QueuedMessage]) -> None:
        """Publish `MessagesQueued`. Nothing remembers that it is due: it says what the next event outdates."""
        if not items:
            return
        try:
            await self.bus.publish(MessagesQueued(items=tuple(items)))
        except BusUnavailableError as error:
            log.info("waiting_not_announced", messages=len(items), error=error.message)

    async def announce_failed(self, items: Sequence[FailedMessage], state: State = FAILED) -> None:
        """Publish `MessagesFailed`, then forget that it was due."""
        await self._announce(MessagesFailed(items=tuple(items)), [item.message_id for item in items], state)

    async def _announce(self, event: MessagesSent | MessagesFailed, ids: Sequence[str], state: State) -> None:
        if not ids:
            return
        try:
            await self.bus.publish(event)
        except BusUnavailableError as error:
            # The documents still say that it is due: the sweeper announces it when the broker is back.
            log.warning("announcement_postponed", messages=len(ids), error=error.message)
            return
        crash_point("messaging.published")
        try:
            await self.messages.mark_announced(ids, state)
        except TRANSIENT_ERRORS as error:
            log.warning("announcement_to_be_repeated", messages=len(ids), error=f"{type(error).__name__}: {error}")
