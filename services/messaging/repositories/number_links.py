"""What binds a phone number: the one agent that answers on it, and the campaigns that hold it.

Each rule is one conditional update of the number's document, so two services can never both be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.clock import Clock
from shared.errors import ConflictError, NotFoundError
from shared.mongo import Database, Document

AGENT_STANDS_AGAINST = "Cannot delete phone number with an active agent. Delete the agent first."
CAMPAIGN_STANDS_AGAINST = (
    "Cannot delete phone number while a campaign is running, scheduled or paused on it. Cancel the campaign first."
)
HAS_AN_AGENT = "Phone number already has an active agent. Update or delete the existing agent first."

_CHECK_AFTER = timedelta(minutes=1)  # by then the agent that claimed a number is stored, or never will be


@dataclass(frozen=True, slots=True)
class AgentLink:
    """A number and the agent that it was given to."""

    phone_number_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class NumberLinkRepository:
    """The links in the phone_numbers collection; an archived number has none."""

    database: Database
    now: Clock

    @property
    def _numbers(self) -> Any:
        return self.database["phone_numbers"]

    async def ensure_indexes(self) -> None:
        """Find links that nobody has looked at again yet."""
        await self._numbers.create_index(
            "agent_check_at", partialFilterExpression={"agent_check_at": {"$exists": True}}
        )

    async def link_agent(self, phone_number_id: str, agent_id: str, user_id: str) -> None:
        """Give the number its one agent. Raises NotFoundError, ConflictError when it has another."""
        wanted = _live(phone_number_id) | {"user_id": user_id, "agent_id": {"$in": [None, agent_id]}}
        change = {"agent_id": agent_id, "agent_check_at": self.now() + _CHECK_AFTER}
        linked = await self._numbers.update_one(wanted, {"$set": change})
        if linked.matched_count == 0:
            document = await self._find(phone_number_id)
            raise ConflictError(HAS_AN_AGENT) if _is_of(document, user_id) else _not_found()

    async def unlink_agent(self, phone_number_id: str, agent_id: str) -> None:
        """Take this agent away; nothing happens when the number has another, or none."""
        await self._numbers.update_one(
            {"_id": phone_number_id, "agent_id": agent_id}, {"$unset": {"agent_id": "", "agent_check_at": ""}}
        )

    async def claim_unchecked(self) -> AgentLink | None:
        """A link over a minute old whose agent nobody has asked after; the caller's for a minute."""
        now = self.now()
        document = await self._numbers.find_one_and_update(
            {"agent_check_at": {"$lte": now}}, {"$set": {"agent_check_at": now + _CHECK_AFTER}}
        )
        return AgentLink(document["_id"], document["agent_id"]) if document else None

    async def mark_checked(self, link: AgentLink) -> None:
        """The agent exists and names this number."""
        await self._numbers.update_one(
            {"_id": link.phone_number_id, "agent_id": link.agent_id}, {"$unset": {"agent_check_at": ""}}
        )

    async def hold(self, phone_number_id: str, user_id: str, holder: str) -> None:
        """Keep the number from being deleted while `holder` needs it. Raises NotFoundError."""
        held = await self._numbers.update_one(
            _live(phone_number_id) | {"user_id": user_id}, {"$addToSet": {"holders": holder}}
        )
        if held.matched_count == 0:
            raise _not_found()

    async def release(self, phone_number_ids: Sequence[str], holders: Sequence[str]) -> None:
        """None of `holders` needs any of the numbers any longer."""
        released = {"$pull": {"holders": {"$in": list(holders)}}}
        await self._numbers.update_many({"_id": {"$in": list(phone_number_ids)}}, released)

    async def archive(self, phone_number_id: str) -> None:
        """Delete a number that nothing binds: its history stays, its token goes, its Meta id is free again.

        The Meta id moves out of the unique index by giving its place to our own id, which no Meta id can be.
        Raises NotFoundError, or ConflictError that says what stands against it.
        """
        now = self.now()
        free = _live(phone_number_id) | {"agent_id": None, "holders.0": {"$exists": False}}
        moved = {"archived_meta_phone_number_id": "$meta_phone_number_id", "meta_phone_number_id": "$_id"}
        changes = moved | {"sealed_access_token": None, "archived_at": now, "updated_at": now}
        archived = await self._numbers.update_one(free, [{"$set": changes}, {"$unset": ["subscribe_at"]}])
        if archived.matched_count == 0:
            raise _standing_against(await self._find(phone_number_id))

    async def _find(self, phone_number_id: str) -> Document | None:
        found: Document | None = await self._numbers.find_one(_live(phone_number_id))
        return found


def _live(phone_number_id: str) -> Document:
    return {"_id": phone_number_id, "archived_at": None}


def _is_of(document: Document | None, user_id: str) -> bool:
    return document is not None and document["user_id"] == user_id


def _not_found() -> NotFoundError:
    return NotFoundError("Phone number not found")


def _standing_against(document: Document | None) -> NotFoundError | ConflictError:
    if document is None:
        return _not_found()
    return ConflictError(AGENT_STANDS_AGAINST if document.get("agent_id") else CAMPAIGN_STANDS_AGAINST)
