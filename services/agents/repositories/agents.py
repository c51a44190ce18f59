"""Agents. One that is being linked to its number, or taken from it, says when somebody must look at it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from shared.clock import Clock
from shared.contracts.agents import Agent, AgentError, CreateAgent
from shared.errors import NotFoundError
from shared.mongo import Database, Document

_PATIENCE = timedelta(minutes=1)  # after which a link that is still half made is finished by whoever looks

# linking → active → unlinking → deleted. A deleted agent stays, so that a late repetition cannot bring it back.
_LIVE: Document = {"$in": ["linking", "active"]}


@dataclass(frozen=True, slots=True)
class AgentRepository:
    """The agents collection."""

    database: Database
    now: Clock

    @property
    def _agents(self) -> Any:
        return self.database["agents"]

    async def ensure_indexes(self) -> None:
        """Listed by user, newest first; found again while half linked."""
        await self._agents.create_index([("user_id", 1), ("created_at", -1)])
        await self._agents.create_index("check_at", partialFilterExpression={"check_at": {"$exists": True}})

    async def add_once(
        self, command: CreateAgent, *, webchat_id: str | None = None, source_agent_id: str | None = None
    ) -> Agent:
        """Store an agent that is not linked yet, or return it when this command stored it before.

        Raises NotFoundError when it has been deleted since.
        """
        now = self.now()
        fields = command.model_dump(exclude={"agent_id"}) | {
            "webchat_id": webchat_id,
            "source_agent_id": source_agent_id,
            "state": "linking",
            "check_at": now + _PATIENCE,
            "created_at": now,
            "updated_at": now,
        }
        document = await self._agents.find_one_and_update(
            {"_id": command.agent_id},
            {"$setOnInsert": fields},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if document["state"] not in _LIVE["$in"]:
            raise _not_found()
        return _to_agent(document)

    async def get(self, agent_id: str) -> Agent:
        """One agent that is not deleted. Raises NotFoundError."""
        agent = await self.find(agent_id)
        if agent is None:
            raise _not_found()
        return agent

    async def find(self, agent_id: str) -> Agent | None:
        """One agent that is not deleted, or None."""
        document = await self._agents.find_one({"_id": agent_id, "state": _LIVE})
        return _to_agent(document) if document else None

    async def list_by_user(self, user_id: str) -> tuple[Agent, ...]:
        """A user's agents, newest first."""
        found = self._agents.find({"user_id": user_id, "state": _LIVE}).sort([("created_at", -1), ("_id", -1)])
        return tuple([_to_agent(document) async for document in found])

    async def list_by_ids(self, agent_ids: list[str]) -> dict[str, Agent]:
        """Those of some agents that are not deleted, by id."""
        found = self._agents.find({"_id": {"$in": agent_ids}, "state": _LIVE})
        return {document["_id"]: _to_agent(document) async for document in found}

    async def change(self, agent_id: str, changes: Mapping[str, Any]) -> Agent:
        """Set fields. Raises NotFoundError."""
        document = await self._agents.find_one_and_update(
            {"_id": agent_id, "state": _LIVE},
            {"$set": {**changes, "updated_at": self.now()}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise _not_found()
        return _to_agent(document)

    async def record_error(self, agent_id: str, error: AgentError) -> None:
        """Keep why the agent could not answer, for whoever looks at it."""
        await self._agents.update_one({"_id": agent_id}, {"$set": {"last_error": error.model_dump()}})

    async def clear_error(self, agent_id: str) -> None:
        """The agent answers (again)."""
        await self._agents.update_one(
            {"_id": agent_id, "last_error": {"$exists": True}}, {"$unset": {"last_error": ""}}
        )

    async def mark_linked(self, agent_id: str) -> None:
        """The number has this agent; nobody needs to look at it again."""
        await self._agents.update_one(
            {"_id": agent_id, "state": "linking"}, {"$set": {"state": "active"}, "$unset": {"check_at": ""}}
        )

    async def mark_unlinking(self, agent_id: str) -> Agent | None:
        """From now on the agent is gone for everybody; its number is freed next. None when it was gone before."""
        document = await self._agents.find_one_and_update(
            {"_id": agent_id, "state": {"$ne": "deleted"}},
            {"$set": {"state": "unlinking", "check_at": self.now() + _PATIENCE}},
        )
        return _to_agent(document) if document else None

    async def mark_deleted(self, agent_id: str) -> None:
        """Its number is free. What it was stays, since conversations and other agents may name it."""
        await self._agents.update_one(
            {"_id": agent_id, "state": {"$in": ["linking", "unlinking"]}},
            {"$set": {"state": "deleted", "deleted_at": self.now()}, "$unset": {"check_at": ""}},
        )

    async def claim_half_linked(self) -> tuple[Agent, bool] | None:
        """An agent whose linking or unlinking was not finished in time, and whether it is to be linked.

        It is the caller's for a minute.
        """
        now: datetime = self.now()
        document = await self._agents.find_one_and_update(
            {"check_at": {"$lte": now}}, {"$set": {"check_at": now + _PATIENCE}}
        )
        return (_to_agent(document), document["state"] == "linking") if document else None


def _not_found() -> NotFoundError:
    return NotFoundError("Agent not found")


def _to_agent(document: Document) -> Agent:
    error = document.get("last_error")
    return Agent(
        agent_id=document["_id"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        prompt_id=document["prompt_id"],
        name=document["name"],
        webchat_id=document.get("webchat_id"),
        source_agent_id=document.get("source_agent_id"),
        debounce_ms=document.get("debounce_ms"),
        fallback_text=document.get("fallback_text"),
        daily_budget=document.get("daily_budget"),
        last_error=AgentError.model_validate(error) if error else None,
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
