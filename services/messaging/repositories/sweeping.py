"""What the sweeper does to messages whose `wake_at` has come: each step a conditional update that may run anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.messaging.domain.messages import StoredMessage
from services.messaging.domain.states import (
    ANNOUNCE_AFTER,
    CLAIMED,
    DISPATCHING,
    FAILED,
    HOLD,
    LIFTABLE_STATES,
    QUEUED,
    RANKS,
    RESEND,
    RETRY_WAIT,
    SENT,
    UNKNOWN,
    Timing,
)
from services.messaging.repositories.documents import claim_fields, to_stored
from shared.clock import Clock
from shared.mongo import Database

_NOT_POSTED = [QUEUED, RETRY_WAIT, CLAIMED]


@dataclass(frozen=True, slots=True)
class SweepRepository:
    """The messages collection as the sweeper sees it."""

    database: Database
    worker: str
    now: Clock

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    async def list_due(self, limit: int) -> list[StoredMessage]:
        """Messages that somebody must look at now, the longest waiting first."""
        due = self._messages.find({"wake_at": {"$lte": self.now()}}).sort("wake_at", 1).limit(limit)
        return [to_stored(document) async for document in due]

    async def fail_expired(self, ids: Sequence[str]) -> None:
        """End messages that were not posted within their time: late is worse than never.

        One that waits for its repetition was posted once, so nobody can say that it failed.
        """
        if not ids:
            return
        now = self.now()
        is_resent = {"$gt": [{"$ifNull": ["$resends", 0]}, 0]}
        await self._messages.update_many(
            self._due(ids, _NOT_POSTED, now) | {"rank": 0, "expires_at": {"$lte": now}},
            [
                {
                    "$set": {
                        "state": {"$cond": [is_resent, UNKNOWN, FAILED]},
                        "failure": "expired",
                        "ended_at": now,
                        "wake_at": now,
                    }
                }
            ],
        )

    async def claim_due(self, ids: Sequence[str], attempt_id: str, timing: Timing) -> list[StoredMessage]:
        """Take over messages that are due or whose claim ran out; none of them was posted."""
        now = self.now()
        claim = claim_fields(attempt_id, self.worker, timing, now)
        await self._messages.update_many(
            self._due(ids, _NOT_POSTED, now) | {"rank": 0, "expires_at": {"$gt": now}},
            {"$set": {"state": CLAIMED} | claim},
        )
        return await self._list_claimed(ids, attempt_id)

    async def postpone(self, ids: Sequence[str], delay: timedelta, spacing: timedelta = timedelta(0)) -> None:
        """Let messages that are due wait a little longer, each by `spacing` longer than the one before it."""
        if ids:
            now = self.now()
            position = {"$indexOfArray": [{"$literal": list(ids)}, "$_id"]}
            waiting = {"$multiply": [position, spacing / timedelta(milliseconds=1)]}
            await self._messages.update_many(
                self._due(ids, [*_NOT_POSTED, UNKNOWN], now), [{"$set": {"wake_at": {"$add": [now + delay, waiting]}}}]
            )

    async def begin_announcing(self, ids: Sequence[str]) -> None:
        """Keep other sweepers (and the next round) from announcing the same at the same time."""
        if ids:
            now = self.now()
            await self._messages.update_many(
                self._due(ids, [SENT, FAILED, UNKNOWN], now), {"$set": {"wake_at": now + ANNOUNCE_AFTER}}
            )

    async def claim_resend(self, ids: Sequence[str], attempt_id: str, timing: Timing) -> list[StoredMessage]:
        """Take over messages to post them again, as their class declares.

        Looking for a status and resending are one step: a status that came in first keeps the message as it is.
        """
        now = self.now()
        claim = claim_fields(attempt_id, self.worker, timing, now)
        await self._messages.update_many(
            self._due(ids, [UNKNOWN], now)
            | {"rank": 0, "class": "authentication", "expires_at": {"$gt": now}}
            | {"$expr": {"$lt": [{"$ifNull": ["$resends", 0]}, RESEND.max_resends]}},
            {"$set": {"state": CLAIMED} | claim, "$inc": {"resends": 1}},
        )
        return await self._list_claimed(ids, attempt_id)

    async def give_up_leases(self, ids: Sequence[str]) -> None:
        """Messages whose worker vanished between intent and result: only Meta knows."""
        now = self.now()
        window = {"$cond": [{"$eq": ["$class", "authentication"]}, now + RESEND.window, now + HOLD.window]}
        await self._messages.update_many(
            self._due(ids, [DISPATCHING], now),
            [
                {
                    "$set": {
                        "state": UNKNOWN,
                        "failure": "worker_lost",
                        "unknown_at": now,
                        "wake_at": {"$cond": [{"$gt": ["$rank", 0]}, now, window]},
                    }
                }
            ],
        )

    async def lift(self, ids: Sequence[str]) -> None:
        """A status has told what became of these: accepted (or, if Meta failed it, failed)."""
        now = self.now()
        failed = {"$eq": ["$rank", RANKS["failed"]]}
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$in": list(LIFTABLE_STATES)}, "rank": {"$gt": 0}},
            [
                {
                    "$set": {
                        "state": {"$cond": [failed, FAILED, SENT]},
                        "failure": {"$cond": [failed, "failed_at_meta", "$$REMOVE"]},
                        "error": {"$cond": [failed, "$failed_error", "$$REMOVE"]},
                        "charged": {"$cond": [failed, "$$REMOVE", "$credit"]},
                        "ended_at": now,
                        "wake_at": now,
                    }
                }
            ],
        )

    async def report_unknown(self, ids: Sequence[str]) -> None:
        """The window is over: report it as failed, `outcome_unknown`. A late status still lifts it."""
        if not ids:
            return
        now = self.now()
        await self._messages.update_many(
            self._due(ids, [UNKNOWN], now) | {"rank": 0},
            {"$set": {"reported_unknown": True, "ended_at": now, "wake_at": now + ANNOUNCE_AFTER}},
        )

    async def list_by_ids(self, ids: Sequence[str], state: str) -> list[StoredMessage]:
        """Those of the messages that are in a state now."""
        found = self._messages.find({"_id": {"$in": list(ids)}, "state": state})
        return [to_stored(document) async for document in found]

    async def _list_claimed(self, ids: Sequence[str], attempt_id: str) -> list[StoredMessage]:
        claimed = self._messages.find({"_id": {"$in": list(ids)}, "aid": attempt_id, "state": CLAIMED})
        return [to_stored(document) async for document in claimed]

    @staticmethod
    def _due(ids: Sequence[str], states: list[str], now: datetime) -> dict[str, Any]:
        return {"_id": {"$in": list(ids)}, "state": {"$in": states}, "wake_at": {"$lte": now}}
