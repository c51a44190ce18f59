"""Who listens to a user's events right now, and what they have not heard yet. Everything here goes by itself."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.domain.events import VendorEvent
from services.webhooks.repositories.inserting import insert_new
from shared.contracts.subscriptions import HeardEvent
from shared.mongo import Database

SILENT_FOR = timedelta(seconds=60)  # a listener who asked for nothing that long has gone
_EVENTS_KEPT_FOR = timedelta(minutes=10)


class ListenerRepository:
    """The collections listeners and heard_events."""

    def __init__(self, database: Database) -> None:
        self._listeners: AsyncCollection[dict[str, Any]] = database["listeners"]
        self._events: AsyncCollection[dict[str, Any]] = database["heard_events"]
        self._last_position = 0

    async def ensure_indexes(self) -> None:
        """Declare what the queries need, and when what is kept goes; harmless when it is there."""
        await self._listeners.create_index("user_id")
        await self._listeners.create_index("asked_at", expireAfterSeconds=int(SILENT_FOR.total_seconds()))
        await self._events.create_index([("listener_id", 1), ("position", 1)])
        await self._events.create_index("at", expireAfterSeconds=int(_EVENTS_KEPT_FOR.total_seconds()))

    async def ask(self, listener_id: str, user_id: str, after: int, limit: int, now: datetime) -> list[HeardEvent]:
        """Go on listening; what came since `after`, oldest first."""
        await self._listeners.update_one(
            {"_id": listener_id}, {"$set": {"user_id": user_id, "asked_at": now}}, upsert=True
        )
        behind = {"listener_id": listener_id, "user_id": user_id, "position": {"$gt": after}}
        found = self._events.find(behind).sort("position", 1).limit(limit)
        return [_to_heard(document) async for document in found]

    async def tell(self, events: Sequence[VendorEvent], now: datetime) -> None:
        """Keep events for those who listen to their users, each once for each listener."""
        listeners = await self._listening({event.user_id for event in events}, now)
        documents = [
            self._new_document(event, listener_id, now)
            for event in events
            for listener_id in listeners.get(event.user_id, ())
        ]
        if documents:
            await insert_new(self._events, documents)

    async def listened_to(self, user_ids: Collection[str], now: datetime) -> set[str]:
        """Those of these users to whose events somebody listens."""
        return set(await self._listening(user_ids, now))

    async def _listening(self, user_ids: Collection[str], now: datetime) -> dict[str, list[str]]:
        found = self._listeners.find({"user_id": {"$in": list(user_ids)}, "asked_at": {"$gt": now - SILENT_FOR}})
        listeners: dict[str, list[str]] = {}
        async for document in found:
            listeners.setdefault(document["user_id"], []).append(document["_id"])
        return listeners

    def _new_document(self, event: VendorEvent, listener_id: str, now: datetime) -> dict[str, Any]:
        self._last_position = max(self._last_position + 1, int(now.timestamp() * 1_000_000))
        return {
            "_id": f"{listener_id}:{event.event_id}",
            "listener_id": listener_id,
            "user_id": event.user_id,
            "position": self._last_position,
            "event": event.name,
            "event_id": event.event_id,
            "body": event.body,
            "at": now,
        }


def _to_heard(document: dict[str, Any]) -> HeardEvent:
    return HeardEvent(
        position=document["position"],
        event=document["event"],
        event_id=document["event_id"],
        body=bytes(document["body"]).decode(),
    )
