"""Erasing a person: what identifies them or what was written leaves every collection, and a tombstone stays.

The tombstone keeps the contact's id, which is a hash of user and phone, so that what comes late does not bring the
person back; and the consent, so that nobody who opted out is written to after all.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.messaging.domain.messages import conversation_id
from services.messaging.domain.states import CLAIMED, FAILED, GROUPED, QUEUED, RETRY_WAIT
from services.messaging.repositories.groups import GroupRepository
from shared.clock import Clock
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_ERASED = "erased"
_FINISH_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ErasureRepository:
    """Every collection of the service that knows people. `erasing` holds the number until all else is done."""

    database: Database
    groups: GroupRepository
    now: Clock

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    @property
    def _contacts(self) -> Any:
        return self.database["contacts"]

    async def ensure_indexes(self) -> None:
        """What was not erased to its end, and who else has the same file."""
        await self.database["media"].create_index("sha256")
        unfinished = {"erase_at": {"$exists": True}}
        await self._contacts.create_index("erase_at", partialFilterExpression=unfinished)

    async def erase(self, contact_id: str) -> None:
        """Erase one contact; a second time changes nothing. Raises NotFoundError for one that never was."""
        now = self.now()
        contact = await self._contacts.find_one({"_id": contact_id})
        if contact is None:
            raise NotFoundError("Contact not found")
        if contact.get("erased_at") is None:
            tombstone = {
                "_id": contact_id,
                "user_id": contact["user_id"],
                "phone": f"{_ERASED}:{contact_id}",
                "created_at": contact["created_at"],
                "updated_at": now,
                "erased_at": now,
                "erasing": contact.get("phone", ""),
                "erase_at": now + _FINISH_AFTER,
            }
            await self._contacts.replace_one({"_id": contact_id, "erased_at": {"$exists": False}}, tombstone)
            contact = tombstone
        await self._finish(contact)

    async def finish_all(self) -> None:
        """Finish what a crash left half-way."""
        async for contact in self._contacts.find({"erase_at": {"$lte": self.now()}}).limit(20):
            await self._finish(contact)

    async def finish_for(self, contact_ids: Collection[str]) -> None:
        """Go on with those of these who are being erased: what was on its way then may have come back to wait."""
        unfinished = {"_id": {"$in": list(contact_ids)}, "erase_at": {"$exists": True}}
        async for contact in self._contacts.find(unfinished):
            await self._finish(contact)

    async def _finish(self, contact: Document) -> None:
        if contact.get("erasing") is None:
            return
        threads = await self._threads(contact)
        of_thread = {"conversation_id": {"$in": threads}}
        await self.groups.close_threads(threads)
        await self._end_unposted(of_thread)
        posted = {"$set": {"to": _ERASED, "payload": "{}"}, "$unset": {"reply": "", "callers": ""}}
        at_rest = {"wake_at": {"$exists": False}, "state": {"$ne": GROUPED}}
        await self._messages.update_many(of_thread | at_rest, posted)
        await self._erase_inbound(of_thread)
        await self.database["webchat_entries"].delete_many(of_thread)
        await self.database["conversations"].update_many({"_id": {"$in": threads}}, {"$unset": {"recipient": ""}})
        of_contact = {"contact_id": contact["_id"]}
        await self.database["consents"].update_many(of_contact, {"$set": {"phone": _ERASED, "evidence": None}})
        if await self._messages.find_one(of_thread | {"to": {"$ne": _ERASED}}, {"_id": 1}) is None:
            await self._contacts.update_one({"_id": contact["_id"]}, {"$unset": {"erasing": "", "erase_at": ""}})
        else:  # some are on their way to Meta, or not announced yet
            later = {"$set": {"erase_at": self.now() + _FINISH_AFTER}}
            await self._contacts.update_one({"_id": contact["_id"]}, later)

    async def _threads(self, contact: Document) -> list[str]:
        """The conversations there are, and those that messages of ours may have before they are."""
        numbers = self.database["phone_numbers"].find({"user_id": contact["user_id"]}, {"_id": 1})
        threads = {conversation_id(number["_id"], contact["erasing"]) async for number in numbers}
        known = {"user_id": contact["user_id"], "contact_id": contact["_id"]}
        return [
            *threads.union([found["_id"] async for found in self.database["conversations"].find(known, {"_id": 1})])
        ]

    async def _end_unposted(self, of_thread: Document) -> None:
        now = self.now()
        unposted = {"state": {"$in": [QUEUED, RETRY_WAIT, CLAIMED]}, "rank": 0, "resends": {"$exists": False}}
        ended = {"state": FAILED, "failure": "recipient_erased", "ended_at": now, "wake_at": now}
        await self._messages.update_many(of_thread | unposted, {"$set": ended, "$unset": {"aid": ""}})

    async def _erase_inbound(self, of_thread: Document) -> None:
        inbound, media = self.database["inbound_messages"], self.database["media"]
        files: list[str] = await inbound.distinct("media_id", of_thread | {"media_id": {"$exists": True}})
        hashes: list[str] = await media.distinct("sha256", {"_id": {"$in": files}})
        await media.delete_many({"_id": {"$in": files}})
        for digest in hashes:
            if await media.find_one({"sha256": digest}, {"_id": 1}) is None:  # nobody else has the same file
                await self.database["media_pieces"].delete_many({"_id": {"$regex": f"^{digest}:"}})
        blank = {"$set": {"sender": _ERASED}, "$unset": {"text": "", "content": "", "media_id": "", "profile_name": ""}}
        await inbound.update_many(of_thread, blank)
