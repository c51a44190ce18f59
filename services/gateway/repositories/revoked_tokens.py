"""Operators' tokens that were taken back before their time."""

from dataclasses import dataclass
from datetime import datetime

from shared.mongo import Database


@dataclass(frozen=True, slots=True)
class RevokedTokenRepository:
    """The collection `revoked_admin_tokens`; an entry goes once the token would have expired by itself."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Let entries go when they say no more than the token's own time."""
        await self.database.revoked_admin_tokens.create_index("expires_at", expireAfterSeconds=0)

    async def add(self, token_id: str, expires_at: datetime) -> None:
        """Refuse the token from now on. Repeating it changes nothing."""
        await self.database.revoked_admin_tokens.update_one(
            {"_id": {"$eq": token_id}}, {"$setOnInsert": {"expires_at": expires_at}}, upsert=True
        )

    async def has(self, token_id: str) -> bool:
        """Whether the token was taken back."""
        return await self.database.revoked_admin_tokens.find_one({"_id": {"$eq": token_id}}) is not None
