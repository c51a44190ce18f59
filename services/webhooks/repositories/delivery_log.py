"""The deliveries of thirty days as their owner looks at them, and what is delivered once more at their wish."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.events import refused
from shared.contracts.subscriptions import DeliveryAttempt, DeliveryRecord, DeliveryRecords, ListDeliveries
from shared.mongo import Database

_PATIENCE_MS = 4000  # a rare filter over a large log ends as an error, not as a burden
_ANEW = {"state": "pending", "attempts_made": 0}


@dataclass(frozen=True, slots=True)
class Range:
    """A webhook's deliveries of events that were heard of in a range of time; no `events` means all."""

    webhook_id: str
    since: datetime
    until: datetime
    events: tuple[str, ...] = ()

    def query(self) -> dict[str, Any]:
        """The same, as MongoDB is asked."""
        created = {"created_at": {"$gte": self.since, "$lte": self.until}}
        events = {"event": {"$in": list(self.events)}} if self.events else {}
        return {"webhook_id": self.webhook_id} | created | events


class DeliveryLog:
    """The collection deliveries, as the one who is told sees it."""

    def __init__(self, database: Database) -> None:
        self._deliveries: AsyncCollection[dict[str, Any]] = database["deliveries"]

    async def get(self, delivery_id: str) -> DeliveryRecord | None:
        """One delivery, or None."""
        document = await self._deliveries.find_one({"_id": {"$eq": delivery_id}})
        return None if document is None else _to_record(document)

    async def page(self, query: ListDeliveries) -> DeliveryRecords:
        """A page of a webhook's deliveries, newest first. Raises InvalidInputError for a cursor that is none."""
        found = (
            self._deliveries.find(_filter(query))
            .sort([("created_at", -1), ("_id", -1)])
            .limit(query.limit + 1)
            .max_time_ms(_PATIENCE_MS)
        )
        documents = await found.to_list()
        shown = documents[: query.limit]
        return DeliveryRecords(
            items=tuple(_to_record(document) for document in shown),
            next_cursor=_cursor(shown[-1]) if len(documents) > len(shown) else None,
        )

    async def count(self, wanted: Range) -> int:
        """How many deliveries a range holds."""
        return await self._deliveries.count_documents(wanted.query(), maxTimeMS=_PATIENCE_MS)

    async def resend(self, delivery_id: str, resend_id: str, now: datetime) -> DeliveryRecord | None:
        """Make a delivery due anew, once for each `resend_id`; None when there is no such delivery."""
        document = await self._deliveries.find_one_and_update(
            {"_id": {"$eq": delivery_id}, "again": {"$ne": resend_id}},
            {"$set": _ANEW | {"next_attempt_at": now, "again": resend_id}},
            return_document=ReturnDocument.AFTER,
        )
        return await self.get(delivery_id) if document is None else _to_record(document)

    async def list_behind(self, wanted: Range, position: Sequence[Any], limit: int) -> list[tuple[datetime, str]]:
        """The next deliveries of a range, oldest first, as positions."""
        query = wanted.query()
        if position:
            moment, identifier = position
            behind = {"$or": [{"created_at": {"$gt": moment}}, {"created_at": moment, "_id": {"$gt": identifier}}]}
            query = {"$and": [query | {"created_at": {"$gte": moment, "$lte": wanted.until}}, behind]}
        found = self._deliveries.find(query, {"created_at": 1}).sort([("created_at", 1), ("_id", 1)]).limit(limit)
        return [(document["created_at"], document["_id"]) for document in await found.to_list()]

    async def make_due(self, delivery_ids: Sequence[str], replay_id: str, now: datetime) -> None:
        """Make deliveries due anew, each once for a replay."""
        await self._deliveries.update_many(
            {"_id": {"$in": list(delivery_ids)}, "again": {"$ne": replay_id}},
            {"$set": _ANEW | {"next_attempt_at": now, "again": replay_id}},
        )


def _filter(query: ListDeliveries) -> dict[str, Any]:
    created = {"$gte": query.since, "$lte": query.until}
    limits = {operator: moment for operator, moment in created.items() if moment is not None}
    parts: dict[str, Any] = {
        "webhook_id": query.webhook_id,
        "state": query.status,
        "event": query.event,
        "created_at": limits or None,
    }
    known = {name: value for name, value in parts.items() if value is not None}
    if query.cursor is None:
        return known
    moment, identifier = _position(query.cursor)
    before = {"$or": [{"created_at": {"$lt": moment}}, {"created_at": moment, "_id": {"$lt": identifier}}]}
    return {"$and": [known, {"created_at": {"$lte": moment}}, before]}


def _cursor(document: dict[str, Any]) -> str:
    text = f"{int(document['created_at'].timestamp() * 1000)}|{document['_id']}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        millis, _, identifier = text.partition("|")
        return datetime.fromtimestamp(int(millis) / 1000, UTC), identifier
    except (binascii.Error, ValueError, OverflowError, OSError):
        raise refused("cursor", "is not one of ours") from None


def _to_record(document: dict[str, Any]) -> DeliveryRecord:
    return DeliveryRecord(
        delivery_id=document["_id"],
        webhook_id=document["webhook_id"],
        event_id=document["event_id"],
        event=document["event"],
        status=document["state"],
        request=bytes(document["body"]).decode(),
        attempts=tuple(_to_attempt(attempt) for attempt in document["attempts"]),
        next_attempt_at=document.get("next_attempt_at"),
        created_at=document["created_at"],
    )


def _to_attempt(attempt: dict[str, Any]) -> DeliveryAttempt:
    return DeliveryAttempt(
        at=attempt["at"],
        url=attempt.get("url"),
        status_code=attempt["status_code"],
        latency_ms=attempt["latency_ms"],
        error=attempt["error"],
        response=attempt["response"],
    )
