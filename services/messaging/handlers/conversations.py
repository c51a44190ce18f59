"""Conversations as people see and handle them."""

from asyncio import gather
from dataclasses import dataclass

import structlog

from services.messaging.clients.receipts import ReadReceipts
from services.messaging.handling import Handling
from services.messaging.repositories.conversations import ConversationRepository, Thread
from services.messaging.repositories.histories import HistoryRepository
from services.messaging.repositories.numbers import NumberRepository
from shared.bus.port import Bus
from shared.contracts.base import Done
from shared.contracts.conversations import HandOverConversation
from shared.contracts.threads import (
    Conversation,
    Conversations,
    GetConversation,
    ListConversationMessages,
    ListConversations,
    MarkConversationRead,
    ThreadMessages,
)
from shared.errors import ConflictError, NotFoundError
from shared.ids import new_id

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConversationHandlers:
    """Handing over sets a value, reading marks what was read before: a repetition changes nothing."""

    bus: Bus
    histories: HistoryRepository
    conversations: ConversationRepository
    numbers: NumberRepository
    handling: Handling
    receipts: ReadReceipts

    def register(self) -> None:
        """Own the conversations."""
        self.bus.on(ListConversations, self.list_conversations)
        self.bus.on(GetConversation, self.get_conversation)
        self.bus.on(ListConversationMessages, self.list_conversation_messages)
        self.bus.on(HandOverConversation, self.hand_over_conversation)
        self.bus.on(MarkConversationRead, self.mark_conversation_read)

    async def list_conversations(self, query: ListConversations) -> Conversations:
        """A page of a user's conversations."""
        return await self.histories.list_conversations(query)

    async def get_conversation(self, query: GetConversation) -> Conversation:
        """One conversation. Raises NotFoundError."""
        found = await self.histories.find_conversation(query.conversation_id)
        if found is None:
            raise NotFoundError("Conversation not found")
        return found

    async def list_conversation_messages(self, query: ListConversationMessages) -> ThreadMessages:
        """A page of what was said. Raises NotFoundError."""
        page = self.histories.list_messages(query.conversation_id, query.limit, query.cursor)
        _, messages = await gather(self._require(query.conversation_id), page)
        return messages

    async def hand_over_conversation(self, command: HandOverConversation) -> Done:
        """Give a conversation to a person or back to its agent. Raises NotFoundError."""
        # Each command has a cause of its own: what makes a repetition harmless is that it sets what is set.
        await self.handling.hand_over(
            command.conversation_id, command.handled_by, by=command.by, cause=new_id("handover_"), note=command.note
        )
        return Done()

    async def mark_conversation_read(self, command: MarkConversationRead) -> Done:
        """Show the customer that we have read what they wrote, and that somebody answers.

        Raises NotFoundError, ConflictError, and Meta's errors.
        """
        thread = await self._require(command.conversation_id)
        if thread.channel == "webchat":
            return Done()
        if thread.newest_wa_message_id is None:
            raise ConflictError("The customer has not written anything yet", code="nothing_to_read")
        access = await self.numbers.get_access(thread.phone_number_id)
        await self.receipts.mark_read(access, thread.recipient, thread.newest_wa_message_id, typing=command.typing)
        return Done()

    async def _require(self, conversation_id: str) -> Thread:
        thread = await self.conversations.find(conversation_id)
        if thread is None:
            raise NotFoundError("Conversation not found")
        return thread
