"""The groups that campaign messages are sent in: one document stands for what up to a hundred messages have in common.

While a message is GROUPED, its group's document says who has it, until when, and whether it may have been posted. So an
intent is one small update for all of them, and no message needs a `wake_at` that would be written and removed again.
What a group leaves behind, or what somebody else must decide, is opened up: its messages get the state and the
`wake_at` of their own that every other part of the protocol goes by.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.states import ANNOUNCE_AFTER, CLAIMED, DISPATCHING, FAILED, GROUPED, SENT, Timing
from shared.clock import Clock
from shared.mongo import Database, Document

# A worker that froze while it inserted may have done so after the first look. Nobody else can know of those messages.
SECOND_LOOK_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GroupRepository:
    """The groups collection. A document is there from before its messages until all of them can do without it."""

    database: Database
    now: Clock

    @property
    def _groups(self) -> Any:
        return self.database["groups"]

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    async def ensure_indexes(self) -> None:
        """Few documents are there at any time; these keep it so that nobody reads all of them."""
        for key in ("wake_at", "campaign_id", "credits"):
            await self._groups.create_index(key)

    async def begin(self, group_id: str, messages: Sequence[OutboundMessage], timing: Timing, worker: str) -> None:
        """Store a group before any of its messages. Repeating this is harmless."""
        now = self.now()
        document = {
            "worker": worker,
            "message_ids": [message.id for message in messages],
            "campaign_id": messages[0].campaign_id,
            "credits": sorted({message.credit for message in messages if message.credit is not None}),
            "created_at": now,
            "wake_at": now + timing.lease,
        }
        await self._groups.update_one({"_id": group_id}, {"$setOnInsert": document}, upsert=True)

    async def intend(self, group_id: str) -> datetime | None:
        """Record that what is GROUPED in this group is about to be posted; returns the moment that is stored.

        None means that somebody has closed it before, so that nothing of it may be posted.
        """
        now = self.now()
        still_open = {"_id": group_id, "closed": {"$exists": False}}
        result = await self._groups.update_one(still_open, {"$set": {"intended_at": now}})
        return now if result.matched_count else None

    async def forget(self, group_ids: Sequence[str]) -> None:
        """Remove groups that nothing needs any more: no message of them is GROUPED, or waits to be announced."""
        await self._groups.delete_many({"_id": {"$in": list(group_ids)}})

    async def close_campaign(self, campaign_id: str) -> None:
        """Let no group of a campaign be intended any more; what is in those that were not is claimed, and due."""
        unintended = {"campaign_id": campaign_id, "intended_at": {"$exists": False}}
        await self._close(unintended)

    async def close_threads(self, conversation_ids: Sequence[str]) -> None:
        """The same for the groups that hold messages of these threads."""
        of_threads = {"conversation_id": {"$in": list(conversation_ids)}, "state": GROUPED}
        if group_ids := await self._messages.distinct("aid", of_threads):
            await self._close({"_id": {"$in": group_ids}, "intended_at": {"$exists": False}})

    async def _close(self, unintended: Document) -> None:
        await self._groups.update_many(unintended | {"closed": {"$exists": False}}, {"$set": {"closed": True}})
        async for group in self._groups.find(unintended | {"closed": True}):
            await self._open_up(group)

    async def wake_due(self) -> int:
        """Close the groups whose lease has ended and open them up; returns how many there were."""
        count = 0
        while group := await self._take_due():
            await self._open_up(group)
            await self._wake_unannounced(group)
            if group.get("looked_at"):
                await self.forget([group["_id"]])
            else:
                now = self.now()
                seen = {"$set": {"looked_at": now, "wake_at": now + SECOND_LOOK_AFTER}}
                await self._groups.update_one({"_id": group["_id"]}, seen)
            count += 1
        return count

    async def list_grouped(self, entry_id: str) -> list[str]:
        """The messages that a credit entry pays for and that are in a group now, or were a moment ago."""
        paid = self._groups.find({"credits": entry_id}, {"message_ids": 1})
        return [message_id async for group in paid for message_id in group["message_ids"]]

    async def _take_due(self) -> Document | None:
        """One for this sweeper alone; should it die, another takes the group a little later."""
        now = self.now()
        taken: Document | None = await self._groups.find_one_and_update(
            {"wake_at": {"$lte": now}},
            {"$set": {"closed": True, "wake_at": now + ANNOUNCE_AFTER}},
            sort=[("wake_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return taken

    async def _open_up(self, group: Document) -> None:
        """What is still GROUPED is claimed, and due; or intended, if the group was, and its lease is over."""
        change: Document = {"$set": {"state": CLAIMED, "wake_at": self.now()}}
        if intended_at := group.get("intended_at"):
            change["$set"] |= {"state": DISPATCHING, "intended_at": intended_at}
            change["$inc"] = {"attempt": 1}
        await self._messages.update_many(self._own(group, [GROUPED]), change)

    async def _wake_unannounced(self, group: Document) -> None:
        """Nobody knows whether the outcomes that were recorded have been announced: they are once more."""
        untold = self._own(group, [SENT, FAILED]) | {"wake_at": {"$exists": False}}
        await self._messages.update_many(untold, {"$set": {"wake_at": self.now()}})

    @staticmethod
    def _own(group: Document, states: Collection[str]) -> Document:
        return {"_id": {"$in": group["message_ids"]}, "aid": group["_id"], "state": {"$in": list(states)}}
