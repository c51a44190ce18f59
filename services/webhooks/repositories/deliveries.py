"""One document for each event and webhook: the bytes to send, when to try next, and every attempt so far.

`next_attempt_at` is present exactly while something is left to do. Whether it is done depends on the webhook alone: of
one that is paused, disabled or resting behind its breaker nothing is taken, and so everything is kept.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.deliveries import Attempt, Delivery
from services.webhooks.domain.events import VendorEvent
from services.webhooks.repositories.inserting import insert_new
from shared.contracts.webhooks import Subscription
from shared.mongo import Database

KEPT_FOR = timedelta(days=30)
ATTEMPTS_KEPT = 50

_DUE_FIELDS = {"event_id": 1, "webhook_id": 1, "body": 1, "attempts_made": 1, "next_attempt_at": 1, "thread": 1}


def delivery_id(event_id: str, webhook_id: str) -> str:
    """The id of the one delivery of an event to a webhook, however often the event is heard of."""
    return f"{event_id}:{webhook_id}"


class DeliveryRepository:
    """The collection deliveries, as the one who delivers sees it."""

    def __init__(self, database: Database) -> None:
        self._deliveries: AsyncCollection[dict[str, Any]] = database["deliveries"]
        self._last_sequence = 0

    async def ensure_indexes(self) -> None:
        """Declare what the queries and the thirty days need; harmless when it is there."""
        waiting = {"next_attempt_at": {"$exists": True}}
        create = self._deliveries.create_index
        await create([("webhook_id", 1), ("next_attempt_at", 1)], partialFilterExpression=waiting, name="due")
        await create(
            [("webhook_id", 1), ("thread", 1), ("sequence", 1)],
            partialFilterExpression=waiting | {"thread": {"$exists": True}},
            name="threads",
        )
        # The id stands last in both, so that pages of the log come out of the index in their order.
        newest = [("webhook_id", 1), ("created_at", -1), ("_id", -1)]
        await create(newest, name="newest")
        await create(newest, partialFilterExpression={"state": "failed"}, name="newest_failed")
        await create("created_at", expireAfterSeconds=int(KEPT_FOR.total_seconds()))

    async def add_once(self, wanted: Sequence[tuple[VendorEvent, Subscription]], now: datetime) -> set[str]:
        """Store a delivery, due at once, for each event and webhook; return the webhooks that have new ones."""
        documents = [self._new_document(event, subscription, now) for event, subscription in wanted]
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

    async def is_due(self, webhook_id: str, now: datetime) -> bool:
        """Whether a webhook has anything due."""
        due = {"webhook_id": webhook_id, "next_attempt_at": {"$lte": now}}
        return await self._deliveries.find_one(due, {"webhook_id": 1}) is not None

    async def list_due(
        self, webhook_id: str, now: datetime, *, but: Collection[str], but_threads: Collection[str] = (), limit: int
    ) -> list[Delivery]:
        """The longest-due deliveries of a webhook without those that are under way already."""
        due: dict[str, Any] = {"webhook_id": webhook_id, "next_attempt_at": {"$lte": now}, "_id": {"$nin": list(but)}}
        if but_threads:
            due["thread"] = {"$nin": list(but_threads)}
        found = self._deliveries.find(due, _DUE_FIELDS).sort("next_attempt_at", 1).limit(limit)
        return [_to_delivery(document) for document in await found.to_list()]

    async def find_first_of_thread(self, webhook_id: str, thread: str) -> Delivery | None:
        """The oldest delivery of a thread that has not come to its end, due or not."""
        document = await self._deliveries.find_one(
            {"webhook_id": webhook_id, "thread": thread, "next_attempt_at": {"$exists": True}},
            _DUE_FIELDS,
            sort=[("sequence", 1)],
        )
        return None if document is None else _to_delivery(document)

    async def postpone_behind(self, first: Delivery) -> None:
        """Have a whole thread wait for its first delivery, which is to be tried again later."""
        await self._deliveries.update_many(
            {
                "webhook_id": first.webhook_id,
                "thread": first.thread,
                "next_attempt_at": {"$lt": first.next_attempt_at},
            },
            {"$set": {"next_attempt_at": first.next_attempt_at}},
        )

    async def record(self, attempts: Sequence[Attempt]) -> Sequence[None]:
        """Write down attempts and what they decided, in one round trip for the group. Idempotent."""
        await self._deliveries.bulk_write([_recording(attempt) for attempt in attempts], ordered=False)
        return [None] * len(attempts)

    async def delete_untold(self, webhook_ids: Collection[str]) -> None:
        """Forget what webhooks have not been told; what they have been told stays in the log."""
        await self._deliveries.delete_many(
            {"webhook_id": {"$in": list(webhook_ids)}, "next_attempt_at": {"$exists": True}}
        )

    def _new_document(self, event: VendorEvent, subscription: Subscription, now: datetime) -> dict[str, Any]:
        document = {
            "_id": delivery_id(event.event_id, subscription.webhook_id),
            "event": event.name,
            "event_id": event.event_id,
            "webhook_id": subscription.webhook_id,
            "user_id": event.user_id,
            "body": event.body,
            "state": "pending",
            "attempts_made": 0,
            "attempts": [],
            "sequence": self._next_sequence(now),
            "created_at": now,
            "next_attempt_at": now,
        }
        if subscription.ordered and event.thread is not None:
            document["thread"] = event.thread
        return document

    def _next_sequence(self, now: datetime) -> int:
        """Rises with every delivery that this process stores; between processes by the clock."""
        self._last_sequence = max(self._last_sequence + 1, int(now.timestamp() * 1_000_000))
        return self._last_sequence


def _recording(attempt: Attempt) -> UpdateOne:
    delivery, verdict = attempt.delivery, attempt.verdict
    changed: dict[str, Any] = {"state": verdict.state}
    update: dict[str, Any] = {
        "$set": changed,
        "$inc": {"attempts_made": 1},
        "$push": {"attempts": {"$each": [_attempt_document(attempt)], "$slice": -ATTEMPTS_KEPT}},
    }
    if verdict.next_attempt_at is None:
        update["$unset"] = {"next_attempt_at": ""}
    else:
        changed["next_attempt_at"] = verdict.next_attempt_at
    # That the receiver has it stays true whoever else has tried meanwhile; that it has not may have changed.
    own: dict[str, Any] = {"state": "pending", "attempts_made": delivery.attempts_made}
    if verdict.state == "delivered":
        own = {"attempts.id": {"$ne": attempt.id}}
    return UpdateOne({"_id": delivery.id, **own}, update)


def _attempt_document(attempt: Attempt) -> dict[str, Any]:
    answer = attempt.answer
    return {
        "id": attempt.id,
        "at": attempt.at,
        "url": attempt.url,
        "status_code": answer.status_code,
        "latency_ms": answer.latency_ms,
        "error": answer.error,
        "response": answer.response,
    }


def _to_delivery(document: dict[str, Any]) -> Delivery:
    return Delivery(
        id=document["_id"],
        event_id=document["event_id"],
        webhook_id=document["webhook_id"],
        body=bytes(document["body"]),
        attempts_made=document["attempts_made"],
        next_attempt_at=document["next_attempt_at"],
        thread=document.get("thread"),
    )
