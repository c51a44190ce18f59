"""Contacts and conversations. Their ids follow from user, number and phone, so writing them twice is harmless."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from services.messaging.domain.messages import contact_id, conversation_id
from shared.clock import Clock
from shared.contracts.messaging import ContactInput
from shared.mongo import Database, Document


@dataclass(frozen=True, slots=True)
class ThreadRepository:
    """The contacts and conversations collections."""

    database: Database
    now: Clock

    @property
    def _contacts(self) -> Any:
        return self.database["contacts"]

    @property
    def _conversations(self) -> Any:
        return self.database["conversations"]

    async def ensure_indexes(self) -> None:
        """Listed by user, newest first; looked up by phone."""
        await self._contacts.create_index([("user_id", 1), ("phone", 1)], unique=True)
        await self._conversations.create_index([("user_id", 1), ("created_at", -1)])

    async def ensure(self, user_id: str, phone_number_id: str, contacts: Mapping[str, ContactInput | None]) -> None:
        """Make sure that each phone has its contact and its thread with this number; take over what is told of it."""
        now = self.now()
        plain = [phone for phone, given in contacts.items() if given is None]
        await _insert_missing(
            self._contacts,
            [
                {
                    "_id": contact_id(user_id, phone),
                    "user_id": user_id,
                    "phone": phone,
                    "created_at": now,
                    "updated_at": now,
                }
                for phone in plain
            ],
        )
        told = {phone: given for phone, given in contacts.items() if given is not None}
        if told:
            await self._contacts.bulk_write(
                [_upsert(user_id, phone, given, now) for phone, given in told.items()], ordered=False
            )
        await _insert_missing(
            self._conversations,
            [
                {
                    "_id": conversation_id(phone_number_id, phone),
                    "user_id": user_id,
                    "phone_number_id": phone_number_id,
                    "contact_id": contact_id(user_id, phone),
                    "channel": "whatsapp",
                    "created_at": now,
                }
                for phone in contacts
            ],
        )


def _upsert(user_id: str, phone: str, given: ContactInput, now: Any) -> UpdateOne:
    known = given.model_dump(exclude_none=True)
    return UpdateOne(
        {"_id": contact_id(user_id, phone)},
        {"$set": known | {"updated_at": now}, "$setOnInsert": {"user_id": user_id, "phone": phone, "created_at": now}},
        upsert=True,
    )


async def _insert_missing(collection: Any, documents: list[Document]) -> None:
    if not documents:
        return
    known = {d["_id"] async for d in collection.find({"_id": {"$in": [d["_id"] for d in documents]}}, {"_id": 1})}
    missing = [document for document in documents if document["_id"] not in known]
    if not missing:
        return
    try:
        await collection.insert_many(missing, ordered=False)
    except BulkWriteError as error:
        if any(entry["code"] != 11000 for entry in (error.details or {}).get("writeErrors", [])):
            raise
