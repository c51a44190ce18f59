"""Leases that replicas share. They only save work or keep an order; what must not happen twice is guarded by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.mongo import UNSAFE_WRITES, Database

_LEASE = timedelta(seconds=30)  # longer than any step that is done under it
_POLL_SECONDS = 0.05


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
        return await self._take(name, {"until": {"$lte": self.now()}})

    async def keep(self, name: str) -> bool:
        """Take a lease, or renew our own; False when another worker has it."""
        return await self._take(name, {"$or": [{"worker": self.worker}, {"until": {"$lte": self.now()}}]})

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

    async def _take(self, name: str, condition: dict[str, Any]) -> bool:
        lease = {"worker": self.worker, "until": self.now() + _LEASE}
        try:
            done = await self._locks.update_one({"_id": name} | condition, {"$set": lease}, upsert=True)
        except DuplicateKeyError:
            return False
        return bool(done.matched_count or done.upserted_id)
