"""What became of messages, written to the recipients' rows: one update for everything that ended the same way.

Each update names the message ids, which follow from the round: news of an earlier round finds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.campaigns.domain.recipients import message_id_of
from services.campaigns.domain.states import HANDED_OVER, RANKS
from services.campaigns.repositories.recipients import by_position
from shared.clock import Clock
from shared.mongo import Database, Document

Pairs = Sequence[tuple[str, str]]  # recipient and message ids

_PARKED_AT_MOST = 2  # times; then Meta has said often enough that it will not deliver this
# "pending", too: a batch may have arrived although the broker did not say so, and been put back.
_HANDED_OVER: Document = {"rank": 0, "state": {"$in": [*HANDED_OVER, "pending"]}}
_EXPLANATION = ("class", "code", "reason", "unknown", "due_at")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why recipients failed or were skipped."""

    failure_class: str
    code: int | None = None
    reason: str | None = None
    unknown: bool = False  # only Meta knows; a late status still lifts it

    def fields(self) -> Document:
        """What is kept of it in a row."""
        known = {"class": self.failure_class, "code": self.code, "reason": self.reason}
        return {name: value for name, value in known.items() if value is not None} | (
            {"unknown": True} if self.unknown else {}
        )


@dataclass(frozen=True, slots=True)
class OutcomeRepository:
    """The recipients collection as news of messages changes it."""

    database: Database
    now: Clock

    @property
    def _rows(self) -> Any:
        return self.database["recipients"]

    async def reach(self, state: str, pairs: Pairs) -> int:
        """Meta accepted, delivered or showed these. Ranks only rise; returns how many rows moved."""
        rank = RANKS[state]
        change = {
            "$set": {"state": state, "rank": rank, "at": self.now()},
            "$unset": dict.fromkeys(_EXPLANATION, ""),
        }
        return await self._move(pairs, {"rank": {"$lt": rank}}, change)

    async def fail(self, pairs: Pairs, why: Explanation) -> int:
        """These will not be sent, or nobody knows. A definite failure replaces an unknown one."""
        undecided: Document = {"rank": 0}
        if not why.unknown:
            undecided = {"$or": [{"rank": 0}, {"rank": RANKS["failed"], "unknown": True}]}
        return await self._move(pairs, undecided, self._failed("failed", why))

    async def bounce(self, pairs: Pairs, why: Explanation) -> int:
        """Meta had accepted these and failed later; what arrived has arrived."""
        return await self._move(pairs, {"rank": {"$lt": RANKS["bounced"]}}, self._failed("bounced", why))

    async def skip(self, pairs: Pairs, reason: str) -> int:
        """These were never posted and never will be."""
        change = {
            "$set": {"state": "skipped", "reason": reason, "at": self.now()},
            "$unset": {"due_at": "", "class": "", "code": ""},
        }
        return await self._move(pairs, _HANDED_OVER, change)

    async def next_round(self, campaign_id: str, pairs: Pairs) -> int:
        """These were not posted in time; they take their turn again, under new message ids."""
        return await self._advance(campaign_id, pairs, _HANDED_OVER, {"state": "pending"})

    async def park(self, campaign_id: str, pairs: Pairs, why: Explanation, due_at: datetime) -> list[tuple[str, str]]:
        """Meta asked to wait with these. Returns those that have waited often enough, and now are to fail."""
        query = {"parkings": {"$not": {"$gte": _PARKED_AT_MOST}}, "rank": {"$lte": RANKS["sent"]}}
        fields: Document = why.fields() | {"state": "parked", "due_at": due_at}
        await self._advance(campaign_id, pairs, query, fields, parks=True)
        tired = self._rows.find(_these(pairs) | {"parkings": {"$gte": _PARKED_AT_MOST}}, {"message_id": 1})
        return [(row["_id"], row["message_id"]) async for row in tired]

    async def fail_parked(self, campaign_ids: Sequence[str]) -> None:
        """Nobody is going to send to these again; why Meta did not deliver is kept."""
        parked = {"campaign_id": {"$in": list(campaign_ids)}, "state": "parked"}
        change = {"$set": {"state": "failed", "rank": RANKS["failed"], "at": self.now()}, "$unset": {"due_at": ""}}
        await self._rows.update_many(parked, change)

    def _failed(self, state: str, why: Explanation) -> Document:
        kept = why.fields()
        return {
            "$set": {"state": state, "rank": RANKS[state], "at": self.now()} | kept,
            "$unset": {name: "" for name in _EXPLANATION if name not in kept},
        }

    async def _move(self, pairs: Pairs, condition: Document, change: Document) -> int:
        if not pairs:
            return 0
        done = await self._rows.update_many(_these(pairs) | condition, change, hint=[("_id", 1)])
        return int(done.modified_count)

    async def _advance(
        self, campaign_id: str, pairs: Pairs, condition: Document, fields: Document, *, parks: bool = False
    ) -> int:
        """Move rows to a round of their own: a new message id each, so that it is not taken for the old message."""
        found = await self._rows.find(_these(pairs) | condition, {"round": 1}).to_list()
        by_round: dict[int, list[str]] = {}
        for row in found:
            by_round.setdefault(row["round"], []).append(row["_id"])
        moved = 0
        for round_, ids in by_round.items():
            message_ids = [message_id_of(campaign_id, id_, round_ + 1) for id_ in ids]
            renewed = fields | {"rank": 0, "round": round_ + 1, "message_id": by_position(ids, message_ids)}
            if parks:
                renewed["parkings"] = {"$add": [{"$ifNull": ["$parkings", 0]}, 1]}
            done = await self._rows.update_many(
                {"_id": {"$in": ids}, "round": round_} | condition, [{"$set": renewed}, {"$unset": ["releases", "at"]}]
            )
            moved += int(done.modified_count)
        return moved


def _these(pairs: Pairs) -> Document:
    return {"_id": {"$in": [pair[0] for pair in pairs]}, "message_id": {"$in": [pair[1] for pair in pairs]}}
