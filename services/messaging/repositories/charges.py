"""What messages have cost: counted, never added up, so that nothing counts twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from services.messaging.domain.states import FAILED, GROUPED, OPEN_STATES, RANKS, SENT, UNKNOWN
from services.messaging.repositories.groups import GroupRepository
from shared.clock import Clock
from shared.mongo import Database, Document

Charge = Literal["charged", "free", "undecided"]

# A message of which only Meta knows keeps its credit set aside so long; a status mostly comes within minutes.
UNKNOWN_HELD_FOR = timedelta(hours=24)
_IN_FLIGHT = [state for state in OPEN_STATES if state != UNKNOWN]
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ChargeRepository:
    """The messages collection as the ledger sees it.

    `credit` names the reservation that pays for a campaign's message; `charged` repeats it once Meta has accepted the
    message, and is gone when Meta could not deliver it.
    """

    database: Database
    groups: GroupRepository
    now: Clock

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    async def ensure_indexes(self) -> None:
        """Both hold few keys a message: none for one that nobody pays for."""
        await self._messages.create_index("charged", partialFilterExpression={"charged": {"$exists": True}})
        await self._messages.create_index("credit", partialFilterExpression={"state": UNKNOWN})

    async def count_charged(self, entry_ids: Sequence[str]) -> Counter[str]:
        """How many messages of each reservation Meta has accepted."""
        return await self._count("charged", {"charged": {"$in": list(entry_ids)}}, hint="charged_1")

    async def count_undecided(self, entry_ids: Sequence[str]) -> Counter[str]:
        """How many messages of each may still turn out to be accepted."""
        if not entry_ids:
            return Counter()
        paid = {"credit": {"$in": list(entry_ids)}}
        # In the order in which a message goes from one to the next, so that it is seen at least once.
        grouped_ids = [id_ for ids in await asyncio.gather(*map(self.groups.list_grouped, entry_ids)) for id_ in ids]
        count = await self._count("credit", paid | {"_id": {"$in": grouped_ids}, "state": GROUPED}, hint="_id_")
        in_flight = paid | {"wake_at": {"$gt": _ALWAYS}, "state": {"$in": _IN_FLIGHT}}
        count += await self._count("credit", in_flight, hint="wake_at_1")
        held_since = {"$gt": self.now() - UNKNOWN_HELD_FOR}
        unknown = paid | {"state": UNKNOWN, "unknown_at": held_since}
        return count + await self._count("credit", unknown, hint="credit_1")

    async def _count(self, field: str, query: Document, *, hint: str) -> Counter[str]:
        pipeline = [{"$match": query}, {"$group": {"_id": f"${field}", "count": {"$sum": 1}}}]
        groups = await self._messages.aggregate(pipeline, hint=hint)
        return Counter({group["_id"]: group["count"] async for group in groups})

    async def list_charges(self, message_ids: Sequence[str]) -> dict[str, Charge]:
        """What single messages have cost; those that are not stored are left out."""
        fields = {"state": 1, "rank": 1, "unknown_at": 1}
        found = self._messages.find({"_id": {"$in": list(message_ids)}}, fields)
        return {document["_id"]: self._charge(document) async for document in found}

    def _charge(self, document: Document) -> Charge:
        state = document["state"]
        if state == SENT:
            return "free" if document["rank"] == RANKS["failed"] else "charged"
        if state == FAILED:
            return "free"
        unknown_at = document.get("unknown_at")
        is_lost = state == UNKNOWN and unknown_at is not None and unknown_at <= self.now() - UNKNOWN_HELD_FOR
        return "free" if is_lost else "undecided"
