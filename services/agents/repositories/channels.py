"""Web chat channels. One that is being opened or closed says when somebody must look at it again.

What a channel's agent knows better (its prompt as of now, its budget) is not here: `prompt_id` is what the channel was
opened with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument

from shared.clock import Clock
from shared.contracts.agents import CreateWebchatChannel, WebchatChannel, WebchatTheme
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_PATIENCE = timedelta(minutes=1)  # after which a channel that is still half open is finished by whoever looks

# opening → open → closing → closed. A closed channel stays, so that a late repetition cannot open it again.


@dataclass(frozen=True, slots=True)
class ChannelRepository:
    """The webchat_channels collection."""

    database: Database
    now: Clock

    @property
    def _channels(self) -> Any:
        return self.database["webchat_channels"]

    async def ensure_indexes(self) -> None:
        """Listed by user, newest first; found by their agent, and again while half open."""
        await self._channels.create_index([("user_id", 1), ("created_at", -1)])
        await self._channels.create_index("agent_id", unique=True)
        await self._channels.create_index("check_at", partialFilterExpression={"check_at": {"$exists": True}})

    async def add_once(self, command: CreateWebchatChannel, prompt_id: str) -> WebchatChannel:
        """Store a channel that is being opened, or return it when this command stored it before.

        Raises NotFoundError when it has been closed since.
        """
        now = self.now()
        fields = command.model_dump(exclude={"webchat_id", "prompt_id"}) | {
            "prompt_id": prompt_id,
            "state": "opening",
            "check_at": now + _PATIENCE,
            "created_at": now,
            "updated_at": now,
        }
        document = await self._channels.find_one_and_update(
            {"_id": command.webchat_id},
            {"$setOnInsert": fields},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if document["state"] not in {"opening", "open"}:
            raise _not_found()
        return _to_channel(document)

    async def get(self, webchat_id: str) -> WebchatChannel:
        """One open channel, by its own id or its agent's. Raises NotFoundError."""
        channel = await self.find(webchat_id)
        if channel is None:
            raise _not_found()
        return channel

    async def find(self, webchat_id: str) -> WebchatChannel | None:
        """One open channel, by its own id or its agent's, or None."""
        document = await self._channels.find_one(
            {"$or": [{"_id": webchat_id}, {"agent_id": webchat_id}], "state": "open"}
        )
        return _to_channel(document) if document else None

    async def find_begun(self, webchat_id: str) -> WebchatChannel | None:
        """One channel that is open or being opened, or None."""
        document = await self._channels.find_one({"_id": webchat_id, "state": {"$in": ["opening", "open"]}})
        return _to_channel(document) if document else None

    async def list_by_user(self, user_id: str) -> tuple[WebchatChannel, ...]:
        """A user's open channels, newest first."""
        found = self._channels.find({"user_id": user_id, "state": "open"}).sort([("created_at", -1), ("_id", -1)])
        return tuple([_to_channel(document) async for document in found])

    async def change(self, webchat_id: str, changes: Mapping[str, Any]) -> WebchatChannel:
        """Set fields of an open channel. Raises NotFoundError."""
        document = await self._channels.find_one_and_update(
            {"_id": webchat_id, "state": "open"},
            {"$set": {**changes, "updated_at": self.now()}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise _not_found()
        return _to_channel(document)

    async def mark_open(self, webchat_id: str) -> None:
        """Number and agent are there."""
        await self._channels.update_one(
            {"_id": webchat_id, "state": "opening"}, {"$set": {"state": "open"}, "$unset": {"check_at": ""}}
        )

    async def mark_closing(self, webchat_id: str) -> WebchatChannel:
        """From now on the channel is gone for everybody; agent and number follow. Raises NotFoundError."""
        document = await self._channels.find_one_and_update(
            {"_id": webchat_id, "state": {"$in": ["open", "closing"]}},
            {"$set": {"state": "closing", "check_at": self.now() + _PATIENCE}},
        )
        if document is None:
            raise _not_found()
        return _to_channel(document)

    async def mark_closed(self, webchat_id: str) -> None:
        """Agent and number are gone. What it was stays beside the conversations that were held on it."""
        await self._channels.update_one(
            {"_id": webchat_id, "state": "closing"},
            {"$set": {"state": "closed", "closed_at": self.now()}, "$unset": {"check_at": ""}},
        )

    async def claim_half_open(self) -> tuple[WebchatChannel, bool] | None:
        """A channel whose opening or closing was not finished in time, and whether it is to be opened.

        It is the caller's for a minute.
        """
        now = self.now()
        document = await self._channels.find_one_and_update(
            {"check_at": {"$lte": now}}, {"$set": {"check_at": now + _PATIENCE}}
        )
        return (_to_channel(document), document["state"] == "opening") if document else None


def _not_found() -> NotFoundError:
    return NotFoundError("Webchat channel not found")


def _to_channel(document: Document) -> WebchatChannel:
    return WebchatChannel(
        webchat_id=document["_id"],
        phone_number_id=document["phone_number_id"],
        agent_id=document["agent_id"],
        user_id=document["user_id"],
        prompt_id=document["prompt_id"],
        source_agent_id=document["source_agent_id"],
        name=document["name"],
        allowed_origins=tuple(document.get("allowed_origins") or ()),
        theme=WebchatTheme.model_validate(document.get("theme") or {}),
        greeting=document.get("greeting"),
        quick_replies=tuple(document.get("quick_replies") or ()),
        language=document.get("language"),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
