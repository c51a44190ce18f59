"""Threads as they move: what came in, who handles them, and which answers they have outdated.

`sequence` rises with everything that outdates an answer in the making. Each step names its cause, and a cause counts
once: `causes` remembers the last ones, so that a repetition changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from services.messaging.domain.inbound import WINDOW, InboundMessage
from services.messaging.repositories.upserting import upsert_all
from shared.clock import Clock
from shared.contracts.conversations import HandlingChange
from shared.mongo import Database, Document

_CAUSES_KEPT = 50
_CHANGE_WAITS = "changes.0"

HandledBy = Literal["human", "agent"]


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a conversation stands."""

    id: str
    user_id: str
    phone_number_id: str
    channel: str
    contact_id: str
    recipient: str
    handled_by: HandledBy
    sequence: int
    window_expires_at: datetime | None
    response_id: str | None
    newest_wa_message_id: str | None  # the customer's newest message, as Meta calls it


@dataclass(frozen=True, slots=True)
class ConversationRepository:
    """The conversations collection, but for the making of threads on the send path."""

    database: Database
    now: Clock

    @property
    def _conversations(self) -> Any:
        return self.database["conversations"]

    async def ensure_indexes(self) -> None:
        """Listed by activity; changes that are not announced yet are found by themselves."""
        await self._conversations.create_index([("user_id", 1), ("last_message_at", -1), ("_id", -1)])
        await self._conversations.create_index([("phone_number_id", 1), ("last_message_at", -1)])
        await self._conversations.create_index(
            _CHANGE_WAITS, partialFilterExpression={_CHANGE_WAITS: {"$exists": True}}, name="changes_wait"
        )

    async def take(self, messages: Sequence[InboundMessage]) -> dict[str, Thread]:
        """Let threads take what came in, once each; returns the threads as they stand then."""
        if len(messages) == 1:
            return await self._take_one(messages[0])
        updates = [UpdateOne({"_id": each.conversation_id}, self._taking(each), upsert=True) for each in messages]
        await upsert_all(self._conversations, updates)
        return await self.list_threads({message.conversation_id for message in messages})

    async def _take_one(self, message: InboundMessage) -> dict[str, Thread]:
        """The same in one step, as most messages come."""
        step = {"_id": message.conversation_id}, self._taking(message)
        upserting = partial(self._conversations.find_one_and_update, *step, upsert=True)
        try:
            document = await upserting(return_document=ReturnDocument.AFTER)
        except DuplicateKeyError:  # another process made it at the same moment: now it is there
            document = await upserting(return_document=ReturnDocument.AFTER)
        return {document["_id"]: _to_thread(document)}

    def _taking(self, message: InboundMessage) -> list[Document]:
        at = {"$literal": message.received_at}
        newest = {"at": at, "id": message.id, "wa_message_id": {"$literal": message.wa_message_id}}
        change: Document = {
            "user_id": message.user_id,
            "phone_number_id": message.phone_number_id,
            "channel": message.channel,
            "contact_id": {"$ifNull": ["$contact_id", message.contact_id]},
            "recipient": {"$ifNull": ["$recipient", {"$literal": message.sender}]},
            "handled_by": {"$ifNull": ["$handled_by", "agent"]},
            "created_at": {"$ifNull": ["$created_at", self.now()]},
            "last_message_at": {"$max": ["$last_message_at", at]},
            # Only what a person did can be marked as read; BSON compares the members in their order.
            "newest": {"$max": ["$newest", newest]},
        }
        if message.opens_window:
            change["window_expires_at"] = {"$max": ["$window_expires_at", {"$literal": message.received_at + WINDOW}]}
        if message.counts:
            change |= _moved_on(message.id)
        return [{"$set": change}]

    async def list_threads(self, ids: Iterable[str]) -> dict[str, Thread]:
        """Threads by id."""
        found = self._conversations.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: _to_thread(document) async for document in found}

    async def list_windows(self, ids: Iterable[str]) -> dict[str, datetime]:
        """When the windows of threads close, or did; threads that never had one are left out."""
        wanted = {"_id": {"$in": list(ids)}, "window_expires_at": {"$exists": True}}
        found = self._conversations.find(wanted, {"window_expires_at": 1})
        return {document["_id"]: document["window_expires_at"] async for document in found}

    async def find(self, conversation_id: str) -> Thread | None:
        """One thread."""
        return (await self.list_threads([conversation_id])).get(conversation_id)

    async def hand_over(
        self,
        conversation_id: str,
        to: HandledBy,
        *,
        by: Literal["agent", "api", "human_reply"],
        cause: str,
        note: str | None = None,
    ) -> Thread | None:
        """Let somebody else handle a thread; None when there is no such thread.

        `cause` counts once. A message of a person's outdates answers even when a person handled the thread before.
        """
        moved = {"$ne": [{"$ifNull": ["$handled_by", "agent"]}, to]}
        outdates = True if by == "human_reply" else moved
        change = {
            "at": self.now(),
            "by": by,
            "handled_by": to,
            "note": {"$literal": note},
            "sequence": {"$add": [{"$ifNull": ["$sequence", 0]}, 1]},
        }
        changes = {"$ifNull": ["$changes", []]}
        document = await self._conversations.find_one_and_update(
            {"_id": conversation_id, "causes": {"$ne": cause}},
            [
                {
                    "$set": _moved_on(cause, outdates)
                    | {
                        "handled_by": to,
                        "changes": {"$cond": [moved, {"$concatArrays": [changes, [change]]}, "$changes"]},
                    }
                },
                {"$set": {"changes": {"$cond": [{"$eq": [{"$size": changes}, 0]}, "$$REMOVE", "$changes"]}}},
            ],
            return_document=ReturnDocument.AFTER,
        )
        return _to_thread(document) if document else await self.find(conversation_id)

    async def outdate(self, conversation_ids: Sequence[str], cause: str) -> None:
        """Let no answer in the making be sent: the customer wants to hear nothing more."""
        await self._conversations.update_many(
            {"_id": {"$in": list(conversation_ids)}, "causes": {"$ne": cause}}, [{"$set": _moved_on(cause)}]
        )

    async def admit_answer(
        self, conversation_id: str, sequence: int, *, response_id: str | None, needs_window: bool
    ) -> Thread | None:
        """Let an agent's answer go if the thread still stands where it was; None if not.

        What changes the thread comes before this update, and is seen by it, or after it, and then the answer was given.
        """
        now = self.now()
        wanted: Document = {"_id": conversation_id, "sequence": sequence, "handled_by": {"$ne": "human"}}
        if needs_window:
            wanted["window_expires_at"] = {"$gt": now}
        change: Document = {"last_message_at": now} | ({"response_id": response_id} if response_id is not None else {})
        document = await self._conversations.find_one_and_update(
            wanted, {"$set": change}, return_document=ReturnDocument.AFTER
        )
        return _to_thread(document) if document else None

    async def list_changed(self, limit: int) -> list[HandlingChange]:
        """Changes of handling that are not announced yet."""
        found = self._conversations.find({_CHANGE_WAITS: {"$exists": True}}).limit(limit)
        return [change async for document in found for change in _to_changes(document)]

    async def changes_of(self, conversation_id: str) -> list[HandlingChange]:
        """The same of one thread."""
        document = await self._conversations.find_one({"_id": conversation_id})
        return _to_changes(document) if document else []

    async def mark_announced(self, changes: Sequence[HandlingChange]) -> None:
        """These are with the broker."""
        for change in changes:
            await self._conversations.update_one(
                {"_id": change.conversation_id},
                [
                    {
                        "$set": {
                            "changes": {
                                "$filter": {
                                    "input": {"$ifNull": ["$changes", []]},
                                    "cond": {"$ne": ["$$this.sequence", int(change.id.rpartition(":")[2])]},
                                }
                            }
                        }
                    },
                    {"$set": {"changes": {"$cond": [{"$eq": ["$changes", []]}, "$$REMOVE", "$changes"]}}},
                ],
            )


def _moved_on(cause: str, when: Any = True) -> Document:
    """One step further, unless this cause has had its step."""
    known = {"$ifNull": ["$causes", []]}
    steps = {"$and": [when, {"$not": [{"$in": [cause, known]}]}]}
    return {
        "sequence": {"$add": [{"$ifNull": ["$sequence", 0]}, {"$cond": [steps, 1, 0]}]},
        "causes": {"$cond": [steps, {"$slice": [{"$concatArrays": [known, [cause]]}, -_CAUSES_KEPT]}, known]},
    }


def _to_thread(document: Document) -> Thread:
    newest = document.get("newest") or {}
    return Thread(
        id=document["_id"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        channel=document["channel"],
        contact_id=document["contact_id"],
        recipient=document.get("recipient", ""),
        handled_by=document.get("handled_by", "agent"),
        sequence=document.get("sequence", 0),
        window_expires_at=document.get("window_expires_at"),
        response_id=document.get("response_id"),
        newest_wa_message_id=newest.get("wa_message_id"),
    )


def _to_changes(document: Document) -> list[HandlingChange]:
    return [
        HandlingChange(
            id=f"conversation.{'handed_over' if change['handled_by'] == 'human' else 'handed_back'}"
            f":{document['_id']}:{change['sequence']}",
            user_id=document["user_id"],
            phone_number_id=document["phone_number_id"],
            conversation_id=document["_id"],
            channel=document["channel"],
            contact_id=document["contact_id"],
            handled_by=change["handled_by"],
            note=change["note"],
            by=change["by"],
            at=change["at"],
        )
        for change in document.get("changes", ())
    ]
