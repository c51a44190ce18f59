"""Contacts and conversations. Their ids follow from user, number and phone, so writing them twice is harmless."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from services.messaging.domain.messages import contact_id, conversation_id
from shared.clock import Clock
from shared.contracts.messaging import ContactInput
from shared.mongo import Database, Document

_MOST_KNOWN = 100_000


@dataclass(frozen=True, slots=True)
class ThreadRepository:
    """The contacts and conversations collections."""

    database: Database
    now: Clock
    _known: dict[str, None] = field(default_factory=dict)  # threads whose writing was journaled; none is ever deleted

    @property
    def _contacts(self) -> Any:
        return self.database["contacts"]

    @property
    def _conversations(self) -> Any:
        return self.database["conversations"]

    async def ensure_indexes(self) -> None:
        """Listed by user, newest first; looked up by phone."""
        has_phone = {"phone": {"$exists": True}}  # some customers show none
        await self._contacts.create_index(
            [("user_id", 1), ("phone", 1)], unique=True, partialFilterExpression=has_phone, name="user_phone"
        )
        await self._conversations.create_index([("user_id", 1), ("created_at", -1)])

    async def ensure(self, user_id: str, phone_number_id: str, contacts: Mapping[str, ContactInput | None]) -> None:
        """Make sure that each phone has its contact and its thread with this number; take over what is told of it.

        A thread is written after its contact, so that one which exists has its contact, too.
        """
        now = self.now()
        told = [_upsert(user_id, phone, given, now) for phone, given in contacts.items() if given is not None]
        if told:
            await self._contacts.bulk_write(told, ordered=False)
        threads = {conversation_id(phone_number_id, phone): phone for phone in contacts}
        missing = {id_: phone for id_, phone in threads.items() if id_ not in self._known}
        if not missing:
            return
        await _insert(self._contacts, [_contact(user_id, phone, now) for phone in missing.values()])
        thread = {
            "user_id": user_id,
            "phone_number_id": phone_number_id,
            "channel": "whatsapp",
            "handled_by": "agent",
            "created_at": now,
            "last_message_at": now,
        }
        await _insert(
            self._conversations,
            [
                {"_id": id_, "contact_id": contact_id(user_id, phone), "recipient": phone} | thread
                for id_, phone in missing.items()
            ],
        )
        self._remember(missing)

    def _remember(self, threads: Iterable[str]) -> None:
        self._known.update(dict.fromkeys(threads))
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]


def _contact(user_id: str, phone: str, now: datetime) -> Document:
    return {
        "_id": contact_id(user_id, phone),
        "user_id": user_id,
        "phone": phone,
        "created_at": now,
        "updated_at": now,
    }


def _upsert(user_id: str, phone: str, given: ContactInput, now: datetime) -> UpdateOne:
    known = given.model_dump(exclude_none=True)
    return UpdateOne(
        {"_id": contact_id(user_id, phone)},
        {"$set": known | {"updated_at": now}, "$setOnInsert": {"user_id": user_id, "phone": phone, "created_at": now}},
        upsert=True,
    )


async def _insert(collection: Any, documents: list[Document]) -> None:
    """Insert what is not there yet."""
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(entry["code"] != 11000 for entry in (error.details or {}).get("writeErrors", [])):
            raise
