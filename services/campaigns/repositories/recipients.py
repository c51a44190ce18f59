"""The recipients collection: one row for each person of a campaign, and the steps it takes.

A row's id follows from campaign and phone, so that nobody stands in a campaign twice; its message's id follows from
campaign, recipient and round, so that no repetition sends twice within a round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.domain.recipients import Row, message_id_of
from services.campaigns.domain.states import FAILURES, OPEN, UNSENT
from shared.clock import Clock
from shared.mongo import Database, Document

Counts = dict[str, int]

_AT_ONCE = 500  # rows in one update that gives each its own value


@dataclass(frozen=True, slots=True)
class RecipientRepository:
    """Everything about rows but how they come in (`StagedRepository`), how they are handed over (`HandoverRepository`)
    and what becomes of their messages (`OutcomeRepository`)."""

    database: Database
    now: Clock

    @property
    def _rows(self) -> Any:
        return self.database["recipients"]

    async def ensure_indexes(self) -> None:
        """In order of sending, by state (also covers counting), by zone; in order.

        Few on purpose: every step of a recipient moves its keys.
        """
        await self._rows.create_index([("campaign_id", 1), ("state", 1), ("n", 1)])
        await self._rows.create_index([("campaign_id", 1), ("n", 1)])
        await self._rows.create_index(
            [("campaign_id", 1), ("state", 1), ("zone", 1), ("n", 1)],
            partialFilterExpression={"zone": {"$exists": True}},
        )

    async def delete_upload(self, campaign_id: str, base: int) -> None:
        """Remove what an upload has left: everything from its first place on."""
        await self._rows.delete_many({"campaign_id": campaign_id, "n": {"$gte": base}})

    async def delete_all(self, campaign_id: str) -> None:
        """Remove all rows of a campaign that never came to be."""
        await self._rows.delete_many({"campaign_id": campaign_id})

    async def count_by_state(self, campaign_id: str, *, below: int | None = None) -> Counts:
        """How many rows are in which state, all at one instant.

        A row that moves while an index is read could be met twice or never; a snapshot meets each once. `below` leaves
        out the rows of an upload that is not finished.
        """
        match: Document = {"campaign_id": campaign_id}
        if below is not None:
            match["n"] = {"$lt": below}
        pipeline = [{"$match": match}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
        return {group["_id"]: group["count"] for group in await self._snapshot(pipeline)}

    async def count_by_states(self, campaign_ids: Sequence[str]) -> dict[str, Counts]:
        """The same of several campaigns without open uploads, by id, counted together."""
        counts: dict[str, Counts] = {id_: {} for id_ in campaign_ids}
        if not counts:
            return counts
        pipeline: list[Document] = [
            {"$match": {"campaign_id": {"$in": list(counts)}}},
            {"$group": {"_id": {"campaign": "$campaign_id", "state": "$state"}, "count": {"$sum": 1}}},
        ]
        for group in await self._snapshot(pipeline):
            counts[group["_id"]["campaign"]][group["_id"]["state"]] = group["count"]
        return counts

    async def count_failures(self, campaign_ids: Sequence[str]) -> dict[str, list[tuple[str, int | None, int]]]:
        """Failures of campaigns by class and code, most frequent first."""
        failures: dict[str, list[tuple[str, int | None, int]]] = {id_: [] for id_ in campaign_ids}
        if not failures:
            return failures
        by = {"campaign": "$campaign_id", "class": "$class", "code": "$code"}
        pipeline = [
            {"$match": {"campaign_id": {"$in": list(failures)}, "state": {"$in": list(FAILURES)}}},
            {"$group": {"_id": by, "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
        ]
        for group in await (await self._rows.aggregate(pipeline)).to_list():
            key = group["_id"]
            failures[key["campaign"]].append((key.get("class", ""), key.get("code"), group["count"]))
        return failures

    async def count_reserved(self, campaigns: Sequence[StoredCampaign]) -> Counts:
        """By campaign, recipients of its run whose credit is used or may yet be: not definitely failed, not skipped."""
        if not campaigns:
            return {}
        kept: list[Document] = [
            {"state": {"$in": [*OPEN, "sent", "delivered", "read"]}},
            {"state": "failed", "unknown": True},
        ]
        pipeline: list[Document] = [
            {"$match": {"campaign_id": {"$in": [each.id for each in campaigns]}, "$or": kept}},
            {"$group": {"_id": {"campaign": "$campaign_id", "run": "$run"}, "count": {"$sum": 1}}},
        ]
        groups = await (await self._rows.aggregate(pipeline)).to_list()
        counts = {(group["_id"]["campaign"], group["_id"].get("run")): group["count"] for group in groups}
        return {each.id: counts.get((each.id, each.run), 0) for each in campaigns}

    async def list_having(self, campaign_ids: Sequence[str], states: Sequence[str] = OPEN) -> set[str]:
        """Those of the campaigns that have any row in one of these states: of each, one key of an index is read."""
        if not campaign_ids:
            return set()
        query = {"campaign_id": {"$in": list(campaign_ids)}, "state": {"$in": list(states)}}
        return set(await self._rows.distinct("campaign_id", query))

    async def count_in(self, campaign_id: str, state: str) -> int:
        """How many rows are in a state."""
        return int(await self._rows.count_documents({"campaign_id": campaign_id, "state": state}))

    async def let_held_be(self, campaign_ids: Sequence[str], before: datetime) -> None:
        """Meta has told nothing of these for long: a campaign does not wait for ever; a late status still counts."""
        await self._rows.update_many(
            {"campaign_id": {"$in": list(campaign_ids)}, "state": "held", "at": {"$lte": before}},
            {"$set": {"state": "sent", "rank": 2}},
        )

    async def skip_unsent(self, campaign_id: str, reason: str, limit: int, *, parked: bool = True) -> int:
        """Skip recipients who were not sent to; how many. Called until there are none."""
        states = list(UNSENT) if parked else ["pending"]
        found = self._rows.find({"campaign_id": campaign_id, "state": {"$in": states}}, {"_id": 1}).limit(limit)
        ids = [row["_id"] async for row in found]
        if not ids:
            return 0
        done = await self._rows.update_many(
            {"_id": {"$in": ids}, "state": {"$in": states}},
            {"$set": {"state": "skipped", "reason": reason, "at": self.now()}, "$unset": {"due_at": ""}},
        )
        return int(done.modified_count)

    async def count_retryable(self, campaign_id: str, classes: Sequence[str], include_unknown: bool) -> int:
        """How many failed recipients a retry would send to."""
        return int(await self._rows.count_documents(_retryable(campaign_id, classes, include_unknown)))

    async def begin_round(self, campaign_id: str, classes: Sequence[str], include_unknown: bool, run: int) -> int:
        """Move some failed recipients into a round of their own, each with a new message id; how many.

        Called until there are none; a row that has moved is not failed any more, so a repetition moves the rest.
        """
        query = _retryable(campaign_id, classes, include_unknown)
        found = await self._rows.find(query, {"round": 1}).limit(_AT_ONCE).to_list()
        await self._renew({row["_id"]: row["round"] + 1 for row in found}, campaign_id, run)
        return len(found)

    async def _renew(self, rounds: Mapping[str, int], campaign_id: str, run: int) -> None:
        by_round: dict[int, list[str]] = {}
        for id_, round_ in rounds.items():
            by_round.setdefault(round_, []).append(id_)
        for round_, ids in by_round.items():
            message_ids = [message_id_of(campaign_id, id_, round_) for id_ in ids]
            fields = {"state": "pending", "rank": 0, "round": round_, "run": run}
            await self._rows.update_many(
                {"_id": {"$in": ids}, "state": {"$in": list(FAILURES)}, "round": round_ - 1},
                [
                    {"$set": fields | {"message_id": by_position(ids, message_ids)}},
                    {"$unset": ["class", "code", "reason", "unknown", "due_at", "at", "releases"]},
                ],
            )

    async def page(
        self, campaign_id: str, states: Sequence[str] | None, limit: int, *, after: int, below: int | None
    ) -> list[Row]:
        """Rows in order of sending."""
        query: Document = {"campaign_id": campaign_id, "n": {"$gt": after} | ({} if below is None else {"$lt": below})}
        query["state"] = {"$in": list(states)} if states else {"$ne": "refused"}
        return [to_row(row) for row in await self._rows.find(query).sort("n", 1).limit(limit).to_list()]

    async def find(self, campaign_id: str, recipient: str | None) -> Row | None:
        """One recipient by id or phone; without either, the first."""
        query: Document = {"campaign_id": campaign_id, "state": {"$ne": "refused"}}
        if recipient is not None:  # each branch whole, so that each takes its own index
            query = {"$or": [query | {"_id": {"$eq": recipient}}, query | {"phone": {"$eq": recipient}}]}
        row = await self._rows.find_one(query, sort=[("n", 1)])
        return to_row(row) if row else None

    async def list_people(self, campaign_id: str, after: int, limit: int) -> list[Document]:
        """Rows from a place on, with what they told of the person."""
        query = {"campaign_id": campaign_id, "n": {"$gt": after}, "state": {"$ne": "refused"}}
        found = self._rows.find(query, {"n": 1, "phone": 1, "contact": 1}).sort("n", 1).limit(limit)
        page: list[Document] = await found.to_list()
        return page

    async def latest_outcomes(self, campaign_id: str, run: int, limit: int) -> list[str]:
        """The states of those of a run who were sent to last: recipients are sent to in order."""
        states = ["sent", "delivered", "read", *FAILURES]
        query = {"campaign_id": campaign_id, "state": {"$in": states}} | ({"run": run} if run else {})
        found = self._rows.find(query, {"state": 1, "_id": 0})
        return [row["state"] async for row in found.sort("n", -1).limit(limit)]

    async def _snapshot(self, pipeline: list[Document]) -> list[Document]:
        async with self.database.client.start_session(snapshot=True) as session:
            cursor = await self._rows.aggregate(pipeline, session=session)
            groups: list[Document] = await cursor.to_list()
            return groups


def by_position(keys: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """An expression that gives each row of a group its own value."""
    return {"$arrayElemAt": [{"$literal": list(values)}, {"$indexOfArray": [{"$literal": list(keys)}, "$_id"]}]}


def _retryable(campaign_id: str, classes: Sequence[str], include_unknown: bool) -> Document:
    query: Document = {"campaign_id": campaign_id, "state": {"$in": list(FAILURES)}}
    if classes:
        query["class"] = {"$in": list(classes)}
    if not include_unknown:
        query["unknown"] = {"$ne": True}
    return query


def to_row(document: Document) -> Row:
    """The row that a document tells of."""
    return Row(
        id=document["_id"],
        n=document["n"],
        phone=document["phone"],
        state=document["state"],
        values=document.get("values", {}),
        message_id=document.get("message_id"),
        round=document.get("round", 0),
        run=document.get("run", 0),
        releases=document.get("releases", 0),
        code=document.get("code"),
        failure_class=document.get("class"),
        reason=document.get("reason"),
        due_at=document.get("due_at"),
        at=document.get("at"),
    )
