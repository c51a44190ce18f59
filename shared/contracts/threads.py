"""Conversations as people see them: lists, histories, reading, and media."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Command, Contract, Done, HexId, Identifier, Query, Reply
from shared.contracts.conversations import Channel

Direction = Literal["inbound", "outbound"]
Author = Literal["customer", "agent", "human", "business"]  # business: a campaign's or an API call's message


class Person(Contract):
    """The customer of a conversation."""

    contact_id: Identifier
    phone: str | None = None
    name: str | None = None
    username: str | None = None


class ThreadMessage(Contract):
    """One message of a conversation, in either direction."""

    message_id: HexId
    wa_message_id: str | None = None
    direction: Direction
    author: Author
    type: str
    text: str | None = None  # what a person would read
    content: dict[str, Any] = Field(default_factory=dict)  # the kind's own part: as it came, or as it was posted
    media_id: Identifier | None = None
    status: Literal["received", "queued", "sent", "delivered", "read", "played", "failed"]
    failure: str | None = None
    context_wa_message_id: str | None = None
    at: AwareDatetime


class Conversation(Reply):
    """A thread between one of our numbers and one customer. `recipient` is what a send to it is addressed to."""

    conversation_id: HexId
    user_id: Identifier
    phone_number_id: Identifier
    channel: Channel
    contact: Person
    recipient: str  # E.164 or business-scoped id on WhatsApp, scoped id on Instagram, session id on webchat
    window_expires_at: AwareDatetime | None = None  # None: nothing was received yet, or a channel without a window
    handled_by: Literal["human", "agent"]
    sequence: int
    last_message: ThreadMessage | None = None
    last_message_at: AwareDatetime
    created_at: AwareDatetime


class Conversations(Reply):
    """Conversations, the most lately active first. `next_cursor` None: there are no more."""

    items: tuple[Conversation, ...]
    next_cursor: str | None = None


class ListConversations(Query[Conversations]):
    """A user's conversations; an unknown user has none. Raises InvalidInputError for a cursor that is none."""

    message_type: ClassVar[str] = "messaging.list_conversations.v1"
    reply_type: ClassVar[type[Reply]] = Conversations

    user_id: Identifier
    phone_number_id: Identifier | None = None
    channel: Channel | None = None
    handled_by: Literal["human", "agent"] | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None


class GetConversation(Query[Conversation]):
    """One conversation. Raises NotFoundError."""

    message_type: ClassVar[str] = "messaging.get_conversation.v1"
    reply_type: ClassVar[type[Reply]] = Conversation

    conversation_id: HexId


class ThreadMessages(Reply):
    """Messages of a conversation, newest first. `next_cursor` None: there are no older ones."""

    items: tuple[ThreadMessage, ...]
    next_cursor: str | None = None


class ListConversationMessages(Query[ThreadMessages]):
    """What was said, by whomever. Raises NotFoundError, and InvalidInputError for a cursor that is none."""

    message_type: ClassVar[str] = "messaging.list_conversation_messages.v1"
    reply_type: ClassVar[type[Reply]] = ThreadMessages

    conversation_id: HexId
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None


class MarkConversationRead(Command[Done]):
    """Show the customer that their newest message was read, and (`typing`) that somebody writes an answer.

    Idempotent. A web chat has nobody to tell. Raises NotFoundError, ConflictError when nothing was received yet, and
    UpstreamRejectedError or UpstreamUnavailableError when Meta did not take it.
    """

    message_type: ClassVar[str] = "messaging.mark_conversation_read.v1"
    reply_type: ClassVar[type[Reply]] = Done

    conversation_id: HexId
    typing: bool = False


class MediaInfo(Reply):
    """A media file that came in: ready to be read in pieces."""

    media_id: Identifier
    user_id: Identifier
    mime_type: str
    size: int  # bytes
    sha256: str  # hex
    filename: str | None = None


class FetchMedia(Command[MediaInfo]):
    """Have a media file here: it is downloaded from Meta at the first call. Idempotent.

    Raises NotFoundError, UpstreamRejectedError (Meta has it no more, or it is too large) or UpstreamUnavailableError.
    """

    message_type: ClassVar[str] = "messaging.fetch_media.v1"
    reply_type: ClassVar[type[Reply]] = MediaInfo

    media_id: Identifier


class MediaPiece(Reply):
    """Some bytes of a media file, base64; empty after its end."""

    data: str


class ReadMedia(Query[MediaPiece]):
    """Up to 256 KiB of a media file that is here, from `offset`. Raises NotFoundError."""

    message_type: ClassVar[str] = "messaging.read_media.v1"
    reply_type: ClassVar[type[Reply]] = MediaPiece

    media_id: Identifier
    offset: int = Field(ge=0)
