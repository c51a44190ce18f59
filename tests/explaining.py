"""Which queries a test has made of a real database, and whether each of them used an index.

A listener keeps every find, aggregate, count, distinct, update and delete as it went over the wire; `collection_scans`
asks the database to explain each shape once. A query that reads a whole collection is slow only later, when there is
something to read: hence this look at the plan, and not at a clock.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from shared.mongo import Client, Database, Document

_LOOKED_AT = ("find", "aggregate", "count", "distinct", "update", "delete", "findAndModify")
_NOT_EXPLAINED = frozenset(
    {"$db", "lsid", "$clusterTime", "writeConcern", "readConcern", "txnNumber", "startTransaction", "autocommit"}
    | {"ordered", "$readPreference", "maxTimeMS", "bypassDocumentValidation"}
)


@dataclass
class Queries(CommandListener):
    """Everything that was asked, each shape once."""

    database_name: str
    kept: dict[str, Document] = field(default_factory=dict)

    def started(self, event: CommandStartedEvent) -> None:
        """Keep a command that reads or changes what it has to find first."""
        if event.database_name != self.database_name or event.command_name not in _LOOKED_AT:
            return
        for command in _each(event.command_name, event.command):
            self.kept.setdefault(_shape_of(event.command_name, command), command)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to keep."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to keep."""

    async def planned_with(self, stage_name: str, database: Database) -> list[str]:
        """The shapes whose plan has a stage of this name."""
        found = []
        for shape, command in list(self.kept.items()):
            plan = await database.command("explain", command, verbosity="queryPlanner")
            if any(stage["stage"] == stage_name for stage in _stages(plan)):
                found.append(shape)
        return found


@dataclass(frozen=True)
class Watched:
    """A database, and what it was asked."""

    database: Database
    queries: Queries

    async def collection_scans(self) -> list[str]:
        """The shapes that read a whole collection. One that does not exist hides what its queries would do."""
        return await self.queries.planned_with("COLLSCAN", self.database)

    async def sorts_in_memory(self, collection: str) -> list[str]:
        """The shapes of finds in a collection that read everything there is before they give the first."""
        found = await self.queries.planned_with("SORT", self.database)
        return [shape for shape in found if shape.startswith(f"{{find: {collection}")]


@asynccontextmanager
async def watching(mongodb_url: str, name: str) -> AsyncIterator[Watched]:
    """A database of this name whose queries are kept."""
    queries = Queries(name)
    client: Client = AsyncMongoClient(
        mongodb_url, tz_aware=True, w="majority", journal=True, readConcernLevel="majority", event_listeners=[queries]
    )
    try:
        yield Watched(client[name], queries)
    finally:
        await client.close()


def _each(name: str, command: Mapping[str, Any]) -> Iterator[Document]:
    """The command without what explain does not take; a list of updates or deletions one by one."""
    plain = {key: value for key, value in command.items() if key not in _NOT_EXPLAINED}
    parts = {"update": "updates", "delete": "deletes"}.get(name)
    if parts is None:
        yield plain
    else:
        yield from ({**plain, parts: [part]} for part in plain[parts])


def _shape_of(name: str, command: Document) -> str:
    """A command without its values, but with its collection."""
    return f"{{{name}: {command[name]}, " + _shape({key: value for key, value in command.items() if key != name})[1:]


def _shape(value: Any) -> str:
    """A query without its values."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shape(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(sorted({_shape(each) for each in value})) + "]"
    return "…" if not isinstance(value, str) else "text"


def _stages(plan: Any) -> Iterator[Mapping[str, Any]]:
    """Every stage of every plan in an explanation, the rejected ones left out."""
    if isinstance(plan, Mapping):
        if "stage" in plan:
            yield plan
        for key, value in plan.items():
            if key != "rejectedPlans":
                yield from _stages(value)
    elif isinstance(plan, list | tuple):
        for value in plan:
            yield from _stages(value)
