"""Contacts: who a user writes to. Their ids follow from user and phone, so writing one twice is harmless."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError

from services.messaging.domain.messages import contact_id
from services.messaging.domain.variables import ContactFields
from shared.clock import Clock
from shared.contracts.contacts import Consent, Contact, ContactRow, Contacts, ListContacts, UpdateContact
from shared.errors import InvalidInputError, NotFoundError
from shared.mongo import Database, Document

_DUPLICATE_KEY = 11000
_SEARCH_MS = 2000
_FIELDS = ("name", "email", "company")
_TOLD = dict.fromkeys((*_FIELDS, "phone", "attributes", "tags", "erased_at"), 1)
_CURSOR = re.compile(r"(\d{1,14})-([A-Za-z0-9_.:+@-]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ContactRepository:
    """The contacts collection. One that was erased is a tombstone: `erased_at`, and nothing of the person."""

    database: Database
    now: Clock

    @property
    def _contacts(self) -> Any:
        return self.database["contacts"]

    async def ensure_indexes(self) -> None:
        """Listed newest first, found by tag; threads make the index by phone."""
        await self._contacts.create_index([("user_id", 1), ("created_at", -1), ("_id", -1)])
        tagged = {"tags": {"$exists": True}}
        await self._contacts.create_index([("user_id", 1), ("tags", 1)], partialFilterExpression=tagged)

    async def get(self, identifier: str) -> Contact:
        """One contact. Raises NotFoundError."""
        document = await self._contacts.find_one({"_id": identifier, "erased_at": {"$exists": False}})
        if document is None:
            raise _unknown()
        return to_contact(document)

    async def list_page(self, query: ListContacts) -> Contacts:
        """A page of a user's contacts, newest first. Raises InvalidInputError for a cursor that is none of ours."""
        wanted: Document = {"user_id": query.user_id, "erased_at": {"$exists": False}}
        if query.tag is not None:
            wanted["tags"] = query.tag
        if query.search:
            part = {"$regex": re.escape(query.search), "$options": "i"}
            wanted["$and"] = [{"$or": [{field: part} for field in (*_FIELDS, "phone")]}]
        if query.cursor is not None:
            wanted["$or"] = _after(query.cursor)
        newest = self._contacts.find(wanted).sort([("created_at", -1), ("_id", -1)])
        found = await newest.limit(query.limit + 1).max_time_ms(_SEARCH_MS).to_list()
        page = found[: query.limit]
        cursor = _cursor(page[-1]) if len(found) > query.limit else None
        return Contacts(items=tuple(to_contact(document) for document in page), next_cursor=cursor)

    async def find_fields(self, user_id: str, phones: Iterable[str]) -> dict[str, ContactFields]:
        """What is known of recipients, by phone; strangers are left out."""
        ids = [contact_id(user_id, phone) for phone in phones]
        fields = {"phone": 1, "attributes": 1} | dict.fromkeys(_FIELDS, 1)
        found = self._contacts.find({"_id": {"$in": ids}, "erased_at": {"$exists": False}}, fields)
        return {document["phone"]: _to_fields(document) async for document in found}

    async def upsert(self, user_id: str, rows: Sequence[ContactRow]) -> int:
        """Create contacts, or update those there are with what is given; returns how many were new.

        Who is there is read first, since most lists are new, or bring nothing new. One who was erased and is told of
        again by the business is a contact again.
        """
        now = self.now()
        by_id = {contact_id(user_id, row.phone): row for row in rows}
        known = {found["_id"]: found async for found in self._contacts.find({"_id": {"$in": list(by_id)}}, _TOLD)}
        missing = [_new(id_, user_id, row, now) for id_, row in by_id.items() if id_ not in known]
        beaten = await self._insert(missing)  # somebody else wrote these at the same moment
        changed = [id_ for id_, document in known.items() if _brings_news(by_id[id_], document)]
        updates = [_update(id_, by_id[id_], now) for id_ in (*changed, *beaten)]
        if updates:
            await self._contacts.bulk_write(updates, ordered=False)
        return len(missing) - len(beaten)

    async def update(self, command: UpdateContact) -> Contact:
        """Set what is given. Raises NotFoundError."""
        given = command.model_dump(include=set(_FIELDS), exclude_none=True)
        changes: Document = {field: value or None for field, value in given.items()} | {"updated_at": self.now()}
        if command.tags is not None:
            changes["tags"] = list(dict.fromkeys(command.tags))
        attributes = command.attributes or {}
        changes |= {f"attributes.{key}": value for key, value in attributes.items() if value is not None}
        removed = {f"attributes.{key}": "" for key, value in attributes.items() if value is None}
        document = await self._contacts.find_one_and_update(
            {"_id": command.contact_id, "erased_at": {"$exists": False}},
            {"$set": changes} | ({"$unset": removed} if removed else {}),
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise _unknown()
        return to_contact(document)

    async def set_consent(self, identifier: str, consent: Mapping[str, Any], at: datetime) -> None:
        """Show a contact's latest consent; an earlier one that comes late changes nothing."""
        is_latest = {"$or": [{"consent.changed_at": {"$exists": False}}, {"consent.changed_at": {"$lte": at}}]}
        await self._contacts.update_one({"_id": identifier} | is_latest, {"$set": {"consent": dict(consent)}})

    async def _insert(self, documents: list[Document]) -> list[str]:
        """Insert what is new; return the ids that existed before."""
        if not documents:
            return []
        try:
            await self._contacts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = (error.details or {}).get("writeErrors", [])
            if any(failure["code"] != _DUPLICATE_KEY for failure in failures):
                raise
            return [failure["op"]["_id"] for failure in failures]
        return []


def to_contact(document: Document) -> Contact:
    """A contact as its document tells it."""
    return Contact(
        contact_id=document["_id"],
        user_id=document["user_id"],
        phone=document.get("phone"),
        name=document.get("name"),
        email=document.get("email"),
        company=document.get("company"),
        attributes=document.get("attributes", {}),
        tags=tuple(document.get("tags", ())),
        consent=Consent.model_validate(document.get("consent", {})),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )


def _to_fields(document: Document) -> ContactFields:
    known = {field: document.get(field) for field in ("phone", *_FIELDS)}
    return ContactFields(**known, attributes=document.get("attributes", {}))


def _new(identifier: str, user_id: str, row: ContactRow, now: datetime) -> Document:
    given = row.model_dump(include=set(_FIELDS), exclude_none=True)
    if row.attributes:
        given["attributes"] = row.attributes
    if row.tags:
        given["tags"] = list(dict.fromkeys(row.tags))
    return {"_id": identifier, "user_id": user_id, "phone": row.phone, "created_at": now, "updated_at": now} | given


def _brings_news(row: ContactRow, document: Document) -> bool:
    """Whether a row tells anything that the contact's document does not say already."""
    if "erased_at" in document or document.get("phone") != row.phone:
        return True
    attributes = document.get("attributes", {})
    return (
        any((told := getattr(row, name)) is not None and told != document.get(name) for name in _FIELDS)
        or any(attributes.get(key) != value for key, value in row.attributes.items())
        or not set(row.tags) <= set(document.get("tags", ()))
    )


def _update(identifier: str, row: ContactRow, now: datetime) -> UpdateOne:
    given = row.model_dump(include=set(_FIELDS), exclude_none=True)
    given |= {f"attributes.{key}": value for key, value in row.attributes.items()}
    change: Document = {"$set": given | {"phone": row.phone, "updated_at": now}, "$unset": {"erased_at": ""}}
    if row.tags:
        change["$addToSet"] = {"tags": {"$each": list(row.tags)}}
    return UpdateOne({"_id": identifier}, change)


def _after(cursor: str) -> list[Document]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        message = "cursor query parameter must be a next_cursor that was given before"
        raise InvalidInputError(message, details=[{"field": "cursor", "message": message}])
    at = datetime.fromtimestamp(int(match.group(1)) / 1000, UTC)
    return [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": match.group(2)}}]


def _cursor(document: Document) -> str:
    return f"{round(document['created_at'].timestamp() * 1000)}-{document['_id']}"


def _unknown() -> NotFoundError:
    return NotFoundError("Contact not found")
