"""Conversations as people see them: lists, histories, reading, the web chat's messages, and media."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import Command, Contract, Done, HexId, Identifier, Query, Reply
from shared.contracts.conversations import Channel

Direction = Literal["inbound", "outbound"]
Author = Literal["customer", "agent", "human", "business"]  # business: a campaign's or an API call's message
ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


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


class WebchatEntry(Contract):
    """One line of a web chat: a message, or a notice that a person answers now (or the agent again).

    `position` rises by one or more with each entry of a session, in the order in which entries become visible.
    """

    position: int
    kind: Literal["message", "notice"]
    message_id: HexId | None = None
    client_message_id: ClientMessageId | None = None
    author: Literal["visitor", "agent", "human", "business"] | None = None
    text: str | None = None
    handled_by: Literal["human", "agent"] | None = None  # of a notice
    at: AwareDatetime


class WebchatEntries(Reply):
    """Entries of a session, oldest first; none for a session that has said nothing."""

    items: tuple[WebchatEntry, ...]
    conversation_id: HexId
    last_position: int  # of the whole session


class ListWebchatEntries(Query[WebchatEntries]):
    """The entries after a position: history, and what a stream missed. `last` turns to the end instead."""

    message_type: ClassVar[str] = "messaging.list_webchat_entries.v1"
    reply_type: ClassVar[type[Reply]] = WebchatEntries

    phone_number_id: Identifier
    session_id: Identifier
    after: int = Field(default=0, ge=0)
    last: bool = False  # the last `limit` entries
    limit: int = Field(default=100, ge=1, le=200)


class VisitorInput(Contract):
    """What is known for certain of a visitor (verified by the site's own signature); None leaves it as it is."""

    name: str | None = None
    email: str | None = None


class ReceivedWebchatMessage(Reply):
    """A visitor's message, stored."""

    message_id: HexId
    conversation_id: HexId
    position: int
    received_at: AwareDatetime


class ReceiveWebchatMessage(Command[ReceivedWebchatMessage]):
    """A visitor wrote. Idempotent by session and client message id. Raises NotFoundError for an unknown number."""

    message_type: ClassVar[str] = "messaging.receive_webchat_message.v1"
    reply_type: ClassVar[type[Reply]] = ReceivedWebchatMessage

    phone_number_id: Identifier  # the channel's own, pn_webchat_…
    session_id: Identifier
    client_message_id: ClientMessageId
    text: str = Field(min_length=1, max_length=4000)
    visitor: VisitorInput | None = None


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
