"""Sends into a conversation that is there: a person's, which takes it over, and an agent's, which must not be stale."""

from dataclasses import dataclass, replace

from services.messaging.domain.messages import OutboundMessage
from services.messaging.handling import Handling
from services.messaging.repositories.conversations import ConversationRepository, Thread
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.stops import StopRepository
from services.messaging.repositories.webchat import WebchatRepository
from shared.clock import Clock
from shared.contracts.messaging import SendMessage
from shared.errors import ConflictError, NotFoundError

OUTDATED = "outdated"
WINDOW_CLOSED = "window_closed"
OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True)
class Replies:
    """Decides at the last moment before the claim. What changes a thread later finds the answer given."""

    conversations: ConversationRepository
    messages: MessageRepository
    webchat: WebchatRepository
    stops: StopRepository
    handling: Handling
    now: Clock

    async def place(self, command: SendMessage, message: OutboundMessage) -> OutboundMessage:
        """The message in its thread. A repetition of one that was let through before is let through again.

        Raises NotFoundError, and for an agent's answer ConflictError: `outdated`, `window_closed` or `opted_out`.
        """
        if command.conversation_id is None:
            return message
        thread = await self.conversations.find(command.conversation_id)
        if thread is None or not _belongs(thread, command):
            raise NotFoundError("Conversation not found")
        if command.source == "conversation":
            await self.handling.hand_over(thread.id, "human", by="human_reply", cause=message.id)
        elif command.based_on_sequence is not None and not await self._is_known(message.id):
            await self._admit(thread, command, command.based_on_sequence)
        return replace(message, conversation_id=thread.id, contact_id=thread.contact_id)

    async def _is_known(self, message_id: str) -> bool:
        return await self.messages.find(message_id) is not None or await self.webchat.has(message_id)

    async def _admit(self, thread: Thread, command: SendMessage, sequence: int) -> None:
        needs_window = thread.channel != "webchat" and command.content.type != "template"
        if await self.stops.list_opted_out([thread.contact_id]):
            raise ConflictError("The customer wants to hear nothing more", code=OPTED_OUT)
        admitted = await self.conversations.admit_answer(
            thread.id, sequence, response_id=command.response_id, needs_window=needs_window
        )
        if admitted is not None:
            return
        present = await self.conversations.find(thread.id)
        if present is not None and present.sequence == sequence and present.handled_by == "agent":
            raise ConflictError("The customer has not written for 24 hours", code=WINDOW_CLOSED)
        raise ConflictError("The conversation has moved on, or a person handles it", code=OUTDATED)


def _belongs(thread: Thread, command: SendMessage) -> bool:
    whose = (thread.user_id, thread.phone_number_id, thread.recipient)
    return whose == (command.user_id, command.phone_number_id, command.to)
