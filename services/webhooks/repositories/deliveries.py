"""One document for each event and endpoint: the bytes to send, when to try next, and every attempt so far.

`next_attempt_at` is present exactly while something is left to do. A claim moves it to the end of its lease, so what a
dead process held becomes due again without anybody's help.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.deliveries import LEASE, Attempt, Delivery
from services.webhooks.domain.events import VendorEvent
from services.webhooks.repositories.inserting import insert_new
from shared.mongo import Database

KEPT_FOR = timedelta(days=30)

_UNTOLD = ("pending", "held")
_CLAIMED_FIELDS = {"event_id": 1, "webhook_id": 1, "body": 1, "attempts_made": 1}


def delivery_id(event_id: str, webhook_id: str) -> str:
    """The id of the one delivery of an event to an endpoint, however often the event is heard of."""
    return f"{event_id}:{webhook_id}"


class DeliveryRepository:
    """The collection deliveries."""

    def __init__(self, database: Database) -> None:
        self._deliveries: AsyncCollection[dict[str, Any]] = database["deliveries"]

    async def ensure_indexes(self) -> None:
        """Declare what the queries and the thirty days need; harmless when it is there."""
        await self._deliveries.create_index(
            [("webhook_id", 1), ("next_attempt_at", 1)],
            partialFilterExpression={"next_attempt_at": {"$exists": True}},
            name="due",
        )
        await self._deliveries.create_index([("webhook_id", 1), ("created_at", -1)], name="log")
        await self._deliveries.create_index("created_at", expireAfterSeconds=int(KEPT_FOR.total_seconds()))

    async def add_once(self, wanted: Sequence[tuple[VendorEvent, str]], now: datetime) -> set[str]:
        """Store a delivery, due at once, for each event and webhook id; return the webhooks that have new ones."""
        documents = [_new_document(event, webhook_id, now) for event, webhook_id in wanted]
        new = await insert_new(self._deliveries, documents)
        return {document["webhook_id"] for document in documents if document["_id"] in new}

    async def list_webhooks_due(self, now: datetime) -> list[str]:
        """The webhooks that have something due, found by one step in the index for each webhook.

        The bound on `webhook_id` excludes nothing: with it the planner jumps from webhook to webhook instead of
        reading every delivery that waits.
        """
        due: list[str] = await self._deliveries.distinct(
            "webhook_id", {"webhook_id": {"$gt": ""}, "next_attempt_at": {"$lte": now}}
        )
        return due

    async def claim(self, webhook_id: str, claim_id: str, now: datetime, *, limit: int) -> list[Delivery]:
        """Take the longest-due deliveries of a webhook under a lease; those that another process took are left out."""
        due = {"webhook_id": webhook_id, "next_attempt_at": {"$lte": now}}
        found = await self._deliveries.find(due, _CLAIMED_FIELDS).sort("next_attempt_at", 1).limit(limit).to_list()
        if not found:
            return []
        lease_until = now + LEASE
        ids = [document["_id"] for document in found]
        claimed = await self._deliveries.update_many(
            {"_id": {"$in": ids}, "next_attempt_at": {"$lte": now}},
            {"$set": {"claim_id": claim_id, "next_attempt_at": lease_until}},
        )
        if claimed.modified_count < len(ids):
            found = await self._deliveries.find({"_id": {"$in": ids}, "claim_id": claim_id}, _CLAIMED_FIELDS).to_list()
        return [_to_delivery(document, claim_id, lease_until) for document in found]

    async def release(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Give back claimed deliveries that were not attempted."""
        by_claim = [
            UpdateOne({"_id": delivery.id, "claim_id": delivery.claim_id}, {"$set": {"next_attempt_at": now}})
            for delivery in deliveries
        ]
        if by_claim:
            await self._deliveries.bulk_write(by_claim, ordered=False)

    async def record(self, attempts: Sequence[Attempt]) -> Sequence[None]:
        """Write down attempts and what they decided, in one round trip for the group."""
        await self._deliveries.bulk_write([_recording(attempt) for attempt in attempts], ordered=False)
        return [None] * len(attempts)

    async def hold(self, webhook_id: str) -> None:
        """Keep what is left for a disabled webhook without trying it."""
        await self._deliveries.update_many(
            {"webhook_id": webhook_id, "next_attempt_at": {"$exists": True}},
            {"$set": {"state": "held"}, "$unset": {"next_attempt_at": ""}},
        )

    async def delete_untold(self, webhook_id: str) -> None:
        """Forget what a webhook has not been told; what it has been told stays in the log."""
        await self._deliveries.delete_many({"webhook_id": webhook_id, "state": {"$in": _UNTOLD}})


def _new_document(event: VendorEvent, webhook_id: str, now: datetime) -> dict[str, Any]:
    return {
        "_id": delivery_id(event.event_id, webhook_id),
        "event": event.name,
        "event_id": event.event_id,
        "webhook_id": webhook_id,
        "user_id": event.user_id,
        "body": event.body,
        "state": "pending",
        "attempts_made": 0,
        "attempts": [],
        "created_at": now,
        "next_attempt_at": now,
    }


def _recording(attempt: Attempt) -> UpdateOne:
    delivery, verdict = attempt.delivery, attempt.verdict
    changed: dict[str, Any] = {"state": verdict.state}
    update: dict[str, Any] = {
        "$set": changed,
        "$inc": {"attempts_made": 1},
        "$push": {"attempts": _attempt_document(attempt)},
    }
    if verdict.next_attempt_at is None:
        update["$unset"] = {"next_attempt_at": "", "claim_id": ""}
    else:
        changed["next_attempt_at"] = verdict.next_attempt_at
    # That the receiver has it stays true after a lease has run out; that it has not may have changed meanwhile.
    own = {} if verdict.state == "delivered" else {"claim_id": delivery.claim_id}
    return UpdateOne({"_id": delivery.id, "state": {"$ne": "delivered"}, **own}, update)


def _attempt_document(attempt: Attempt) -> dict[str, Any]:
    answer = attempt.answer
    return {
        "at": attempt.at,
        "status_code": answer.status_code,
        "latency_ms": answer.latency_ms,
        "error": answer.error,
        "response": answer.response,
    }


def _to_delivery(document: dict[str, Any], claim_id: str, lease_until: datetime) -> Delivery:
    return Delivery(
        id=document["_id"],
        event_id=document["event_id"],
        webhook_id=document["webhook_id"],
        body=bytes(document["body"]),
        attempts_made=document["attempts_made"],
        claim_id=claim_id,
        lease_until=lease_until,
    )
