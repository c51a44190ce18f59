"""The lines of web chats, in the order in which they became visible.

A line's position is drawn and the line inserted in one transaction that also changes the conversation: two lines of one
conversation exclude each other, so nobody ever sees a later line before an earlier one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from services.messaging.domain.inbound import InboundMessage
from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.states import ANNOUNCE_AFTER, SENT
from services.messaging.repositories.documents import to_document
from shared.clock import Clock
from shared.contracts.webchat import WebchatEntry
from shared.mongo import Database, Document

Author = Literal["visitor", "agent", "human", "business"]


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says; `id` is its message's, or that of the change that a notice is about."""

    id: str
    conversation_id: str
    at: datetime
    text: str | None = None
    author: Author | None = None
    client_message_id: str | None = None
    handled_by: Literal["human", "agent"] | None = None


@dataclass(frozen=True, slots=True)
class WebchatRepository:
    """The webchat_entries collection."""

    database: Database
    now: Clock

    @property
    def _entries(self) -> Any:
        return self.database["webchat_entries"]

    async def ensure_indexes(self) -> None:
        """Read in order."""
        await self._entries.create_index([("conversation_id", 1), ("position", 1)], unique=True)

    async def add_once(self, line: Line) -> int:
        """The line's position, drawn now or before. The conversation must be there."""
        stored: Document | None = await self._entries.find_one({"_id": line.id})
        if stored is not None:
            return int(stored["position"])
        async with self.database.client.start_session() as session:
            return await session.with_transaction(lambda within: self._add(line, within))

    async def _add(self, line: Line, session: AsyncClientSession) -> int:
        if (stored := await self._entries.find_one({"_id": line.id}, session=session)) is not None:
            return int(stored["position"])
        thread = await self.database["conversations"].find_one_and_update(
            {"_id": line.conversation_id},
            {"$inc": {"positions": 1}},
            projection={"positions": 1},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        position = int(thread["positions"]) if thread else 1
        await self._entries.insert_one(_to_document(line, position), session=session)
        return position

    async def has(self, line_id: str) -> bool:
        """Whether there is this line."""
        return await self._entries.find_one({"_id": line_id}, {"_id": 1}) is not None

    async def add_sent(self, message: OutboundMessage) -> datetime:
        """Store an answer among all messages; returns when it was sent, also at a repetition.

        It has no id of Meta's, so its own stands for it; `wake_at` lets the sweeper announce it if we cannot.
        """
        now = self.now()
        rest = {"wamid": message.id, "ended_at": now, "wake_at": now + ANNOUNCE_AFTER}
        messages = self.database["messages"]
        try:
            await messages.insert_one(to_document(message, SENT, now=now) | rest)
        except DuplicateKeyError:
            stored = await messages.find_one({"_id": message.id}, {"ended_at": 1})
            return cast("datetime", (stored or {}).get("ended_at", now))
        return now

    async def list_after(self, conversation_id: str, position: int, limit: int) -> list[WebchatEntry]:
        """The first lines after a position."""
        found = self._entries.find({"conversation_id": conversation_id, "position": {"$gt": position}})
        return [_to_entry(each) for each in await found.sort("position", 1).limit(limit).to_list()]

    async def list_last(self, conversation_id: str, before: int | None, limit: int) -> list[WebchatEntry]:
        """The newest lines (before a position), in their order."""
        wanted: Document = {"conversation_id": conversation_id}
        if before is not None:
            wanted["position"] = {"$lt": before}
        found: Sequence[Document] = await self._entries.find(wanted).sort("position", -1).limit(limit).to_list()
        return [_to_entry(each) for each in reversed(found)]

    async def last_position(self, conversation_id: str) -> int:
        """How many lines there are."""
        last = await self._entries.find_one({"conversation_id": conversation_id}, sort=[("position", -1)])
        return int(last["position"]) if last else 0


def line_of(message: InboundMessage) -> Line:
    """The line that a visitor's message is."""
    return Line(
        id=message.id,
        conversation_id=message.conversation_id,
        at=message.received_at,
        text=message.text,
        author="visitor",
        client_message_id=message.client_message_id,
    )


def _to_document(line: Line, position: int) -> Document:
    document: Document = {
        "_id": line.id,
        "conversation_id": line.conversation_id,
        "position": position,
        "kind": "message" if line.author is not None else "notice",
        "at": line.at,
    }
    for key in ("text", "author", "client_message_id", "handled_by"):
        if (value := getattr(line, key)) is not None:
            document[key] = value
    return document


def _to_entry(document: Document) -> WebchatEntry:
    is_message = document["kind"] == "message"
    return WebchatEntry(
        position=document["position"],
        kind=document["kind"],
        message_id=document["_id"] if is_message else None,
        client_message_id=document.get("client_message_id"),
        author=document.get("author"),
        text=document.get("text"),
        handled_by=document.get("handled_by"),
        at=document["at"],
    )
