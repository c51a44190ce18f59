"""The last messages of a conversation, in both directions: what agents are told of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.mongo import Database, Document

_OUTBOUND = ("payload", "template_id", "source", "type", "created_at")
_INBOUND = ("text", "type", "media_id", "content.mime_type", "created_at")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of either side. `payload` is what was posted to Meta; the customer's have none."""

    message_id: str
    type: str
    at: datetime
    source: str | None = None
    payload: Mapping[str, Any] | None = None
    template_id: str | None = None
    text: str | None = None
    media_id: str | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class ContextRepository:
    """Reads messages and inbound_messages, each by the index that lists a conversation."""

    database: Database

    async def list_last(self, conversation_id: str, limit: int) -> list[Utterance]:
        """The newest messages, oldest first, by our own clock: Meta's times of the customer's are whole seconds.

        What failed was said to nobody, and is left out.
        """
        wanted = {"conversation_id": conversation_id}
        said = (
            self.database["messages"]
            .find({**wanted, "state": {"$ne": "FAILED"}}, dict.fromkeys(_OUTBOUND, 1))
            .sort("created_at", -1)
            .limit(limit)
        )
        heard = (
            self.database["inbound_messages"]
            .find(wanted, dict.fromkeys(_INBOUND, 1))
            .sort([("received_at", -1), ("_id", -1)])
            .limit(limit)
        )
        ours, theirs = await asyncio.gather(said.to_list(), heard.to_list())
        utterances = [*map(_said, ours), *map(_heard, theirs)]
        return sorted(utterances, key=lambda utterance: utterance.at)[-limit:]


def _said(document: Document) -> Utterance:
    return Utterance(
        message_id=document["_id"],
        type=document["type"],
        at=document["created_at"],
        source=document["source"],
        payload=orjson.loads(document["payload"]),
        template_id=document.get("template_id"),
    )


def _heard(document: Document) -> Utterance:
    return Utterance(
        message_id=document["_id"],
        type=document["type"],
        at=document["created_at"],
        text=document.get("text"),
        media_id=document.get("media_id"),
        mime_type=(document.get("content") or {}).get("mime_type"),
    )
