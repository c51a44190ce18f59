"""Replays under way: how far each has come, so that any process can go on with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from services.webhooks.repositories.delivery_log import Range
from shared.mongo import Database

_KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RunningReplay:
    """A replay with the position of the last delivery that it has made due; () at the beginning."""

    replay_id: str
    wanted: Range
    position: tuple[Any, ...]


class ReplayRepository:
    """The collection replays. `next_at` is present until a replay has come to its end."""

    def __init__(self, database: Database) -> None:
        self._replays: AsyncCollection[dict[str, Any]] = database["replays"]

    async def ensure_indexes(self) -> None:
        """Declare what the queries need; harmless when it is there."""
        await self._replays.create_index("next_at", partialFilterExpression={"next_at": {"$exists": True}})
        await self._replays.create_index("created_at", expireAfterSeconds=int(_KEPT_FOR.total_seconds()))

    async def add_once(self, replay_id: str, wanted: Range, deliveries: int, now: datetime) -> int:
        """Store a replay that begins now; returns how many deliveries it was said to cover when it was first stored."""
        document: Any = await self._replays.find_one_and_update(
            {"_id": replay_id},
            {
                "$setOnInsert": {
                    "webhook_id": wanted.webhook_id,
                    "since": wanted.since,
                    "until": wanted.until,
                    "events": list(wanted.events),
                    "deliveries": deliveries,
                    "position": [],
                    "created_at": now,
                    "next_at": now,
                }
            },
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(document["deliveries"])

    async def claim_next(self, now: datetime, pause: timedelta) -> RunningReplay | None:
        """A replay whose next step is due; nobody else gets it before `pause` is over."""
        document = await self._replays.find_one_and_update(
            {"next_at": {"$lte": now}}, {"$set": {"next_at": now + pause}}, sort=[("next_at", 1)]
        )
        if document is None:
            return None
        wanted = Range(document["webhook_id"], document["since"], document["until"], tuple(document["events"]))
        return RunningReplay(document["_id"], wanted, tuple(document["position"]))

    async def advance(self, replay_id: str, position: Sequence[Any]) -> None:
        """So far it has come."""
        await self._replays.update_one({"_id": replay_id}, {"$set": {"position": list(position)}})

    async def finish(self, replay_id: str) -> None:
        """Everything is due, or has been."""
        await self._replays.update_one({"_id": replay_id}, {"$unset": {"next_at": ""}})
