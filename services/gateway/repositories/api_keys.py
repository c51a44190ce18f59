"""API keys, looked up anew for every request, so that an edit or a revocation acts on the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.gateway.domain.api_keys import ApiKey
from shared.errors import ConflictError, NotFoundError
from shared.gathering import Gathering
from shared.mongo import UNSAFE_WRITES, Database, Document

_LAST_USED_STEP = timedelta(minutes=1)
_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class ApiKeyRepository:
    """The collection `api_keys`."""

    database: Database
    _finding: Gathering[str, Document | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_finding", Gathering(self._find_all, limit=_TOGETHER))

    async def ensure_indexes(self) -> None:
        """Make a user's list quick."""
        await self.database.api_keys.create_index([("user_id", 1), ("created_at", -1)])
        await self.database.api_keys.create_index([("phone_number_id", 1)])

    async def add_once(self, key: ApiKey) -> ApiKey:
        """Store a key, or return the one that the same work stored before."""
        document = asdict(key) | {"_id": key.key_id, "permissions": list(key.permissions)}
        del document["key_id"]
        try:
            await self.database.api_keys.insert_one(document)
        except DuplicateKeyError:
            stored = await self.find(key.key_id)
            if stored is None or stored.secret_hash != key.secret_hash:
                raise ConflictError("A key with this id exists; try again") from None
            return stored
        return key

    async def find(self, key_id: str) -> ApiKey | None:
        """The key, revoked or not, or None; requests of the same moment share a look-up."""
        document = await self._finding.add(key_id)
        return _to_key(document) if document else None

    async def _find_all(self, key_ids: Sequence[str]) -> list[Document | None]:
        found = self.database.api_keys.find({"_id": {"$in": list(set(key_ids))}})
        by_id = {document["_id"]: document async for document in found}
        return [by_id.get(key_id) for key_id in key_ids]

    async def list_live(self, user_id: str) -> list[ApiKey]:
        """A user's keys that have not been revoked, newest first."""
        found = self.database.api_keys.find({"user_id": {"$eq": user_id}, "revoked_at": None})
        return [_to_key(document) async for document in found.sort([("created_at", -1), ("_id", 1)])]

    async def change(self, key_id: str, changes: Mapping[str, Any]) -> ApiKey:
        """Set fields of a key. Raises NotFoundError when there is none, or it was revoked."""
        document = await self.database.api_keys.find_one_and_update(
            {"_id": {"$eq": key_id}, "revoked_at": None}, {"$set": changes}, return_document=ReturnDocument.AFTER
        )
        if document is None:
            raise NotFoundError("API key not found")
        return _to_key(document)

    async def mark_revoked(self, key_id: str, now: datetime) -> None:
        """Revoke a key. Raises NotFoundError when there is none, or it was revoked before."""
        result = await self.database.api_keys.update_one(
            {"_id": {"$eq": key_id}, "revoked_at": None}, {"$set": {"revoked_at": now}}
        )
        if result.matched_count == 0:
            raise NotFoundError("API key not found")

    async def mark_number_gone(self, phone_number_id: str, now: datetime) -> None:
        """Revoke the keys of a number that is deleted. Again, it does nothing."""
        await self.database.api_keys.update_many(
            {"phone_number_id": {"$eq": phone_number_id}, "revoked_at": None}, {"$set": {"revoked_at": now}}
        )

    async def mark_used(self, key: ApiKey, now: datetime) -> None:
        """Note when the key was used, at most once a minute; this may be lost with the machine."""
        before = now - _LAST_USED_STEP
        if key.last_used_at is not None and key.last_used_at > before:
            return
        keys = self.database.get_collection("api_keys", write_concern=UNSAFE_WRITES)
        await keys.update_one({"_id": key.key_id}, {"$max": {"last_used_at": now}})


def _to_key(document: Document) -> ApiKey:
    fields = {name: value for name, value in document.items() if name != "_id"}
    return ApiKey(key_id=document["_id"], **(fields | {"permissions": tuple(document["permissions"])}))
