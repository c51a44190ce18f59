"""What forbids an intent: campaigns that are held, and contacts who take no marketing.

One small collection, read once for each group between its claim and its intent. Whoever adds a stop then takes back
what is claimed: a claim stored before the stop is undone by that, a later one sees the stop.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.stops import Stop, campaign_stop_id, contact_stop_id, stop_ids
from shared.clock import Clock
from shared.mongo import Database


@dataclass(frozen=True, slots=True)
class StopRepository:
    """The send_stops collection. Its documents are few, and found by their ids alone."""

    database: Database
    now: Clock

    @property
    def _stops(self) -> Any:
        return self.database["send_stops"]

    async def list_for(self, messages: Iterable[OutboundMessage]) -> dict[str, Stop]:
        """The stops that concern these messages; none for most, and no question asked where none could be."""
        ids = {id_ for message in messages for id_ in stop_ids(message)}
        if not ids:
            return {}
        found = self._stops.find({"_id": {"$in": list(ids)}, "stopped": True}, {"cancelled": 1})
        return {document["_id"]: Stop(document["_id"], document.get("cancelled", False)) async for document in found}

    async def hold_campaign(self, campaign_id: str, *, cancelled: bool) -> bool:
        """Forbid a campaign's intents; returns whether it is cancelled, which stays so."""
        document = await self._stops.find_one_and_update(
            {"_id": campaign_stop_id(campaign_id)},
            {"$set": {"stopped": True, "at": self.now()} | ({"cancelled": True} if cancelled else {})},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return bool(document.get("cancelled", False))

    async def let_campaign_go(self, campaign_id: str) -> bool:
        """Allow its intents again; False for one that was cancelled."""
        result = await self._stops.delete_one({"_id": campaign_stop_id(campaign_id), "cancelled": {"$ne": True}})
        return bool(result.deleted_count) or await self._stops.find_one({"_id": campaign_stop_id(campaign_id)}) is None

    async def set_contact(self, contact_id: str, change_id: str, *, stopped: bool, at: datetime) -> bool:
        """Forbid or allow marketing to a contact; the latest change wins, in whatever order changes arrive.

        Returns whether it was this change that made it so.
        """
        changes = {"$ne": [{"$ifNull": ["$stopped", None]}, stopped]}
        is_late = {"$gt": [{"$ifNull": ["$at", at]}, at]}
        applies = {"$and": [changes, {"$not": [is_late]}]}
        document = await self._stops.find_one_and_update(
            {"_id": contact_stop_id(contact_id)},
            [
                {
                    "$set": {
                        "change_id": {"$cond": [applies, change_id, "$change_id"]},
                        "at": {"$cond": [is_late, "$at", at]},
                        "stopped": {"$cond": [is_late, "$stopped", stopped]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return bool(document.get("change_id") == change_id)

    async def list_opted_out(self, contact_ids: Iterable[str]) -> set[str]:
        """Those of the contacts who take no marketing."""
        by_stop = {contact_stop_id(id_): id_ for id_ in contact_ids}
        found = self._stops.find({"_id": {"$in": list(by_stop)}, "stopped": True}, {"_id": 1})
        return {by_stop[document["_id"]] async for document in found}
