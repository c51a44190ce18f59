"""What Meta posted, byte for byte, kept for two weeks: longer than Meta goes on repeating it."""

import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo import UpdateMany
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from services.webhooks.repositories.inserting import insert_new
from shared.errors import ServiceUnavailableError
from shared.mongo import Database

KEPT_FOR = timedelta(days=14)

_PENDING = "pending"
_PUBLISHED = "published"
_STORE_SECONDS = 5.0  # then Meta is told to come again
_RELAY_BATCH = 1000


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One post of Meta's. The same bytes have the same id."""

    id: str
    raw: bytes
    received_at: datetime

    @classmethod
    def of(cls, raw: bytes, received_at: datetime) -> "InboundEvent":
        """The event that these bytes are."""
        return cls(hashlib.sha256(raw).hexdigest(), raw, received_at)


class InboundRepository:
    """The collection inbound_events. `is_fully_told` is false where only the raw bytes hold part of what Meta said."""

    def __init__(self, database: Database) -> None:
        self._events: AsyncCollection[dict[str, Any]] = database["inbound_events"]

    async def ensure_indexes(self) -> None:
        """Declare what the queries and the two weeks need; harmless when it is there."""
        await self._events.create_index("received_at", expireAfterSeconds=int(KEPT_FOR.total_seconds()))
        await self._events.create_index(
            [("state", 1), ("received_at", 1)], partialFilterExpression={"state": _PENDING}, name="pending"
        )

    async def add_once(self, events: Sequence[InboundEvent]) -> set[str]:
        """Store events durably and return the ids of those that are new.

        Raises ServiceUnavailableError when that is not certain within five seconds.
        """
        documents = [
            {"_id": event.id, "raw": event.raw, "received_at": event.received_at, "state": _PENDING} for event in events
        ]
        try:
            with pymongo.timeout(_STORE_SECONDS):
                return await insert_new(self._events, documents)
        except PyMongoError as error:
            raise ServiceUnavailableError("The webhook could not be stored; please send it again") from error

    async def mark_published(self, *, fully_told: Collection[str], partly_told: Collection[str]) -> None:
        """Note that the events' updates have been announced."""
        updates = [
            UpdateMany({"_id": {"$in": list(ids)}}, {"$set": {"state": _PUBLISHED, "is_fully_told": is_fully_told}})
            for ids, is_fully_told in ((fully_told, True), (partly_told, False))
            if ids
        ]
        await self._events.bulk_write(updates, ordered=False)

    async def pending(self, *, received_before: datetime) -> AsyncIterator[InboundEvent]:
        """Events stored before a moment and not announced, oldest first; at most a thousand at a time."""
        found = self._events.find({"state": _PENDING, "received_at": {"$lt": received_before}})
        async for document in found.sort("received_at", 1).limit(_RELAY_BATCH):
            yield _to_event(document)


def _to_event(document: dict[str, Any]) -> InboundEvent:
    return InboundEvent(document["_id"], bytes(document["raw"]), document["received_at"])
