"""Erasing a person: what identifies them or what was written leaves every collection, and a tombstone stays.

The tombstone keeps the contact's id, which is a hash of user and phone, so that what comes late does not bring the
person back; and the consent, so that nobody who opted out is written to after all.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.messaging.domain.messages import conversation_id
from shared.clock import Clock
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_ERASED = "erased"
_FINISH_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ErasureRepository:
    """Every collection of the service that knows people. `erasing` holds the number until all else is done."""

    database: Database
    now: Clock

    @property
    def _contacts(self) -> Any:
        return self.database["contacts"]

    async def ensure_indexes(self) -> None:
        """What was not erased to its end."""
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

    async def _finish(self, contact: Document) -> None:
        phone = contact.get("erasing")
        if phone is None:
            return
        numbers = self.database["phone_numbers"].find({"user_id": contact["user_id"]}, {"_id": 1})
        threads = [conversation_id(number["_id"], phone) async for number in numbers]
        of_thread = {"conversation_id": {"$in": threads}}
        posted = {"$set": {"to": _ERASED, "payload": "{}"}, "$unset": {"reply": "", "callers": ""}}
        await self.database["messages"].update_many(of_thread | {"wake_at": {"$exists": False}}, posted)
        await self.database["inbound_messages"].update_many(
            of_thread, {"$set": {"sender": _ERASED}, "$unset": {"text": "", "content": "", "media_id": ""}}
        )
        preview = {"last_message": "", "recipient": "", "name": ""}
        await self.database["conversations"].update_many({"_id": {"$in": threads}}, {"$unset": preview})
        of_contact = {"contact_id": contact["_id"]}
        await self.database["consents"].update_many(of_contact, {"$set": {"phone": _ERASED, "evidence": None}})
        await self._contacts.update_one({"_id": contact["_id"]}, {"$unset": {"erasing": "", "erase_at": ""}})
