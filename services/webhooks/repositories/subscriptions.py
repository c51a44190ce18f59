"""Vendors' webhooks: whom to tell what."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.events import EVERY_EVENT
from shared.contracts.webhooks import Subscription
from shared.mongo import Database

_ACTIVE = "active"
_DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a delivery needs to know of its subscription; the secret is sealed."""

    webhook_id: str
    url: str
    sealed_secret: str
    is_active: bool


class SubscriptionRepository:
    """The collection subscriptions."""

    def __init__(self, database: Database) -> None:
        self._subscriptions: AsyncCollection[dict[str, Any]] = database["subscriptions"]

    async def ensure_indexes(self) -> None:
        """Declare what the queries need; harmless when it is there."""
        await self._subscriptions.create_index([("user_id", 1), ("created_at", -1)])

    async def add_once(self, subscription: Subscription, sealed_secret: str) -> Subscription:
        """Store a subscription, or return the one that an earlier delivery of the command stored."""
        fields = subscription.model_dump(exclude={"webhook_id"}) | {"sealed_secret": sealed_secret}
        document: Any = await self._subscriptions.find_one_and_update(
            {"_id": subscription.webhook_id},
            {"$setOnInsert": fields},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return _to_subscription(document)

    async def list_of_user(self, user_id: str) -> list[Subscription]:
        """A user's subscriptions, newest first."""
        found = self._subscriptions.find({"user_id": {"$eq": user_id}}).sort("created_at", -1)
        return [_to_subscription(document) async for document in found]

    async def list_listening(self, user_ids: Collection[str], event_names: Sequence[str]) -> list[Subscription]:
        """The active subscriptions of some users that want at least one of the events."""
        found = self._subscriptions.find(
            {
                "user_id": {"$in": list(user_ids)},
                "status": _ACTIVE,
                "events": {"$in": [*event_names, EVERY_EVENT]},
            }
        )
        return [_to_subscription(document) async for document in found]

    async def find_endpoint(self, webhook_id: str) -> Endpoint | None:
        """Where and how a subscription is told, or None when it is gone."""
        document = await self._subscriptions.find_one({"_id": webhook_id}, {"url": 1, "sealed_secret": 1, "status": 1})
        if document is None:
            return None
        return Endpoint(webhook_id, document["url"], document["sealed_secret"], document["status"] == _ACTIVE)

    async def mark_disabled(self, webhook_id: str, now: datetime) -> None:
        """Stop telling an endpoint anything; it stays listed."""
        await self._subscriptions.update_one(
            {"_id": webhook_id, "status": _ACTIVE}, {"$set": {"status": _DISABLED, "disabled_at": now}}
        )

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
        description=document["description"],
        created_at=document["created_at"],
    )
