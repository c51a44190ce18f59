"""Sessions of web chat visitors, and the secrets by which sites prove who their visitors are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.agents.domain.visitors import ProvenVisitor
from shared.clock import Clock
from shared.contracts.webchat import VisitorInput
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_FORGOTTEN_AFTER = timedelta(days=180)  # as long as what was said is kept


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session of one channel; `external_id` is there for a proven visitor."""

    session_id: str
    webchat_id: str
    external_id: str | None
    visitor: VisitorInput | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """How a channel proves its visitors. The secret is sealed; None: it proves nobody."""

    sealed_secret: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class SessionRepository:
    """The collections webchat_sessions and webchat_identities."""

    database: Database
    now: Clock

    @property
    def _sessions(self) -> Any:
        return self.database["webchat_sessions"]

    @property
    def _identities(self) -> Any:
        return self.database["webchat_identities"]

    async def ensure_indexes(self) -> None:
        """Let sessions go that nobody came back to."""
        await self._sessions.create_index("seen_at", expireAfterSeconds=int(_FORGOTTEN_AFTER.total_seconds()))

    async def open(self, session_id: str, webchat_id: str, visitor: ProvenVisitor | None) -> StoredSession:
        """Store a session, or take it up again. Raises NotFoundError when it is another channel's."""
        now = self.now()
        change: Document = {"$set": {"seen_at": now}, "$setOnInsert": {"created_at": now}}
        if visitor is not None:
            told = {f"visitor.{name}": value for name, value in visitor.details.model_dump(exclude_none=True).items()}
            change["$set"] |= {"external_id": visitor.external_id, **told}
        try:
            document = await self._sessions.find_one_and_update(
                {"_id": session_id, "webchat_id": webchat_id},
                change,
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError as error:
            again = await self._sessions.find_one({"_id": session_id, "webchat_id": webchat_id})
            if again is None:
                raise NotFoundError("Webchat session not found") from error
            document = again
        return _to_session(document)

    async def find(self, session_id: str, webchat_id: str) -> StoredSession | None:
        """One session of a channel, or None."""
        document = await self._sessions.find_one({"_id": session_id, "webchat_id": webchat_id})
        return _to_session(document) if document else None

    async def set_identity(self, webchat_id: str, rule: IdentityRule) -> None:
        """Replace how a channel proves its visitors."""
        fields = {"sealed_secret": rule.sealed_secret, "required": rule.required, "updated_at": self.now()}
        await self._identities.update_one({"_id": webchat_id}, {"$set": fields}, upsert=True)

    async def identity_of(self, webchat_id: str) -> IdentityRule:
        """How a channel proves its visitors."""
        document = await self._identities.find_one({"_id": webchat_id})
        return IdentityRule(document["sealed_secret"], document["required"]) if document else IdentityRule()


def _to_session(document: Document) -> StoredSession:
    visitor = document.get("visitor")
    return StoredSession(
        session_id=document["_id"],
        webchat_id=document["webchat_id"],
        external_id=document.get("external_id"),
        visitor=VisitorInput.model_validate(visitor) if visitor else None,
        created_at=document["created_at"],
    )
