"""Leases that replicas share. They only save work or keep an order; what must not happen twice is guarded by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.clock import Clock
from shared.mongo import UNSAFE_WRITES, Database

_LEASE = timedelta(seconds=30)  # longer than any step that is done under it
_POLL_SECONDS = 0.05
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class LockRepository:
    """The locks collection; losing it costs a moment of order, so writes need no journal."""

    database: Database
    worker: str
    now: Clock

    @property
    def _locks(self) -> Any:
        return self.database.get_collection("locks", write_concern=UNSAFE_WRITES)

    async def ensure_indexes(self) -> None:
        """Leases that nobody renews go away."""
        await self._locks.create_index("until", expireAfterSeconds=3600)

    async def take(self, name: str) -> bool:
        """Take a lease that is free or over; False when somebody has it."""
        is_over = {"until": {"$lte": self.now()}}
        try:
            done = await self._locks.update_one({"_id": name} | is_over, self._leased(), upsert=True)
        except DuplicateKeyError:
            return False
        return bool(done.matched_count or done.upserted_id)

    async def keep(self, names: Sequence[str]) -> set[str]:
        """Take leases, or renew our own; those that are ours now, without those that other workers have."""
        if not names:
            return set()
        free = {"$or": [{"worker": self.worker}, {"until": {"$lte": self.now()}}]}
        updates = [UpdateOne({"_id": name} | free, self._leased(), upsert=True) for name in names]
        try:
            await self._locks.bulk_write(updates, ordered=False)
        except BulkWriteError as error:
            failures = (error.details or {}).get("writeErrors", [])
            if any(failure["code"] != _DUPLICATE_KEY for failure in failures):
                raise
            return set(names) - {names[failure["index"]] for failure in failures}
        return set(names)

    async def give_back(self, name: str) -> None:
        """End our lease early."""
        await self._locks.delete_one({"_id": name, "worker": self.worker})

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[None]:
        """Hold a lease inside the block, after waiting for whoever has it."""
        while True:
            if await self.take(name):
                break
            await asyncio.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            await self.give_back(name)

    def _leased(self) -> dict[str, Any]:
        return {"$set": {"worker": self.worker, "until": self.now() + _LEASE}}
