"""Prompts, each under its user and the id that the user gave it, with the versions that came before."""

from dataclasses import dataclass
from typing import Any

import orjson
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.contracts.agents import CreatePrompt, Prompt, UpdatePrompt
from shared.errors import ConflictError, NotFoundError
from shared.mongo import Database, Document

_CONTENT = ("instructions", "model", "variables", "tools")
_KEPT_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class PromptRepository:
    """The prompts collection."""

    database: Database
    now: Clock

    @property
    def _prompts(self) -> Any:
        return self.database["prompts"]

    async def ensure_indexes(self) -> None:
        """Listed by user, newest first."""
        await self._prompts.create_index([("user_id", 1), ("created_at", -1)])

    async def add_once(self, command: CreatePrompt) -> Prompt:
        """Store a prompt, or return it when the same work stored it before. Raises ConflictError for a second one."""
        now = self.now()
        document: Document = {
            "_id": _key(command.user_id, command.prompt_id),
            "user_id": command.user_id,
            "prompt_id": command.prompt_id,
            **_content(command),
            "version": 1,
            "works": [command.work_id],
            "earlier": [],
            "created_at": now,
            "updated_at": now,
        }
        try:
            await self._prompts.insert_one(document)
        except DuplicateKeyError:
            stored = await self._prompts.find_one({"_id": document["_id"], "works": command.work_id})
            if stored is None:
                raise ConflictError(f"A prompt with prompt_id {command.prompt_id} already exists") from None
            document = stored
        return _to_prompt(document)

    async def get(self, user_id: str, prompt_id: str) -> Prompt:
        """One prompt. Raises NotFoundError."""
        prompt = await self.find(user_id, prompt_id)
        if prompt is None:
            raise _not_found()
        return prompt

    async def find(self, user_id: str, prompt_id: str) -> Prompt | None:
        """One prompt, or None when this user has not registered it."""
        document = await self._prompts.find_one({"_id": _key(user_id, prompt_id)})
        return _to_prompt(document) if document else None

    async def list_by_user(self, user_id: str) -> tuple[Prompt, ...]:
        """A user's prompts, newest first."""
        found = self._prompts.find({"user_id": user_id}).sort([("created_at", -1), ("_id", -1)])
        return tuple([_to_prompt(document) async for document in found])

    async def change(self, command: UpdatePrompt) -> Prompt:
        """Make a new version, once for each `work_id`; the one before is kept. Raises NotFoundError."""
        key = _key(command.user_id, command.prompt_id)
        given = {name: value for name, value in _content(command).items() if value is not None}
        changes = {name: {"$literal": value} for name, value in given.items()}  # a text may begin with a dollar sign
        if command.default_model:
            changes["model"] = {"$literal": None}
        document = await self._prompts.find_one_and_update(
            {"_id": key, "works": {"$ne": command.work_id}},
            [
                {"$set": {"earlier": _newest({"$concatArrays": ["$earlier", [_PRESENT]]})}},
                {
                    "$set": {
                        **changes,
                        "version": {"$add": ["$version", 1]},
                        "works": _newest({"$concatArrays": ["$works", [command.work_id]]}),
                        "updated_at": self.now(),
                    }
                },
            ],
            return_document=ReturnDocument.AFTER,
        )
        return _to_prompt(document) if document else await self.get(command.user_id, command.prompt_id)

    async def delete(self, user_id: str, prompt_id: str) -> None:
        """Forget a prompt. Raises NotFoundError when there is none."""
        result = await self._prompts.delete_one({"_id": _key(user_id, prompt_id)})
        if result.deleted_count == 0:
            raise _not_found()


_PRESENT = {name: f"${name}" for name in (*_CONTENT, "version", "updated_at")}


def _newest(versions: Document) -> Document:
    return {"$slice": [versions, -_KEPT_VERSIONS]}


def _content(command: CreatePrompt | UpdatePrompt) -> Document:
    """What the prompt says. Maps are kept as text: a tool's schema has keys such as `$ref`, which mean more to BSON."""
    variables, tools = command.variables, command.tools
    return {
        "instructions": command.instructions,
        "model": command.model,
        "variables": None if variables is None else orjson.dumps(variables).decode(),
        "tools": None if tools is None else orjson.dumps(tools).decode(),
    }


def _key(user_id: str, prompt_id: str) -> str:
    return f"{user_id}|{prompt_id}"  # no identifier holds a bar


def _not_found() -> NotFoundError:
    return NotFoundError("Prompt not found")


def _to_prompt(document: Document) -> Prompt:
    return Prompt(
        user_id=document["user_id"],
        prompt_id=document["prompt_id"],
        instructions=document["instructions"],
        model=document["model"],
        variables=orjson.loads(document["variables"]),
        tools=tuple(orjson.loads(document["tools"])),
        version=document["version"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
