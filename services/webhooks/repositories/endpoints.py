"""Where webhooks lead, and which process may go there: each endpoint is served by one process at a time.

The lease and the endpoint's health stand in the subscription itself. One who holds the lease needs no claim for single
deliveries, knows all that is in flight, and so can keep order, pace and breaker by itself. What a dead process held
goes to another once the lease is over.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.health import Health
from shared.mongo import Database

LEASE = timedelta(seconds=20)  # an attempt and its record; renewed from half of it on

_FIELDS = {
    "user_id": 1,
    "url": 1,
    "status": 1,
    "ordered": 1,
    "sealed_secret": 1,
    "former_secrets": 1,
    "sealed_headers": 1,
    "health": 1,
    "lane": 1,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What delivering needs to know of a webhook; secrets are sealed, the present one first."""

    webhook_id: str
    url: str
    sealed_secrets: tuple[str, ...]
    sealed_headers: str | None
    ordered: bool
    is_active: bool
    health: Health
    lease_until: datetime


class EndpointRepository:
    """The collection subscriptions, as those who deliver see it."""

    def __init__(self, database: Database) -> None:
        self._subscriptions: AsyncCollection[dict[str, Any]] = database["subscriptions"]

    async def take(self, webhook_ids: Collection[str], owner: str, now: datetime) -> list[Endpoint]:
        """Become the one who serves these webhooks; those that nobody may serve now, or another does, are left out."""
        ids = list(webhook_ids)
        is_free = {"$or": [{"lane.until": None}, {"lane.until": {"$lte": now}}]}
        may_try = {"$or": [{"health.open_until": None}, {"health.open_until": {"$lte": now}}]}
        taken = await self._subscriptions.update_many(
            {"_id": {"$in": ids}, "status": "active", "$and": [is_free, may_try]},
            {"$set": {"lane": {"owner": owner, "until": now + LEASE}}},
        )
        return await self._list_own(ids, owner, now) if taken.matched_count else []

    async def list_own(self, webhook_ids: Collection[str], owner: str, now: datetime) -> list[Endpoint]:
        """Those of these webhooks that `owner` serves, as they are now, their leases renewed."""
        ids = list(webhook_ids)
        await self._subscriptions.update_many(
            {"_id": {"$in": ids}, "lane.owner": owner, "lane.until": {"$lt": now + LEASE / 2}},
            {"$set": {"lane.until": now + LEASE}},
        )
        return await self._list_own(ids, owner, now)

    async def list_known(self, webhook_ids: Collection[str]) -> set[str]:
        """Those of these ids that belong to a webhook."""
        return set(await self._subscriptions.distinct("_id", {"_id": {"$in": list(webhook_ids)}}))

    async def release(self, webhook_id: str, owner: str, health: Health) -> None:
        """Serve a webhook no more, and leave what is known of its health to the next one."""
        await self._subscriptions.update_one(
            {"_id": webhook_id, "lane.owner": owner}, {"$set": {"health": _document(health)}, "$unset": {"lane": ""}}
        )

    async def _list_own(self, ids: list[str], owner: str, now: datetime) -> list[Endpoint]:
        found = self._subscriptions.find({"_id": {"$in": ids}, "lane.owner": owner}, _FIELDS)
        return [_to_endpoint(document, now) async for document in found]


def _to_endpoint(document: dict[str, Any], now: datetime) -> Endpoint:
    former = [secret["sealed"] for secret in document.get("former_secrets", ()) if secret["until"] > now]
    return Endpoint(
        webhook_id=document["_id"],
        url=document["url"],
        sealed_secrets=(document["sealed_secret"], *former),
        sealed_headers=document.get("sealed_headers"),
        ordered=document.get("ordered", False),
        is_active=document["status"] == "active",
        health=_to_health(document.get("health") or {}),
        lease_until=document["lane"]["until"],
    )


def _document(health: Health) -> dict[str, Any]:
    return {
        "failures_in_a_row": health.failures_in_a_row,
        "buckets": [list(bucket) for bucket in health.buckets],
        "pause_seconds": None if health.pause is None else health.pause.total_seconds(),
        "open_until": health.open_until,
        "failing_since": health.failing_since,
        "failed_at": health.failed_at,
    }


def _to_health(document: dict[str, Any]) -> Health:
    pause = document.get("pause_seconds")
    return Health(
        failures_in_a_row=document.get("failures_in_a_row", 0),
        buckets=tuple((number, ok, failed) for number, ok, failed in document.get("buckets", ())),
        pause=None if pause is None else timedelta(seconds=pause),
        open_until=document.get("open_until"),
        failing_since=document.get("failing_since"),
        failed_at=document.get("failed_at"),
    )
