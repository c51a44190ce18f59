"""Vendors' webhooks: whom to tell what. A row of `changes` or a command is one update."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.events import EVERY_EVENT
from shared.contracts.webhooks import CreateSubscription, Subscription
from shared.mongo import Database

FORMER_SECRET_SIGNS_FOR = timedelta(hours=24)
_SECRETS_AT_ONCE = 4  # whoever rotates four times a day needs no fifth signature

_NOT_STORED = {"webhook_id", "sealed_headers", "sealed_secret"}


class SubscriptionRepository:
    """The collection subscriptions, as its owner's commands see it."""

    def __init__(self, database: Database) -> None:
        self._subscriptions: AsyncCollection[dict[str, Any]] = database["subscriptions"]

    async def ensure_indexes(self) -> None:
        """Declare what the queries need; harmless when it is there."""
        await self._subscriptions.create_index([("user_id", 1), ("created_at", -1)])
        await self._subscriptions.create_index(
            "notice_due", partialFilterExpression={"notice_due": True}, name="notices"
        )

    async def add_once(self, wanted: CreateSubscription, now: datetime) -> Subscription:
        """Store a subscription, or return the one that an earlier delivery of the command stored."""
        fields = wanted.model_dump(exclude=_NOT_STORED) | {
            "status": "active",
            "created_at": now,
            "sealed_secret": wanted.sealed_secret,
            "sealed_headers": wanted.sealed_headers,
        }
        document: Any = await self._subscriptions.find_one_and_update(
            {"_id": wanted.webhook_id},
            {"$setOnInsert": fields},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return _to_subscription(document)

    async def find(self, webhook_id: str) -> Subscription | None:
        """One subscription, or None."""
        document = await self._subscriptions.find_one({"_id": {"$eq": webhook_id}})
        return None if document is None else _to_subscription(document)

    async def list_of_user(self, user_id: str) -> list[Subscription]:
        """A user's subscriptions, newest first."""
        found = self._subscriptions.find({"user_id": {"$eq": user_id}}).sort("created_at", -1)
        return [_to_subscription(document) async for document in found]

    async def subscribed(self, user_ids: Collection[str]) -> set[str]:
        """Those of these users who have a subscription, of whatever kind and state."""
        found = self._subscriptions.find({"user_id": {"$in": list(user_ids)}}, {"_id": 0, "user_id": 1})
        return {document["user_id"] async for document in found}

    async def list_of_users(self, user_ids: Collection[str], event_names: Sequence[str]) -> list[Subscription]:
        """The subscriptions of some users that name at least one of the events, or all.

        Also those that are paused or disabled: their events are kept for their return.
        """
        found = self._subscriptions.find(
            {"user_id": {"$in": list(user_ids)}, "events": {"$in": [*event_names, EVERY_EVENT]}}
        )
        return [_to_subscription(document) async for document in found]

    async def change(self, webhook_id: str, changes: Mapping[str, Any]) -> Subscription | None:
        """Set some fields; None when there is no such subscription.

        A new URL or a return begins with a clean record, so that nothing of the past holds deliveries back.
        """
        update: dict[str, Any] = {"$set": dict(changes)}
        if changes.get("status") == "active" or "url" in changes:
            update["$unset"] = {"health": ""}
        if changes.get("status") == "active":
            update["$unset"] |= {"disabled_at": "", "disabled_reason": ""}
        document = await self._subscriptions.find_one_and_update(
            {"_id": {"$eq": webhook_id}}, update, return_document=ReturnDocument.AFTER
        )
        return None if document is None else _to_subscription(document)

    async def rotate(self, webhook_id: str, rotation_id: str, sealed_secret: str, now: datetime) -> None:
        """Put a new secret first, once for each `rotation_id`; the former one stays beside it for a day."""
        former = {"sealed": "$sealed_secret", "until": now + FORMER_SECRET_SIGNS_FOR}
        still = {"$filter": {"input": {"$ifNull": ["$former_secrets", []]}, "cond": {"$gt": ["$$this.until", now]}}}
        kept = {"$slice": [{"$concatArrays": [[former], still]}, _SECRETS_AT_ONCE - 1]}
        await self._subscriptions.update_one(
            {"_id": {"$eq": webhook_id}, "rotation_id": {"$ne": rotation_id}},
            [{"$set": {"former_secrets": kept, "sealed_secret": sealed_secret, "rotation_id": rotation_id}}],
        )

    async def disable(self, webhook_id: str, reason: str, now: datetime) -> None:
        """Stop telling a webhook anything; it stays listed, its events are kept, and its user's other webhooks hear."""
        await self._subscriptions.update_one(
            {"_id": webhook_id, "status": "active"},
            {"$set": {"status": "disabled", "disabled_at": now, "disabled_reason": reason, "notice_due": True}},
        )

    async def list_notices_due(self) -> list[tuple[Subscription, str, datetime]]:
        """The webhooks of whose disabling nobody has been told: which, why, and when."""
        found = self._subscriptions.find({"notice_due": True})
        return [
            (_to_subscription(document), document.get("disabled_reason", "failing"), document["disabled_at"])
            async for document in found
            if "disabled_at" in document
        ]

    async def mark_noticed(self, webhook_ids: Collection[str]) -> None:
        """The disabling has been told."""
        await self._subscriptions.update_many({"_id": {"$in": list(webhook_ids)}}, {"$unset": {"notice_due": ""}})

    async def delete(self, webhook_id: str) -> bool:
        """Forget a subscription; False when there was none."""
        deleted = await self._subscriptions.delete_one({"_id": {"$eq": webhook_id}})
        return deleted.deleted_count == 1


def _to_subscription(document: dict[str, Any]) -> Subscription:
    return Subscription(
        webhook_id=document["_id"],
        user_id=document["user_id"],
        url=document["url"],
        events=tuple(document["events"]),
        status=document["status"],
        disabled_reason=document.get("disabled_reason"),
        description=document["description"],
        phone_number_ids=tuple(document.get("phone_number_ids", ())),
        channels=tuple(document.get("channels", ())),
        sources=tuple(document.get("sources", ())),
        header_names=tuple(document.get("header_names", ())),
        ordered=document.get("ordered", False),
        created_at=document["created_at"],
    )
