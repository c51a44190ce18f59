"""Telling the outcome: to the caller who waits, and to whoever listens on the bus.

The document holds the outcome with a `wake_at` until its event is confirmed, so a crash here only delays the event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.messaging.domain.messages import OutboundMessage, StoredMessage, outcome, present_outcome
from services.messaging.domain.results import Unknown
from services.messaging.domain.states import FAILED, SENT, State
from services.messaging.repositories.messages import MessageRepository
from shared.bus.port import Bus
from shared.contracts.messaging import FailedMessage, MessagesFailed, MessagesSent, MetaError, SentMessage
from shared.crashpoints import crash_point
from shared.errors import BusUnavailableError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Announcer:
    """Answers and events of outcomes that are already recorded."""

    bus: Bus
    messages: MessageRepository

    async def answer_sent(self, sent: Sequence[tuple[OutboundMessage, str]]) -> None:
        """Tell the callers of these messages that Meta took them."""
        for message, wa_message_id in sent:
            if message.reply is not None:
                await self.bus.reply(message.reply, outcome(message, "sent", wa_message_id=wa_message_id))

    async def answer_failed(self, message: OutboundMessage, error: MetaError) -> None:
        """Tell the caller what Meta refused."""
        if message.reply is not None:
            await self.bus.reply(message.reply, outcome(message, "failed", error=error))

    async def answer_unknown(self, message: OutboundMessage, verdict: Unknown) -> None:
        """Tell the caller of an error of Meta's that leaves the outcome open; other unknowns may still be settled."""
        if message.reply is not None and verdict.error is not None:
            told = outcome(message, "failed", error=verdict.error, more_warnings=("outcome_unknown",))
            await self.bus.reply(message.reply, told)

    async def answer_stored(self, stored: StoredMessage) -> None:
        """Tell a caller who still waits what the document says by now."""
        if stored.message.reply is not None and stored.is_settled:
            await self.bus.reply(stored.message.reply, present_outcome(stored))

    async def announce_sent(self, items: Sequence[SentMessage]) -> None:
        """Publish `MessagesSent`, then forget that it was due."""
        await self._announce(MessagesSent(items=tuple(items)), [item.message_id for item in items], SENT)

    async def announce_failed(self, items: Sequence[FailedMessage], state: State = FAILED) -> None:
        """Publish `MessagesFailed`, then forget that it was due."""
        await self._announce(MessagesFailed(items=tuple(items)), [item.message_id for item in items], state)

    async def _announce(self, event: MessagesSent | MessagesFailed, ids: Sequence[str], state: State) -> None:
        try:
            await self.bus.publish(event)
        except BusUnavailableError as error:
            # The documents still say that it is due: the sweeper announces it when the broker is back.
            log.warning("announcement_postponed", messages=len(ids), error=error.message)
            return
        crash_point("messaging.published")
        await self.messages.mark_announced(ids, state)
