"""Consents: every change of a contact's mind about marketing, with its proof, for as long as the user exists."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.contracts.contacts import ConsentProof
from shared.mongo import Database, Document

_CARRIED_OUT_AFTER = timedelta(seconds=5)  # a change takes milliseconds; then whoever began it is gone


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """One change, as it was asked for; `id` makes it happen once."""

    id: str
    user_id: str
    contact_id: str
    phone: str | None
    opted_out: bool
    proof: ConsentProof
    evidence: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentRepository:
    """The consents collection. `wake_at` is there until a change has been carried out and announced."""

    database: Database
    now: Clock

    @property
    def _consents(self) -> Any:
        return self.database["consents"]

    async def ensure_indexes(self) -> None:
        """What is not carried out yet, and a contact's history."""
        await self._consents.create_index("wake_at", partialFilterExpression={"wake_at": {"$exists": True}})
        await self._consents.create_index([("contact_id", 1), ("at", 1)])

    async def add_once(self, consent: StoredConsent) -> StoredConsent:
        """Store a change, or return what the same change was stored as before."""
        document = {
            "_id": consent.id,
            "user_id": consent.user_id,
            "contact_id": consent.contact_id,
            "phone": consent.phone,
            "opted_out": consent.opted_out,
            "proof": consent.proof,
            "evidence": consent.evidence,
            "at": consent.at,
            "wake_at": self.now() + _CARRIED_OUT_AFTER,
        }
        try:
            await self._consents.insert_one(document)
        except DuplicateKeyError:
            document = await self._consents.find_one({"_id": consent.id})
        return _to_consent(document)

    async def list_due(self, limit: int) -> list[StoredConsent]:
        """Changes that were not carried out to their end."""
        due = self._consents.find({"wake_at": {"$lte": self.now()}}).sort("wake_at", 1).limit(limit)
        return [_to_consent(document) async for document in due]

    async def mark_carried_out(self, consent_id: str) -> None:
        """Everybody knows of this change."""
        await self._consents.update_one({"_id": consent_id}, {"$unset": {"wake_at": ""}})


def _to_consent(document: Document) -> StoredConsent:
    return StoredConsent(
        id=document["_id"],
        user_id=document["user_id"],
        contact_id=document["contact_id"],
        phone=document["phone"],
        opted_out=document["opted_out"],
        proof=cast("ConsentProof", document["proof"]),
        evidence=document["evidence"],
        at=document["at"],
    )
