"""Web chats: what visitors write comes in, what agents and people answer is stored; Meta has no part in it."""

from dataclasses import dataclass

import orjson

from services.messaging.announcements import Announcer
from services.messaging.domain.inbound import InboundMessage, Sender
from services.messaging.domain.messages import OutboundMessage, conversation_id, outcome, sent_item
from services.messaging.reception import Reception
from services.messaging.repositories.conversations import ConversationRepository
from services.messaging.repositories.inbound import InboundRepository
from services.messaging.repositories.senders import SenderRepository
from services.messaging.repositories.webchat import Author, Line, WebchatRepository, line_of
from shared.bus.port import Bus
from shared.bus.stream import Stream
from shared.clock import Clock
from shared.contracts.messaging import MessageOutcome
from shared.contracts.turns import ENTRY_STORED
from shared.contracts.webchat import (
    GetWebchatTranscript,
    ReceivedWebchatMessage,
    ReceiveWebchatMessage,
    WebchatTranscript,
)
from shared.errors import NotFoundError
from shared.ids import derived_hex_id


@dataclass(frozen=True, slots=True)
class WebchatSends:
    """Answers into web chats: stored as sent, since there is nobody who could refuse them."""

    webchat: WebchatRepository
    announcer: Announcer
    stream: Stream
    now: Clock

    async def send(self, message: OutboundMessage) -> MessageOutcome:
        """Store and announce an answer. Idempotent by its id: its line first, which a repetition finds."""
        await self.webchat.add_once(
            Line(
                id=message.id,
                conversation_id=message.conversation_id or "",
                at=self.now(),
                text=orjson.loads(message.payload)["text"]["body"],
                author=_author(message.source),
            )
        )
        await self.stream.publish(message.to, ENTRY_STORED)  # whoever shows the chat reads on at once
        sent_at = await self.webchat.add_sent(message)
        await self.announcer.announce_sent([sent_item(message, message.id, sent_at)])
        return outcome(message, "sent", wa_message_id=message.id)


@dataclass(frozen=True, slots=True)
class WebchatHandlers:
    """Idempotent: a visitor's message has its id from the session and the client's own id of it."""

    bus: Bus
    senders: SenderRepository
    inbound: InboundRepository
    conversations: ConversationRepository
    webchat: WebchatRepository
    reception: Reception
    now: Clock

    def register(self) -> None:
        """Own the web chats' messages."""
        self.bus.on(ReceiveWebchatMessage, self.receive_webchat_message)
        self.bus.on(GetWebchatTranscript, self.get_webchat_transcript)

    async def receive_webchat_message(self, command: ReceiveWebchatMessage) -> ReceivedWebchatMessage:
        """Take in what a visitor wrote. Raises NotFoundError."""
        number = await self.senders.find_number(command.phone_number_id)
        if number is None or number.channel != "webchat":
            raise NotFoundError("Web chat not found")
        visitor = Sender(number.user_id, "webchat", phone=None, channel_user_id=command.session_id)
        await self.senders.keep_visitor(visitor, command.visitor)
        message = InboundMessage(
            id=derived_hex_id("webchat", command.session_id, command.client_message_id),
            user_id=number.user_id,
            phone_number_id=number.phone_number_id,
            channel="webchat",
            conversation_id=conversation_id(number.phone_number_id, command.session_id),
            contact_id=visitor.own_contact_id,
            sender=command.session_id,
            wa_message_id=None,
            type="text",
            text=command.text,
            content={"body": command.text},
            context_wa_message_id=None,
            received_at=self.now(),
            client_message_id=command.client_message_id,
        )
        await self.reception.take([message])
        stored = await self.inbound.find(message.id) or message
        return ReceivedWebchatMessage(
            message_id=stored.id,
            conversation_id=stored.conversation_id,
            position=await self.webchat.add_once(line_of(stored)),
            received_at=stored.received_at,
        )

    async def get_webchat_transcript(self, query: GetWebchatTranscript) -> WebchatTranscript:
        """What was said, and who answers now; nothing for a session that has said nothing."""
        thread_id = conversation_id(query.phone_number_id, query.session_id)
        thread = await self.conversations.find(thread_id)
        if thread is None:
            return WebchatTranscript()
        if query.last:
            items = await self.webchat.list_last(thread_id, query.before, query.limit)
        else:
            items = await self.webchat.list_after(thread_id, query.after, query.limit)
        return WebchatTranscript(
            items=tuple(items),
            last_position=await self.webchat.last_position(thread_id),
            handled_by=thread.handled_by,
        )


def _author(source: str) -> Author:
    if source == "agent":
        return "agent"
    return "human" if source == "conversation" else "business"
