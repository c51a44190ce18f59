"""How busy agents are, counted from the conversations on their numbers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.clock import Clock
from shared.contracts.conversations import AgentStats
from shared.mongo import Database, Document

_ACTIVE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AgentStatsRepository:
    """Counts in the conversations collection."""

    database: Database
    now: Clock

    @property
    def _conversations(self) -> Any:
        return self.database["conversations"]

    async def ensure_indexes(self) -> None:
        """Counted by number, the active ones by their last message."""
        await self._conversations.create_index([("phone_number_id", 1), ("last_message_at", -1)])

    async def count(self, phone_number_id: str) -> AgentStats:
        """All conversations on a number, and those with a message in the last day that no human has taken over."""
        every: Document = {"phone_number_id": phone_number_id}
        recent = {"last_message_at": {"$gte": self.now() - _ACTIVE}, "handled_by": {"$ne": "human"}}
        return AgentStats(
            total_conversations=await self._conversations.count_documents(every),
            active_conversations=await self._conversations.count_documents(every | recent),
        )
