"""Records of requests that came with an Idempotency-Key."""

from dataclasses import asdict, dataclass
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from services.gateway.domain.idempotency import RETENTION, IdempotencyRecord
from shared.mongo import Database, Document


@dataclass(frozen=True, slots=True)
class IdempotencyRepository:
    """The collection `idempotency_keys`; a record's lease says which run may write its answer."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Let records go a day after their last change."""
        await self.database.idempotency_keys.create_index("expires_at", expireAfterSeconds=0)

    async def add_once(self, record: IdempotencyRecord, now: datetime) -> IdempotencyRecord:
        """Store a record, or return the one that is there; `lease` tells whose it is."""
        document = asdict(record) | {"_id": record.record_id, "expires_at": now + RETENTION}
        del document["record_id"]
        try:
            await self.database.idempotency_keys.insert_one(document)
        except DuplicateKeyError:
            return await self._find_live(record, document, now)
        return record

    async def take_lease(self, old: IdempotencyRecord, lease: str, until: datetime) -> bool:
        """Take over a record whose lease has run out; False when somebody else was quicker."""
        result = await self.database.idempotency_keys.update_one(
            {"_id": old.record_id, "lease": old.lease, "status": None}, {"$set": {"lease": lease, "lease_until": until}}
        )
        return result.modified_count == 1

    async def mark_answered(self, record: IdempotencyRecord, status: int, sealed_body: str, now: datetime) -> None:
        """Keep the answer, unless the lease was lost meanwhile."""
        await self.database.idempotency_keys.update_one(
            {"_id": record.record_id, "lease": record.lease},
            {"$set": {"status": status, "sealed_body": sealed_body, "expires_at": now + RETENTION}},
        )

    async def release(self, record: IdempotencyRecord, now: datetime) -> None:
        """Let a repetition run at once, with the same ids: this run's answer is not kept."""
        await self.database.idempotency_keys.update_one(
            {"_id": record.record_id, "lease": record.lease}, {"$set": {"lease_until": now}}
        )

    async def _find_live(self, record: IdempotencyRecord, document: Document, now: datetime) -> IdempotencyRecord:
        """The record that is there; one that is over a day old (the database removes them in its own time) is
        replaced, and so is one that went away between the two calls."""
        keys = self.database.idempotency_keys
        await keys.find_one_and_replace({"_id": record.record_id, "expires_at": {"$lte": now}}, document)
        stored = await keys.find_one({"_id": record.record_id})
        return _to_record(stored) if stored else await self.add_once(record, now)


def _to_record(document: Document) -> IdempotencyRecord:
    return IdempotencyRecord(
        record_id=document["_id"],
        body_hash=document["body_hash"],
        sealed_fixed=document["sealed_fixed"],
        lease=document["lease"],
        lease_until=document["lease_until"],
        status=document["status"],
        sealed_body=document["sealed_body"],
    )
