"""What became of messages, counted for each template.

A message's milestones are noted in `counted_messages`, a template's counts stand in `template_counters`; both change
in one transaction, so that news that comes twice, or half, counts once.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from services.templates.domain.milestones import MILESTONES, Progress
from shared.contracts.template_drafts import TemplateAnalytics
from shared.mongo import Database, Document

_REMEMBERED_FOR = timedelta(days=40)  # Meta gives a message up after 30 days, and repeats its webhooks for 7

_TRIES = 3


@dataclass(frozen=True, slots=True)
class CounterRepository:
    """Exact counts under repetition, regrouping and crashes."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Notes of messages leave by themselves; both collections exist, since transactions want that."""
        await self._messages.create_index("at", expireAfterSeconds=int(_REMEMBERED_FOR.total_seconds()))

    async def get(self, template_id: str) -> TemplateAnalytics:
        """The counts of one template."""
        document = await self._counters.find_one({"_id": template_id}) or {}
        return TemplateAnalytics(**{name: document.get(name, 0) for name in MILESTONES})

    async def count(self, progress: Sequence[Progress], now: datetime) -> None:
        """Count the milestones that are new.

        Raises BulkWriteError when another process goes on noting the same messages at the same moment.
        """
        if not progress:
            return

        async def work(session: AsyncClientSession) -> None:
            await self._count(progress, now, session)

        async with self.database.client.start_session() as session:
            for left in reversed(range(_TRIES)):
                try:
                    await session.with_transaction(work)
                except BulkWriteError:  # noted by somebody else since we looked
                    if not left:
                        raise
                else:
                    break

    async def _count(self, progress: Sequence[Progress], now: datetime, session: AsyncClientSession) -> None:
        ids = [each.message_id for each in progress]
        known: dict[str, set[str]] = {
            document["_id"]: set(document["reached"])
            async for document in self._messages.find({"_id": {"$in": ids}}, {"reached": 1}, session=session)
        }
        notes: list[Document] = []
        additions: defaultdict[frozenset[str], list[str]] = defaultdict(list)
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for each in progress:
            new = each.milestones - known.get(each.message_id, set())
            counts[each.template_id].update(new)
            if each.message_id not in known:
                notes.append({"_id": each.message_id, "reached": sorted(new), "at": now})
            elif new:
                additions[new].append(each.message_id)
        await self._note(notes, additions, session)
        increments = [
            UpdateOne({"_id": template_id}, {"$inc": dict(count)}, upsert=True)
            for template_id, count in sorted(counts.items())
            if count
        ]
        if increments:
            await self._counters.bulk_write(increments, session=session)

    async def _note(
        self, notes: list[Document], additions: Mapping[frozenset[str], list[str]], session: AsyncClientSession
    ) -> None:
        """One statement for all that are noted first, and one for each kind of addition: campaigns come in hundreds."""
        if notes:
            await self._messages.insert_many(notes, ordered=False, session=session)
        for milestones, ids in additions.items():
            added = {"$addToSet": {"reached": {"$each": sorted(milestones)}}}
            await self._messages.update_many({"_id": {"$in": ids}}, added, session=session)

    @property
    def _messages(self) -> AsyncCollection[Document]:
        return self.database["counted_messages"]

    @property
    def _counters(self) -> AsyncCollection[Document]:
        return self.database["template_counters"]
