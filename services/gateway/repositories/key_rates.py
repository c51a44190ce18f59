"""How fast each API key may call, over all gateways: one document, one atomic update a lease of tokens."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.mongo import UNSAFE_WRITES, Database

TOKENS_PER_SECOND = 100.0
BURST = 200.0

_FORGOTTEN_AFTER = timedelta(hours=1)  # a bucket is full long before, and a full one says as much as none


@dataclass(frozen=True, slots=True)
class Lease:
    """Tokens that are the caller's now; when there are none, the seconds until there will be one."""

    tokens: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class KeyRateRepository:
    """The collection `key_rates`. Losing it costs a burst, so writes need no journal."""

    database: Database
    per_second: float = TOKENS_PER_SECOND
    burst: float = BURST

    @property
    def _rates(self) -> Any:
        return self.database.get_collection("key_rates", write_concern=UNSAFE_WRITES)

    async def ensure_indexes(self) -> None:
        """Let the buckets of keys that rest go."""
        await self._rates.create_index("at", expireAfterSeconds=int(_FORGOTTEN_AFTER.total_seconds()))

    async def lease(self, key_id: str, wanted: int) -> Lease:
        """Take up to `wanted` tokens; the time is the database's, so that all gateways agree."""
        try:
            document = await self._rates.find_one_and_update(
                {"_id": key_id}, self._refill_and_take(wanted), upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # two gateways made the document at the same moment
            return await self.lease(key_id, wanted)
        taken = int(document["taken"])
        return Lease(taken, 0.0 if taken else (1 - document["level"]) / self.per_second)

    def _refill_and_take(self, wanted: int) -> list[dict[str, Any]]:
        seconds = {"$divide": [{"$subtract": ["$$NOW", {"$ifNull": ["$at", "$$NOW"]}]}, 1000]}
        refill = {"$multiply": [{"$max": [0, seconds]}, self.per_second]}  # a clock set back takes no tokens away
        level = {"$min": [self.burst, {"$add": [{"$ifNull": ["$level", self.burst]}, refill]}]}
        return [
            {"$set": {"level": level, "at": "$$NOW"}},
            {"$set": {"taken": {"$max": [0, {"$min": [wanted, {"$floor": "$level"}]}]}}},
            {"$set": {"level": {"$subtract": ["$level", "$taken"]}}},
        ]
