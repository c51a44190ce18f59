"""The recipients collection as the dispatcher sees it: whose turn it is, who is released, and who is released again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.campaigns.domain.recipients import Row
from services.campaigns.domain.states import HANDED_OVER
from services.campaigns.repositories.recipients import Counts, to_row
from shared.clock import Clock
from shared.mongo import Database, Document

_SENDING = dict.fromkeys(("campaign_id", "phone", "values", "round", "run", "message_id", "n", "state"), 1)


@dataclass(frozen=True, slots=True)
class HandoverRepository:
    """Rows on their way to messaging. Each update is conditional on the state that a row is taken from."""

    database: Database
    now: Clock

    @property
    def _rows(self) -> Any:
        return self.database["recipients"]

    async def count_released(self, campaign_ids: Sequence[str]) -> Counts:
        """By campaign, the recipients that messaging works on; who has none is left out.

        One that is overdue counts no more: it may wait for hours, and must not hold up the others.
        """
        if not campaign_ids:
            return {}
        pipeline: list[Document] = [
            {"$match": {"campaign_id": {"$in": list(campaign_ids)}, "state": "released"}},
            {"$group": {"_id": "$campaign_id", "count": {"$sum": 1}}},
        ]
        return {group["_id"]: group["count"] async for group in await self._rows.aggregate(pipeline)}

    async def take_pending(
        self, campaign_id: str, count: int, batch: str, next_release: datetime, zones: Sequence[str] | None
    ) -> list[Row]:
        """Release the next recipients in order, and return those that were ours to release."""
        query: Document = {"campaign_id": campaign_id, "state": "pending"}
        if zones is not None:
            query["zone"] = {"$in": list(zones)}
        found = await self._rows.find(query, _SENDING).sort("n", 1).limit(count).to_list()
        return (await self._release(found, batch, next_release)).get(campaign_id, [])

    async def take_all_pending(
        self, shares: Mapping[str, int], batch: str, next_release: datetime
    ) -> dict[str, list[Row]]:
        """The same of several campaigns together, by id: of each at most its share.

        For campaigns of which no more are pending than that: else they could take the places of the others.
        """
        if not shares:
            return {}
        query = {"campaign_id": {"$in": list(shares)}, "state": "pending"}
        found = self._rows.find(query, _SENDING).sort([("campaign_id", 1), ("n", 1)]).limit(sum(shares.values()))
        left, taken = dict(shares), []
        async for row in found:
            left[row["campaign_id"]] -= 1
            if left[row["campaign_id"]] >= 0:
                taken.append(row)
        return await self._release(taken, batch, next_release)

    async def _release(self, found: Sequence[Document], batch: str, next_release: datetime) -> dict[str, list[Row]]:
        if not found:
            return {}
        ids = [row["_id"] for row in found]
        done = await self._rows.update_many(
            {"_id": {"$in": ids}, "state": "pending"},
            {"$set": {"state": "released", "releases": 1, "batch": batch, "due_at": next_release}},
        )
        if done.modified_count != len(ids):
            mine = {"_id": {"$in": ids}, "state": "released", "batch": batch}
            ours = {row["_id"] async for row in self._rows.find(mine, {"_id": 1})}
            found = [row for row in found if row["_id"] in ours]
        return _by_campaign(found)

    async def put_back(self, ids: Sequence[str]) -> None:
        """Nobody may have got these: they take their turn again, under the same message ids."""
        await self._rows.update_many(
            {"_id": {"$in": list(ids)}, "state": "released"},
            {"$set": {"state": "pending"}, "$unset": {"due_at": "", "releases": "", "batch": ""}},
        )

    async def list_overdue(self, campaign_ids: Sequence[str], limit: int) -> dict[str, list[Row]]:
        """By campaign, recipients that were released long ago and have no outcome: their batch may be lost."""
        late = {"state": {"$in": list(HANDED_OVER)}, "due_at": {"$lte": self.now()}}
        query = {"campaign_id": {"$in": list(campaign_ids)}} | late
        return _by_campaign(await self._rows.find(query, _SENDING | {"releases": 1}).limit(limit).to_list())

    async def mark_released_again(self, ids: Sequence[str], due_at: datetime) -> None:
        """They are handed over once more under the same message ids."""
        await self._rows.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$in": list(HANDED_OVER)}},
            {"$set": {"state": "overdue", "due_at": due_at}, "$inc": {"releases": 1}},
        )

    async def wake_parked(self, campaign_ids: Sequence[str]) -> None:
        """Let parked recipients take their turn again."""
        await self._rows.update_many(
            {"campaign_id": {"$in": list(campaign_ids)}, "state": "parked", "due_at": {"$lte": self.now()}},
            {"$set": {"state": "pending"}, "$unset": {"due_at": ""}},
        )


def _by_campaign(rows: Iterable[Document]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["campaign_id"], []).append(to_row(row))
    return grouped
