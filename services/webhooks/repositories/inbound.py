"""What Meta posted, byte for byte, kept for two weeks: longer than Meta goes on repeating it.

Beside the posts stands one document for each batch of them whose announcement is not done, written in the same insert
and before its posts: so no post is stored without somebody who will announce it, and announcing a batch costs one
delete instead of an update and two index entries for every post.
"""

import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from services.webhooks.repositories.inserting import insert_new
from shared.errors import ServiceUnavailableError
from shared.ids import new_id
from shared.mongo import Database

KEPT_FOR = timedelta(days=14)

_STORE_SECONDS = 5.0  # then Meta is told to come again
_RELAY_BATCHES = 1000


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


@dataclass(frozen=True, slots=True)
class Batch:
    """Posts that came together, and are announced together."""

    id: str
    events: tuple[InboundEvent, ...]

    @classmethod
    def of(cls, events: Iterable[InboundEvent]) -> "Batch":
        """A new one."""
        return cls(new_id("batch_"), tuple(events))


@dataclass(frozen=True, slots=True)
class LeftBatch:
    """A batch as it is found again: the posts themselves are read when their turn comes."""

    id: str
    event_ids: tuple[str, ...]


class InboundRepository:
    """The collection inbound_events. `is_fully_told` is false where only the raw bytes hold part of what Meta said."""

    def __init__(self, database: Database) -> None:
        self._events: AsyncCollection[dict[str, Any]] = database["inbound_events"]

    async def ensure_indexes(self) -> None:
        """Declare what the queries and the two weeks need; harmless when it is there."""
        await self._events.create_index("received_at", expireAfterSeconds=int(KEPT_FOR.total_seconds()))
        await self._events.create_index(
            "waiting_since", partialFilterExpression={"waiting_since": {"$exists": True}}, name="waiting"
        )

    async def add_once(self, batches: Sequence[Batch]) -> set[str]:
        """Store batches durably and return the ids of the events that are new.

        Raises ServiceUnavailableError when that is not certain within five seconds.
        """
        documents = [document for batch in batches if batch.events for document in _documents(batch)]
        try:
            with pymongo.timeout(_STORE_SECONDS):
                return await insert_new(self._events, documents)
        except PyMongoError as error:
            raise ServiceUnavailableError("The webhook could not be stored; please send it again") from error

    async def finish(self, batch_ids: Collection[str], *, partly_told: Collection[str]) -> None:
        """Note that all posts of these batches have been announced, and which of them tell more than that."""
        if partly_told:
            await self._events.update_many({"_id": {"$in": list(partly_told)}}, {"$set": {"is_fully_told": False}})
        await self._events.delete_many({"_id": {"$in": list(batch_ids)}})

    async def list_left(self, *, stored_before: datetime) -> list[LeftBatch]:
        """Batches stored before a moment and not announced, oldest first; at most a thousand at a time."""
        found = self._events.find({"waiting_since": {"$lt": stored_before}}).sort("waiting_since", 1)
        return [LeftBatch(document["_id"], tuple(document["events"])) async for document in found.limit(_RELAY_BATCHES)]

    async def read(self, event_ids: Collection[str], group_bytes: int) -> AsyncIterator[list[InboundEvent]]:
        """The posts of these ids that are still kept, in groups of about so many bytes."""
        group: list[InboundEvent] = []
        size = 0
        async for document in self._events.find({"_id": {"$in": list(event_ids)}}):
            group.append(InboundEvent(document["_id"], bytes(document["raw"]), document["received_at"]))
            size += len(group[-1].raw)
            if size >= group_bytes:
                yield group
                group, size = [], 0
        if group:
            yield group


def _documents(batch: Batch) -> list[dict[str, Any]]:
    """The batch's own document first: the database takes them in this order, whatever ends it in the middle."""
    since = min(event.received_at for event in batch.events)
    waiting = {"_id": batch.id, "waiting_since": since, "events": [event.id for event in batch.events]}
    return [
        waiting,
        *({"_id": event.id, "raw": event.raw, "received_at": event.received_at} for event in batch.events),
    ]
