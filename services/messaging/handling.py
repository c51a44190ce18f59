"""Who answers a conversation: its agent, or a person who has taken it over.

The change is in force once it is stored; telling it is repeated until the broker has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from services.messaging.repositories.conversations import ConversationRepository, HandledBy, Thread
from services.messaging.repositories.webchat import Line, WebchatRepository
from shared.bus.port import Bus
from shared.bus.stream import Stream
from shared.contracts.conversations import ConversationHandlingChanged, HandlingChange
from shared.contracts.turns import ENTRY_STORED
from shared.errors import BusUnavailableError, NotFoundError

log = structlog.get_logger()

_TOLD_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class Handling:
    """Hands conversations over and back."""

    bus: Bus
    conversations: ConversationRepository
    webchat: WebchatRepository
    stream: Stream

    async def hand_over(
        self,
        conversation_id: str,
        to: HandledBy,
        *,
        by: Literal["agent", "api", "human_reply"],
        cause: str,
        note: str | None = None,
    ) -> Thread:
        """Let `to` answer from now on; `cause` counts once. Raises NotFoundError."""
        thread = await self.conversations.hand_over(conversation_id, to, by=by, cause=cause, note=note)
        if thread is None:
            raise NotFoundError("Conversation not found")
        await self._tell(await self.conversations.changes_of(conversation_id))
        return thread

    async def sweep(self) -> None:
        """Tell what could not be told when it happened."""
        await self._tell(await self.conversations.list_changed(_TOLD_TOGETHER))

    async def _tell(self, changes: Sequence[HandlingChange]) -> None:
        if not changes:
            return
        for change in changes:
            if change.channel == "webchat":
                await self._show(change)
        try:
            await self.bus.publish(ConversationHandlingChanged(items=tuple(changes)))
        except BusUnavailableError as error:
            log.warning("handling_change_told_later", changes=len(changes), error=error.message)
            return
        await self.conversations.mark_announced(changes)

    async def _show(self, change: HandlingChange) -> None:
        await self.webchat.add_once(Line(change.id, change.conversation_id, change.at, handled_by=change.handled_by))
        thread = await self.conversations.find(change.conversation_id)
        if thread is not None:
            await self.stream.publish(thread.recipient, ENTRY_STORED)
