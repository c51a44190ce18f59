"""A gateway with a web chat behind it: real sessions and channels; messaging and the agent as stand-ins."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.agents.handlers.sessions import SessionHandlers
from services.agents.repositories.channels import ChannelRepository
from services.agents.repositories.sessions import SessionRepository
from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.clock import utc_now
from shared.contracts.agents import CreateWebchatChannel
from shared.contracts.turns import ENTRY_STORED, GetTurn, TextDelta, TurnText
from shared.contracts.webchat import (
    GetWebchatTranscript,
    ReceivedWebchatMessage,
    ReceiveWebchatMessage,
    WebchatEntry,
    WebchatTranscript,
)
from shared.errors import WaapiError
from shared.ids import derived_hex_id
from shared.mongo import Database
from shared.web.ops import Readiness
from tests.eventually import eventually
from tests.gateway.conftest import ENVIRONMENT

WEBCHAT_ID = "webchat_8uJ1iK3oL5pZ7xC9vB2nM4"
AGENT_ID = "agent_webchat_6zX8cV1bN3mK5lJ7hG9fD2"
NUMBER_ID = "pn_webchat_1qA3wS5eD7rF9tG2yH4uJ6"

Reply = Callable[["Conversation", str], Awaitable[None]]


@dataclass
class Conversation:
    """One session's transcript, as messaging would keep it."""

    session_id: str
    stream: MemoryStream
    entries: list[WebchatEntry] = field(default_factory=list)
    turn: TurnText = field(default_factory=TurnText)
    turns: int = 0

    async def add(self, **entry: Any) -> WebchatEntry:
        """Store a line and let whoever watches know."""
        position = len(self.entries) + 1
        fields = {"position": position, "kind": "message", "at": utc_now()} | entry
        if fields["kind"] == "message":
            fields.setdefault("message_id", derived_hex_id(self.session_id, str(position)))
        self.entries.append(WebchatEntry.model_validate(fields))
        await self.stream.publish(self.session_id, ENTRY_STORED)
        return self.entries[-1]

    async def say(self, text: str) -> None:
        """The agent goes on speaking."""
        if self.turn.turn_id is None:
            self.turns += 1
            self.turn = TurnText(turn_id=f"turn_{self.turns}")
        delta = TextDelta(turn_id=self.turn.turn_id or "", offset=len(self.turn.text), text=text)
        self.turn = TurnText(turn_id=self.turn.turn_id, text=self.turn.text + text)
        await self.stream.publish(self.session_id, delta)

    async def answer(self, text: str, author: str = "agent") -> None:
        """The whole answer, stored."""
        self.turn = TurnText()
        await self.add(author=author, text=text)

    async def hand_over(self, handled_by: str) -> None:
        """Who answers changes."""
        await self.add(kind="notice", handled_by=handled_by)


@dataclass
class Desk:
    """Stands in for messaging and the agent. `reply` is what happens once a visitor has written."""

    stream: MemoryStream
    conversations: dict[str, Conversation] = field(default_factory=dict)
    received: list[ReceiveWebchatMessage] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    error: WaapiError | None = None

    def register(self, bus: MemoryBus) -> None:
        """Take the places of the real handlers."""
        bus.on(ReceiveWebchatMessage, self.receive)
        bus.on(GetWebchatTranscript, self.transcript)
        bus.on(GetTurn, self.get_turn)

    def of(self, session_id: str) -> Conversation:
        """A session's conversation."""
        return self.conversations.setdefault(session_id, Conversation(session_id, self.stream))

    @property
    def only(self) -> Conversation:
        """The one conversation there is."""
        (conversation,) = self.conversations.values()
        return conversation

    @property
    def texts(self) -> list[str]:
        """What visitors wrote, as it was stored."""
        return [
            entry.text or ""
            for conversation in self.conversations.values()
            for entry in conversation.entries
            if entry.author == "visitor"
        ]

    async def has_received(self, number: int) -> None:
        """Wait for this many messages."""
        await eventually(lambda: len(self.texts) == number)

    async def receive(self, command: ReceiveWebchatMessage) -> ReceivedWebchatMessage:
        """Store it once."""
        if self.error is not None:
            raise self.error
        self.received.append(command)
        conversation = self.of(command.session_id)
        known = [entry for entry in conversation.entries if entry.client_message_id == command.client_message_id]
        entry = (
            known[0]
            if known
            else await conversation.add(
                author="visitor", text=command.text, client_message_id=command.client_message_id
            )
        )
        if not known:
            for reply in self.replies:
                await reply(conversation, command.text)
        return ReceivedWebchatMessage(
            message_id=entry.message_id or "",
            conversation_id=derived_hex_id(command.session_id),
            position=entry.position,
            received_at=entry.at,
        )

    async def transcript(self, query: GetWebchatTranscript) -> WebchatTranscript:
        """As messaging would page it."""
        entries = self.of(query.session_id).entries
        chosen = [each for each in entries if query.after < each.position < (query.before or len(entries) + 1)]
        page = chosen[-query.limit :] if query.last else chosen[: query.limit]
        notices = [each.handled_by for each in entries if each.kind == "notice"]
        return WebchatTranscript(
            items=tuple(page), last_position=len(entries), handled_by=(notices or ["agent"])[-1] or "agent"
        )

    async def get_turn(self, query: GetTurn) -> TurnText:
        """The text so far."""
        return self.of(query.session_id).turn


@dataclass(frozen=True)
class Site:
    """The public listener with one channel."""

    url: str
    desk: Desk
    channels: ChannelRepository
    sessions: SessionRepository
    bus: MemoryBus
    app: web.Application

    @property
    def widget(self) -> str:
        """The address of the script."""
        return f"{self.url}/widget.js"

    async def change(self, **fields: Any) -> None:
        """Set the channel up in another way."""
        await self.channels.change(WEBCHAT_ID, fields)


@asynccontextmanager
async def serving_site(database: Database, **environment: str) -> AsyncIterator[Site]:
    """Serve it for as long as the block lasts."""
    bus, stream = MemoryBus(), MemoryStream()
    settings = GatewaySettings.from_env(ENVIRONMENT | environment)
    channels, sessions = ChannelRepository(database, utc_now), SessionRepository(database, utc_now)
    await ensure_indexes(database)
    SessionHandlers(channels, sessions, settings.key_ring, bus).register()
    desk = Desk(stream)
    desk.register(bus)
    await _open_channel(channels)
    _, public = build_apps(settings, database, bus, Readiness({}), stream)
    async with TestServer(public) as server:
        yield Site(str(server.make_url("")).rstrip("/"), desk, channels, sessions, bus, public)


async def _open_channel(channels: ChannelRepository) -> None:
    command = CreateWebchatChannel(
        webchat_id=WEBCHAT_ID,
        phone_number_id=NUMBER_ID,
        agent_id=AGENT_ID,
        user_id="usr_1",
        name="Acme Support",
        prompt_id="prompt_abc123",
    )
    await channels.add_once(command, "prompt_abc123")
    await channels.mark_open(WEBCHAT_ID)
    await channels.change(
        WEBCHAT_ID,
        {"greeting": "Hello! How can **we** help?", "quick_replies": ["Where is my order?", "Opening hours"]},
    )
