"""Stands where messaging is: keeps conversations, refuses outdated answers, and tells what was said."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from shared.bus.memory import MemoryBus
from shared.contracts.base import Done
from shared.contracts.content import TextContent
from shared.contracts.conversations import (
    Channel,
    ContextMessage,
    ConversationContext,
    ConversationHandlingChanged,
    GetConversationContext,
    HandlingChange,
    HandOverConversation,
    MessagesReceived,
    ReceivedMessage,
)
from shared.contracts.messaging import MessageOutcome, SendMessage
from shared.contracts.threads import MarkConversationRead
from shared.errors import BusUnavailableError, ConflictError, NotFoundError, ReplyTimeoutError, WaapiError
from shared.ids import derived_hex_id
from tests.messaging.doubles import ManualClock

USER, NUMBER, AGENT, CUSTOMER = "usr_1", "pn_1", "agt_1", "+919876543210"


@dataclass
class Thread:
    """One conversation."""

    conversation_id: str
    channel: Channel = "whatsapp"
    sender: str = CUSTOMER
    sequence: int = 0
    handled_by: Literal["human", "agent"] = "agent"
    messages: list[ContextMessage] = field(default_factory=list)

    @property
    def contact_id(self) -> str:
        return f"contact_{self.conversation_id}"


@dataclass
class MessagingStandIn:
    """Owns conversations, as far as agents ask for them."""

    bus: MemoryBus
    clock: ManualClock
    threads: dict[str, Thread] = field(default_factory=dict)
    sent: dict[str, SendMessage] = field(default_factory=dict)
    asked_to_send: int = 0
    refuses: WaapiError | None = None
    fails_with: str | None = None
    loses_from: int | None = None  # which request to send, and all after it, does not come through
    after_accepting: Callable[[], Awaitable[None]] | None = None  # what happens before the sender hears of it
    loses_reply_of: int | None = None  # which request to send is carried out and not answered
    shown: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bus.on(SendMessage, self.send_message)
        self.bus.on(GetConversationContext, self.get_context)
        self.bus.on(HandOverConversation, self.hand_over)
        self.bus.on(MarkConversationRead, self.mark_read)

    def open(self, number: int = 1, channel: Channel = "whatsapp", sender: str = CUSTOMER) -> Thread:
        """A new conversation."""
        thread = Thread(derived_hex_id("conversation", str(number)), channel, sender)
        self.threads[thread.conversation_id] = thread
        return thread

    def written(
        self, thread: Thread, text: str | None, kind: str = "text", media_id: str | None = None
    ) -> MessagesReceived:
        """A customer's message, stored here; what is returned has still to be announced."""
        thread.sequence += 1
        message = self._keep(thread, "customer", text, kind, media_id=media_id)
        item = ReceivedMessage(
            id=f"message.received:{message.message_id}",
            message_id=message.message_id,
            wa_message_id=None,
            conversation_id=thread.conversation_id,
            contact_id=thread.contact_id,
            user_id=USER,
            phone_number_id=NUMBER,
            channel=thread.channel,
            sender=thread.sender,
            type=kind,
            text=text,
            media_id=media_id,
            sequence=thread.sequence,
            agent_id=AGENT if thread.handled_by == "agent" else None,
            received_at=self.clock(),
        )
        return MessagesReceived(items=(item,))

    def business_sent(self, thread: Thread, text: str) -> None:
        """A campaign's template, as the customer read it."""
        self._keep(thread, "business", text, "template")

    async def human_replies(self, thread: Thread, text: str) -> None:
        """A person answers and takes the conversation over."""
        self._keep(thread, "human", text, "text")
        await self.change_handling(thread, "human")

    async def change_handling(self, thread: Thread, handled_by: Literal["human", "agent"]) -> None:
        """Give the conversation to somebody, and announce it."""
        thread.sequence += 1
        thread.handled_by = handled_by
        await self.bus.publish(
            ConversationHandlingChanged(
                items=(
                    HandlingChange(
                        id=f"conversation.changed:{thread.sequence}",
                        user_id=USER,
                        phone_number_id=NUMBER,
                        conversation_id=thread.conversation_id,
                        channel=thread.channel,
                        contact_id=thread.contact_id,
                        handled_by=handled_by,
                        by="api",
                        at=self.clock(),
                    ),
                )
            )
        )

    def texts(self, thread: Thread) -> list[str]:
        """What the customer got, in order."""
        return [
            command.content.text
            for command in self.sent.values()
            if command.conversation_id == thread.conversation_id and isinstance(command.content, TextContent)
        ]

    async def send_message(self, command: SendMessage) -> MessageOutcome:
        """A repetition is told the present state; an outdated answer is refused and stored nowhere."""
        self.asked_to_send += 1
        if self.refuses is not None:
            raise self.refuses
        if self.loses_from is not None and self.asked_to_send >= self.loses_from:
            raise BusUnavailableError("no broker")
        outcome = self._outcome(command)
        if self.after_accepting is not None:
            happens, self.after_accepting = self.after_accepting, None
            await happens()
        if self.asked_to_send == self.loses_reply_of:
            raise ReplyTimeoutError("no reply")
        return outcome

    def _outcome(self, command: SendMessage) -> MessageOutcome:
        thread = self.threads[command.conversation_id or ""]
        if command.message_id not in self.sent and self.fails_with is None:
            if thread.handled_by == "human" or command.based_on_sequence != thread.sequence:
                raise ConflictError("the conversation has moved on", code="outdated")
            assert isinstance(command.content, TextContent)
            self.sent[command.message_id] = command
            self._keep(thread, "agent", command.content.text, "text", message_id=command.message_id)
        return MessageOutcome(
            message_id=command.message_id,
            wa_message_id=None,
            conversation_id=thread.conversation_id,
            contact_id=thread.contact_id,
            status="sent" if self.fails_with is None else "failed",
            failure=self.fails_with,
        )

    async def get_context(self, query: GetConversationContext) -> ConversationContext:
        """What was said last."""
        thread = self.threads.get(query.conversation_id)
        if thread is None:
            raise NotFoundError("Conversation not found")
        return ConversationContext(
            conversation_id=thread.conversation_id,
            user_id=USER,
            phone_number_id=NUMBER,
            channel=thread.channel,
            handled_by=thread.handled_by,
            sequence=thread.sequence,
            messages=tuple(thread.messages[-query.limit :]),
        )

    async def hand_over(self, command: HandOverConversation) -> Done:
        """Somebody else answers from now on."""
        self.notes.append(command.note or "")
        await self.change_handling(self.threads[command.conversation_id], command.handled_by)
        return Done()

    async def mark_read(self, command: MarkConversationRead) -> Done:
        """The customer sees it."""
        self.shown.append((command.conversation_id, command.typing))
        return Done()

    def _keep(
        self,
        thread: Thread,
        author: Literal["customer", "agent", "human", "business"],
        text: str | None,
        kind: str,
        *,
        media_id: str | None = None,
        message_id: str | None = None,
    ) -> ContextMessage:
        number = str(len(thread.messages))
        message = ContextMessage(
            message_id=message_id or derived_hex_id("message", thread.conversation_id, number),
            author=author,
            type=kind,
            text=text,
            media_id=media_id,
            at=self.clock() + timedelta(milliseconds=len(thread.messages)),
        )
        thread.messages.append(message)
        return message
