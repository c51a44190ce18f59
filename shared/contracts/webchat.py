"""Visitors of web chats: their sessions, which agents keeps, and what is said in them, which messaging keeps."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.agents import WebchatTheme
from shared.contracts.base import Command, Contract, Done, HexId, Identifier, Query, Reply

ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]{1,300}$")]


class VisitorIdentity(Contract):
    """Who a visitor is by the word of the site they are on; `proof` is that site's signature over `external_id`."""

    external_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    proof: str  # hex HMAC-SHA256 of external_id under the channel's identity secret
    name: str | None = None
    email: str | None = None


class VisitorInput(Contract):
    """What is known for certain of a visitor (verified by the site's own signature); None leaves it as it is."""

    name: str | None = None
    email: str | None = None


class WebchatSession(Reply):
    """A visitor's thread on one channel, and what the widget shows of the channel."""

    session_id: Identifier
    webchat_id: Identifier
    user_id: Identifier
    phone_number_id: Identifier
    agent_id: Identifier
    external_id: str | None = None  # proven by the site
    visitor: VisitorInput | None = None  # what the site proved of them
    channel_name: str
    theme: WebchatTheme
    greeting: str | None
    quick_replies: tuple[str, ...]
    language: str | None
    created_at: AwareDatetime


class OpenWebchatSession(Command[WebchatSession]):
    """Begin a session, or take one up again. Idempotent by `session_id`.

    A proven identity has one session on all its devices, so the session of the answer may be another than the one
    asked for. Raises NotFoundError (no such channel) and PermissionDeniedError (the origin is not on the channel's
    list, the proof is wrong, or the channel asks for an identity and none is given).
    """

    message_type: ClassVar[str] = "agents.open_webchat_session.v1"
    reply_type: ClassVar[type[Reply]] = WebchatSession

    webchat_id: Identifier  # the channel's own id or its agent's
    session_id: Identifier
    origin: Origin
    identity: VisitorIdentity | None = None


class GetWebchatSession(Query[WebchatSession]):
    """A session as it may be used now. Raises NotFoundError and PermissionDeniedError as opening it would."""

    message_type: ClassVar[str] = "agents.get_webchat_session.v1"
    reply_type: ClassVar[type[Reply]] = WebchatSession

    webchat_id: Identifier
    session_id: Identifier
    origin: Origin


class SetWebchatIdentity(Command[Done]):
    """Give a channel the secret by which its site proves who a visitor is, or (None) take it away. It sets a value.

    The secret is sealed for the owner `webchat_id` and the field `identity_secret`. Raises NotFoundError.
    """

    message_type: ClassVar[str] = "agents.set_webchat_identity.v1"
    reply_type: ClassVar[type[Reply]] = Done

    webchat_id: Identifier
    sealed_secret: str | None
    required: bool = False  # visitors without a proven identity are turned away


class WebchatEntry(Contract):
    """One line of a web chat: a message, or a notice that a person answers now (or the agent again).

    `position` rises by one or more with each entry of a session, in the order in which entries become visible.
    """

    position: int
    kind: Literal["message", "notice"]
    message_id: HexId | None = None
    client_message_id: ClientMessageId | None = None  # the visitor's own messages
    author: Literal["visitor", "agent", "human", "business"] | None = None
    text: str | None = None
    handled_by: Literal["human", "agent"] | None = None  # of a notice
    at: AwareDatetime


class WebchatTranscript(Reply):
    """Entries of a session, oldest first; none for a session that has said nothing."""

    items: tuple[WebchatEntry, ...] = ()
    last_position: int = 0  # of the whole session
    handled_by: Literal["human", "agent"] = "agent"  # now


class GetWebchatTranscript(Query[WebchatTranscript]):
    """The first entries after a position: what a stream missed. With `last` the newest ones, before `before`."""

    message_type: ClassVar[str] = "messaging.get_webchat_transcript.v1"
    reply_type: ClassVar[type[Reply]] = WebchatTranscript

    phone_number_id: Identifier
    session_id: Identifier
    after: int = Field(default=0, ge=0)
    last: bool = False
    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=100, ge=1, le=200)


class ReceivedWebchatMessage(Reply):
    """A visitor's message, stored."""

    message_id: HexId
    conversation_id: HexId
    position: int
    received_at: AwareDatetime


class ReceiveWebchatMessage(Command[ReceivedWebchatMessage]):
    """A visitor wrote. Idempotent by session and client message id: the first text stays.

    Makes contact and conversation (its recipient is the session id) when they are not there yet, and announces
    MessagesReceived. Raises NotFoundError for an unknown number.
    """

    message_type: ClassVar[str] = "messaging.receive_webchat_message.v1"
    reply_type: ClassVar[type[Reply]] = ReceivedWebchatMessage

    phone_number_id: Identifier  # the channel's own, pn_webchat_…
    session_id: Identifier
    client_message_id: ClientMessageId
    text: str = Field(min_length=1, max_length=4000)
    visitor: VisitorInput | None = None
