"""Turns: one document for each conversation, which makes one open turn at a time and every step one update.

`wake_at` is the moment at which a worker must look at it: the end of gathering, of a lease, of a pause; absent while
the conversation rests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.agents.domain.turns import LEASE, LONGEST_GATHERING, Answer, Head, Turn
from services.agents.repositories.turn_documents import to_head, to_turn
from shared.clock import Clock
from shared.contracts.conversations import ReceivedMessage
from shared.ids import new_id
from shared.mongo import Database, Document

_OPEN: Document = {"$in": ["gathering", "thinking"]}
_NO_CLAIM: Document = {"attempt": "", "partial": ""}


@dataclass(frozen=True, slots=True)
class Watched:
    """The answer in the making in a web chat session."""

    conversation_id: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnRepository:
    """The turns collection."""

    database: Database
    now: Clock

    @property
    def _turns(self) -> Any:
        return self.database["turns"]

    async def ensure_indexes(self) -> None:
        """Found when due, by what may end them, and by who watches them."""
        await self._turns.create_index("wake_at", partialFilterExpression={"wake_at": {"$exists": True}})
        await self._turns.create_index("contact_id")
        await self._turns.create_index("recipient")

    async def receive(self, message: ReceivedMessage, debounce: timedelta) -> tuple[datetime, str | None] | None:
        """Let a customer's message join its conversation's turn.

        Returns when somebody has to look, and the claim that this outdated, if a model was at work; None for a message
        that an earlier delivery brought, or that the turn knows already (its sequence is not new).
        """
        now = self.now()
        try:
            before = await self._turns.find_one_and_update(
                {"_id": message.conversation_id, "sequence": {"$lt": message.sequence}},
                [{"$set": _joined(message, now, debounce)}],
                upsert=True,
            )
        except DuplicateKeyError:
            return None
        outdated = before.get("attempt") if before is not None and before["state"] == "thinking" else None
        return now + debounce, outdated

    async def claim(self) -> Turn | None:
        """Take the turn that has been due longest; None when none is."""
        now = self.now()
        document = await self._turns.find_one_and_update(
            {"wake_at": {"$lte": now}},
            [
                {
                    "$set": {
                        "state": {"$cond": [{"$eq": ["$state", "gathering"]}, "thinking", "$state"]},
                        "attempt": new_id("try_"),
                        "tries": {"$add": ["$tries", 1]},
                        "wake_at": now + LEASE,
                    }
                }
            ],
            sort=[("wake_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return to_turn(document) if document else None

    async def renew(self, turn: Turn) -> bool:
        """Keep a claim for another lease; False when it is lost: outdated, cancelled, or taken by another."""
        return await self._update(turn, {"$set": {"wake_at": self.now() + LEASE}})

    async def look_at(self, turn: Turn, sequence: int) -> bool:
        """The conversation is read up to `sequence`: news of it that come later are none. False when it is lost."""
        return await self._update(turn, {"$max": {"sequence": sequence}}, state="thinking")

    async def save_text(self, turn: Turn, text: str) -> bool:
        """Keep what was written so far for those who begin to watch. False when the claim is lost."""
        return await self._update(turn, {"$set": {"partial": text}}, state="thinking")

    async def store_answer(self, turn: Turn, answer: Answer) -> bool:
        """From now on this is what the turn says, whoever sends it. False when the claim is lost."""
        fields = {
            "parts": list(answer.parts),
            "response_id": answer.response_id,
            "sequence": answer.sequence,
            "seen": list(answer.seen),
            "hand_over": answer.hand_over,
            "at": answer.at,
        }
        change = {"$set": {"state": "answered", "answer": fields, "tries": 0}, "$unset": {"partial": ""}}
        return await self._update(turn, change, state="thinking")

    async def close(self, turn: Turn, *, head: Head | None, next_after: timedelta | None) -> datetime | None:
        """End a turn: the conversation rests, or (after `next_after`, or a message meanwhile) has its next turn.

        `head` is the new head of the chain, None leaves it. Returns when somebody has to look again.
        """
        document = await self._turns.find_one_and_update(
            {"_id": turn.conversation_id, "attempt": turn.attempt},
            [{"$set": _closed(head, self.now(), next_after)}, {"$unset": ["answer", "attempt", "partial", "next_at"]}],
            return_document=ReturnDocument.AFTER,
        )
        return document.get("wake_at") if document else None

    async def postpone(self, turn: Turn, pause: timedelta) -> None:
        """Give a claim up for now: somebody takes the turn again after the pause."""
        await self._turns.update_one(
            {"_id": turn.conversation_id, "attempt": turn.attempt},
            [
                {
                    "$set": {
                        "state": {"$cond": [{"$eq": ["$state", "thinking"]}, "gathering", "$state"]},
                        "wake_at": self.now() + pause,
                    }
                },
                {"$unset": list(_NO_CLAIM)},
            ],
        )

    async def forget_chain(self, turn: Turn) -> None:
        """The head of the chain is gone: the next answer begins a new one."""
        await self._update(turn, {"$unset": {"head": ""}})

    async def cancel_of_conversation(self, conversation_id: str, at: datetime) -> str | None:
        """Nobody is to answer what was written up to `at`. Returns the claim that this ended, if there was one."""
        return await self._cancel({"_id": conversation_id}, at)

    async def cancel_of_contact(self, contact_id: str, at: datetime) -> Sequence[str]:
        """The same for all conversations of a contact."""
        ended = []
        async for document in self._turns.find({"contact_id": contact_id, "state": _OPEN}, {"_id": 1}):
            ended.append(await self._cancel({"_id": document["_id"]}, at))
        return tuple(filter(None, ended))

    async def find_watched(self, session_id: str) -> Watched | None:
        """The answer in the making in a web chat session, or None when nobody is about to answer."""
        document = await self._turns.find_one({"recipient": session_id, "channel": "webchat"})
        if document is None or document["state"] == "resting":
            return None
        answer = document.get("answer")
        text = "\n".join(answer["parts"]) if answer else document.get("partial", "")
        return Watched(document["_id"], document["number"], text)

    async def _cancel(self, query: Document, at: datetime) -> str | None:
        before = await self._turns.find_one_and_update(
            {**query, "state": _OPEN, "heard_at": {"$lte": at}},
            {"$set": {"state": "resting"}, "$unset": {**_NO_CLAIM, "wake_at": ""}},
        )
        return before.get("attempt") if before else None

    async def _update(self, turn: Turn, change: Document, **more: Any) -> bool:
        result = await self._turns.update_one({"_id": turn.conversation_id, "attempt": turn.attempt, **more}, change)
        return bool(result.matched_count)


def _joined(message: ReceivedMessage, now: datetime, debounce: timedelta) -> Document:
    """The fields of a turn that a message has joined; every expression sees the document as it was."""
    state = {"$ifNull": ["$state", "resting"]}
    answered, gathering = {"$eq": [state, "answered"]}, {"$eq": [state, "gathering"]}
    last = {"$add": ["$first_at", debounce.total_seconds() * 1000 * LONGEST_GATHERING]}
    due = {"$cond": [gathering, {"$min": [now + debounce, last]}, now + debounce]}
    identity = {
        name: {"$literal": getattr(message, name)}
        for name in ("user_id", "phone_number_id", "agent_id", "channel", "contact_id")
    }
    return identity | {
        "recipient": {"$literal": message.sender},
        "sequence": message.sequence,
        "heard_at": {"$max": ["$heard_at", message.received_at]},
        "number": {"$add": [{"$ifNull": ["$number", 0]}, {"$cond": [{"$eq": [state, "resting"]}, 1, 0]}]},
        "state": {"$cond": [answered, "answered", "gathering"]},
        "first_at": {"$cond": [gathering, "$first_at", now]},
        "next_at": {"$cond": [answered, now + debounce, "$$REMOVE"]},
        "wake_at": {"$cond": [answered, "$wake_at", due]},
        "attempt": {"$cond": [answered, "$attempt", "$$REMOVE"]},
        "tries": {"$cond": [answered, "$tries", 0]},
        "partial": "$$REMOVE",
    }


def _closed(head: Head | None, now: datetime, next_after: timedelta | None) -> Document:
    """The fields of a conversation whose turn has ended; one that is to have another turn says when."""
    next_at: Any = (
        {"$ifNull": ["$next_at", None]} if next_after is None else {"$ifNull": ["$next_at", now + next_after]}
    )
    goes_on = {"$ne": [next_at, None]}
    fields: Document = {
        "state": {"$cond": [goes_on, "gathering", "resting"]},
        "number": {"$add": ["$number", {"$cond": [goes_on, 1, 0]}]},
        "first_at": now,
        "wake_at": {"$cond": [goes_on, next_at, "$$REMOVE"]},
        "tries": 0,
    }
    return fields if head is None else fields | {"head": {"$literal": to_head(head)}}
