"""How many answers agents have given today."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.mongo import Database

_KEPT = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class BudgetRepository:
    """The agent_days collection: one counter for each agent and day (UTC)."""

    database: Database
    now: Clock

    @property
    def _days(self) -> Any:
        return self.database["agent_days"]

    async def ensure_indexes(self) -> None:
        """Old days go by themselves."""
        await self._days.create_index("until", expireAfterSeconds=0)

    async def take(self, agent_id: str, daily_budget: int | None) -> bool:
        """Take one answer out of today's budget; False when it is used up. A repeated try counts again."""
        if daily_budget is None:
            return True
        if daily_budget == 0:
            return False
        now = self.now()
        try:
            await self._days.update_one(
                {"_id": f"{agent_id}|{now:%Y-%m-%d}", "used": {"$lt": daily_budget}},
                {"$inc": {"used": 1}, "$setOnInsert": {"until": now + _KEPT}},
                upsert=True,
            )
        except DuplicateKeyError:  # today's counter is there, and has reached the budget
            return False
        return True
