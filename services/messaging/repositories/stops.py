"""What forbids an intent: campaigns that are held, and contacts who take no marketing.

One small collection, read once for each group between its claim and its intent. Whoever adds a stop then takes back
what is claimed: a claim stored before the stop is undone by that, a later one sees the stop.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.stops import Stop, campaign_stop_id, contact_stop_id, stop_ids
from shared.clock import Clock
from shared.mongo import Database, Document


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

    async def hold_campaign(self, campaign_id: str, *, cancelled: bool, version: int | None = None) -> Stop | None:
        """Forbid a campaign's intents; None when a later version has spoken. Cancelled stays so within a version."""
        wanted: Document = {"stopped": True, "at": self.now()} | ({"cancelled": True} if cancelled else {})
        document = await self._decide(campaign_id, wanted, version)
        return Stop(document["_id"], document.get("cancelled", False)) if document else None

    async def let_campaign_go(self, campaign_id: str, version: int | None = None) -> bool:
        """Allow its intents again; False when a later version has spoken, or it was cancelled and this has none."""
        if version is None:
            stop_id = campaign_stop_id(campaign_id)
            await self._stops.delete_one({"_id": stop_id, "cancelled": {"$ne": True}})
            return await self._stops.find_one({"_id": stop_id}) is None
        # The document stays: it remembers the version, so that an older command that comes late changes nothing.
        return await self._decide(campaign_id, {"stopped": False, "cancelled": False}, version) is not None

    async def _decide(self, campaign_id: str, wanted: Document, version: int | None) -> Document | None:
        stop_id = {"_id": campaign_stop_id(campaign_id)}
        is_current = {} if version is None else {"$or": [{"version": {"$lte": version}}, {"version": None}]}
        try:
            document: Document | None = await self._stops.find_one_and_update(
                stop_id | is_current,
                {"$set": wanted | ({} if version is None else {"version": version})},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # it is there, with a later version
            return None
        return document

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
