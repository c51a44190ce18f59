"""The steps of the send protocol as updates of the messages collection: one update moves a whole group.

Every step is conditional on the attempt id (`aid`) and the state it starts from, so a second worker, a redelivery or a
repeated step changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, WTimeoutError

from services.messaging.domain.messages import OutboundMessage, StoredMessage
from services.messaging.domain.results import Failed, Postponed, Unknown
from services.messaging.domain.states import (
    ANNOUNCE_AFTER,
    CLAIMED,
    DISPATCHING,
    FAILED,
    GROUPED,
    OPEN_STATES,
    QUEUED,
    RANKS,
    RETRY_WAIT,
    SENT,
    UNKNOWN,
    Timing,
    policy_for,
)
from services.messaging.repositories.documents import (
    begun,
    by_position,
    claim_fields,
    error_document,
    to_document,
    to_stored,
)
from shared.clock import Clock
from shared.contracts.base import ReplyAddress
from shared.mongo import Database, Document

_DUPLICATE_KEY = 11000
_UNDECIDED = [DISPATCHING, UNKNOWN]
_MINE = [CLAIMED, GROUPED]  # before the intent
_POSTED = [GROUPED, *_UNDECIDED]  # by whoever holds the attempt id
_CALLERS_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class MessageRepository:
    """All messages that were ever handed to us."""

    database: Database
    worker: str
    now: Clock

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    async def ensure_indexes(self) -> None:
        """One index finds what the sweeper must see; the others serve look-ups of single messages and threads."""
        await self._messages.create_index("wake_at", partialFilterExpression={"wake_at": {"$exists": True}})
        await self._messages.create_index("wamid", partialFilterExpression={"wamid": {"$exists": True}})
        await self._messages.create_index([("conversation_id", 1), ("created_at", -1)])

    async def claim_new(self, group: Sequence[OutboundMessage], attempt_id: str, timing: Timing) -> set[str]:
        """Store new messages as ours and return their ids.

        A message that is already stored is somebody's (or done) and is left out, unless an earlier, unanswered try of
        this same insert wrote it.
        """
        claim = claim_fields(attempt_id, self.worker, timing, self.now())
        return await self._claim_new(group, CLAIMED, claim)

    async def claim_grouped(self, group: Sequence[OutboundMessage], attempt_id: str) -> set[str]:
        """The same for a group whose own document is stored: its lease is theirs, and its id the attempt's."""
        return await self._claim_new(group, GROUPED, {"aid": attempt_id})

    async def _claim_new(self, group: Sequence[OutboundMessage], state: str, claim: Document) -> set[str]:
        now = self.now()
        known = await self._insert([to_document(message, state, now=now) | claim for message in group])
        claimed = {message.id for message in group} - known
        if known:
            mine = {"_id": {"$in": list(known)}, "aid": claim["aid"], "state": state}
            claimed |= {document["_id"] async for document in self._messages.find(mine, {"_id": 1})}
        return claimed

    async def add_postponed(self, group: Sequence[OutboundMessage], due_at: datetime, spacing: timedelta) -> set[str]:
        """Store new messages for later, one after the other: their number has no rate left.

        Returns the ids of those that were new; known ones are left as they are.
        """
        now = self.now()
        known = await self._insert(
            [
                to_document(message, QUEUED, now=now) | {"wake_at": due_at + position * spacing}
                for position, message in enumerate(group)
            ]
        )
        return {message.id for message in group} - known

    async def add_failed(self, refused: Sequence[tuple[OutboundMessage, str]]) -> None:
        """Store messages that will never be posted, each with the reason, so that their failure is announced."""
        now = self.now()
        await self._insert(
            [
                to_document(message, FAILED, now=now) | {"failure": failure, "ended_at": now, "wake_at": now}
                for message, failure in refused
            ]
        )

    async def _insert(self, documents: list[Document]) -> set[str]:
        """Insert what is new; return the ids that existed before.

        Raises WTimeoutError when the database does not promise to keep what it wrote: the step is to be repeated.
        """
        try:
            if documents:
                await self._messages.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details: Mapping[str, Any] = error.details or {}
            failures = details.get("writeErrors", [])
            if any(entry["code"] != _DUPLICATE_KEY for entry in failures):
                raise
            if details.get("writeConcernErrors"):
                raise WTimeoutError("an insertion may not last") from error
            return {entry["op"]["_id"] for entry in failures}
        return set()

    async def intend(self, ids: Sequence[str], attempt_id: str) -> set[str]:
        """Record that these messages are about to be posted, within the lease of their claim; return those still ours.

        From here on a crash leaves them UNKNOWN, never posted twice. A repetition whose first attempt has had a status
        meanwhile (rank above 0) is not posted.
        """
        result = await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "aid": attempt_id, "state": CLAIMED, "rank": 0},
            {"$set": {"state": DISPATCHING, "intended_at": self.now()}, "$inc": {"attempt": 1}},
            hint=[("_id", 1)],
        )
        if result.modified_count == len(ids):
            return set(ids)
        mine = {"_id": {"$in": list(ids)}, "aid": attempt_id, "state": DISPATCHING}
        return {document["_id"] async for document in self._messages.find(mine, {"_id": 1})}

    async def withdraw(self, ids: Sequence[str], attempt_id: str) -> None:
        """Take an intent back: nothing was posted, which only its owner can know."""
        is_counted = {"$ne": ["$state", GROUPED]}
        attempt = {"$subtract": ["$attempt", {"$cond": [is_counted, 1, 0]}]}
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "aid": attempt_id, "state": {"$in": _POSTED}},
            [{"$set": {"state": QUEUED, "wake_at": self.now(), "attempt": attempt}}, {"$unset": ["aid"]}],
        )

    async def release(self, ids: Sequence[str], attempt_id: str, due_at: datetime) -> None:
        """Give claimed messages back before any intent."""
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "aid": attempt_id, "state": {"$in": _MINE}},
            {"$set": {"state": QUEUED, "wake_at": due_at}, "$unset": {"aid": ""}},
        )

    async def record_accepted(
        self,
        wa_message_ids: Mapping[str, str],
        held: Collection[str] = (),
        intended_at: Mapping[str, datetime] | None = None,
    ) -> datetime:
        """Record Meta's acceptances in one update; returns the moment that is stored with them.

        `held` are those of which Meta assesses the template first; `intended_at` tells it by attempt of those sent
        in a group, which is what sees to their announcement.

        An acceptance is the truth whoever holds the message by now, so it ends every open state: a frozen worker that
        wakes up late keeps the message from being posted once more. The message ids take their wamid by position. The
        driver does not retry this update; repeating it is harmless.
        """
        ids, wamids, now = list(wa_message_ids), list(wa_message_ids.values()), self.now()
        accepted = {
            "state": SENT,
            "ended_at": now,
            "wamid": by_position(ids, wamids),
            # Absent where nobody pays; and a status by which Meta failed the message may have overtaken its answer.
            "charged": {"$cond": [{"$eq": ["$rank", RANKS["failed"]]}, "$$REMOVE", "$credit"]},
            "wake_at": _announced_after(now),
        }
        if intended_at:
            accepted |= begun(by_position(list(intended_at), list(intended_at.values()), of="$aid"))
            is_left_to_group = {"$and": [{"$eq": ["$state", GROUPED]}, {"$not": [{"$isArray": ["$callers"]}]}]}
            accepted["wake_at"] = {"$cond": [is_left_to_group, "$$REMOVE", accepted["wake_at"]]}
        if held:
            accepted["held_by_meta"] = {"$in": ["$_id", {"$literal": list(held)}]}
        await self._messages.update_many(
            {"_id": {"$in": ids}, "state": {"$in": list(OPEN_STATES)}},
            [
                {"$set": accepted},
                {"$unset": ["reply", "error", "failure", "unknown_at"]},
            ],
            hint=[("_id", 1)],
        )
        return now

    async def record_failed(
        self, message_id: str, attempt_id: str, verdict: Failed, intended_at: datetime | None = None
    ) -> datetime | None:
        """Record Meta's refusal; returns the moment that is stored with it.

        None means that the message has another owner or outcome by now, so that there is nothing to tell.
        """
        now = self.now()
        recorded = await self._messages.find_one_and_update(
            {"_id": message_id, "aid": attempt_id, "state": {"$in": [*_POSTED, FAILED]}},
            [
                {
                    "$set": begun(intended_at)
                    | {
                        "state": FAILED,
                        "failure": {"$literal": f"meta_{verdict.error.code}"},
                        "error": {"$literal": error_document(verdict.error)},
                        "ended_at": now,
                        "wake_at": _announced_after(now),
                    }
                },
                {"$unset": ["reply"]},
            ],
            projection={"_id": 1},
        )
        return now if recorded else None

    async def record_postponed(
        self, message: OutboundMessage, attempt_id: str, verdict: Postponed, intended_at: datetime | None = None
    ) -> None:
        """Record that Meta did not act; the message is due again after the verdict's delay, or when it expires."""
        now = self.now()
        change: dict[str, Any] = begun(intended_at) | {
            "state": RETRY_WAIT,
            "failure": {"$literal": verdict.reason},
            "wake_at": min(now + verdict.delay, message.expires_at),
            "tries": {"$add": [{"$ifNull": ["$tries", 0]}, 1]},
        }
        if verdict.error is not None:
            change["error"] = {"$literal": error_document(verdict.error)}
        await self._messages.update_one(
            {"_id": message.id, "aid": attempt_id, "state": {"$in": _POSTED}}, [{"$set": change}]
        )

    async def record_unknown(
        self, message: OutboundMessage, attempt_id: str, verdict: Unknown, intended_at: datetime | None = None
    ) -> None:
        """Record that only Meta knows; a status or the class's policy settles it later."""
        now = self.now()
        change: dict[str, Any] = begun(intended_at) | {
            "state": UNKNOWN,
            "failure": {"$literal": verdict.reason},
            "unknown_at": now,
            # A status may have overtaken this answer: then the sweeper lifts the message at once.
            "wake_at": {"$cond": [{"$gt": ["$rank", 0]}, now, now + policy_for(message.message_class).window]},
        }
        update: list[dict[str, Any]] = [{"$set": change}]
        if verdict.error is not None:  # its caller is told at once, and waits no longer
            change["error"] = {"$literal": error_document(verdict.error)}
            update.append({"$unset": ["reply"]})
        posted = {"_id": message.id, "aid": attempt_id, "state": {"$in": [GROUPED, DISPATCHING]}}
        await self._messages.update_one(posted, update)

    async def mark_announced(self, ids: Sequence[str], state: str) -> None:
        """The event of these outcomes is with the broker; what is left, if anything, is callers to be answered."""
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "state": state, "callers": {"$exists": False}},
            {"$unset": {"wake_at": ""}},
            hint=[("_id", 1)],
        )

    async def make_due(self, ids: Sequence[str]) -> None:
        """Have the sweeper announce outcomes of a group that could not be announced; the group need not stay for them.

        Repeating this is harmless: at worst they are announced once more.
        """
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "state": SENT, "wake_at": {"$exists": False}},
            {"$set": {"wake_at": self.now() + ANNOUNCE_AFTER}},
            hint=[("_id", 1)],
        )

    async def mark_answered(self, ids: Sequence[str]) -> None:
        """Whoever waited for these outcomes has been told."""
        await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "state": {"$in": [SENT, FAILED]}}, {"$unset": {"reply": "", "callers": ""}}
        )

    async def find(self, message_id: str) -> StoredMessage | None:
        """One message, by our id."""
        document = await self._messages.find_one({"_id": message_id})
        return to_stored(document) if document else None

    async def await_outcome(self, message_id: str, address: ReplyAddress) -> StoredMessage | None:
        """Note who else waits for an open message's outcome, and return its present state.

        Whoever works on the message knows only its first caller; the sweeper answers these.
        """
        document = await self._messages.find_one_and_update(
            {"_id": message_id, "state": {"$in": list(OPEN_STATES)}, "reply.id": {"$ne": address.id}},
            {"$push": {"callers": {"$each": [address.model_dump()], "$slice": -_CALLERS_AT_MOST}}},
            return_document=ReturnDocument.AFTER,
        )
        return to_stored(document) if document else await self.find(message_id)


def _announced_after(now: datetime) -> dict[str, Any]:
    """When the sweeper looks at a recorded outcome: at once if it has callers to answer, else if we die meanwhile."""
    return {"$cond": [{"$isArray": ["$callers"]}, now, now + ANNOUNCE_AFTER]}
