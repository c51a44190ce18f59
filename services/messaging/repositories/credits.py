"""Credit accounts and their entries: the ledger's single steps, each of which may be repeated."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateMany
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.messaging.domain.ledger import CLOSED, NEW, OPEN, Account, Entry, Movement, Settlement
from shared.clock import Clock
from shared.mongo import Database, Document

_DUPLICATE_KEY = 11000
_FINISH_AFTER = timedelta(seconds=5)  # a movement takes milliseconds; then whoever began it is gone
_FORGET_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class CreditRepository:
    """The credit_accounts and credit_entries collections.

    `wake_at` of an entry is when the sweeper must look at it; it is absent when nothing of it is set aside or under
    way. `counted` are the wakes of an entry that its last count knew: one that came during the count asks for another.
    `busy_at` of an account is when a movement was last noted in `applying`.
    """

    database: Database
    now: Clock

    @property
    def _accounts(self) -> Any:
        return self.database["credit_accounts"]

    @property
    def _entries(self) -> Any:
        return self.database["credit_entries"]

    async def ensure_indexes(self) -> None:
        """What is due, what a user has set aside, and all of a user's entries for a rebuild."""
        awake = {"wake_at": {"$exists": True}}
        await self._entries.create_index("wake_at", partialFilterExpression=awake)
        await self._entries.create_index([("user_id", 1), ("wake_at", 1)], partialFilterExpression=awake)
        await self._entries.create_index("user_id")
        await self._accounts.create_index("busy_at", partialFilterExpression={"busy_at": {"$exists": True}})

    async def find_account(self, user_id: str) -> Account | None:
        """A user's account as it is now; None before its first touch."""
        document = await self._accounts.find_one({"_id": user_id})
        return _to_account(document) if document else None

    async def add_account(self, user_id: str) -> None:
        """Make an empty account, unless there is one."""
        now = self.now()
        blank = {"_id": user_id, "granted": 0, "free": 0, "version": 0, "applying": [], "created_at": now}
        try:
            await self._accounts.insert_one(blank)
        except DuplicateKeyError:
            return

    async def add_entries(self, entries: Sequence[Entry]) -> None:
        """Write new entries. One that is known and was never taken from its account gets another chance."""
        if not entries:
            return
        now = self.now()
        due = now + _FINISH_AFTER
        documents = [_to_document(entry) | {"created_at": now, "wake_at": due} for entry in entries]
        try:
            await self._entries.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = (error.details or {}).get("writeErrors", [])
            if any(failure["code"] != _DUPLICATE_KEY for failure in failures):
                raise
            known = [failure["op"]["_id"] for failure in failures]
            await self._entries.update_many({"_id": {"$in": known}, "state": NEW}, {"$set": {"wake_at": due}})

    async def list_entries(self, ids: Sequence[str]) -> list[Entry]:
        """These entries, in the order of their ids given."""
        found = {document["_id"]: document async for document in self._entries.find({"_id": {"$in": list(ids)}})}
        return [_to_entry(found[id_]) for id_ in ids if id_ in found]

    async def list_set_aside(self, user_id: str) -> list[Entry]:
        """A user's entries that set something aside, or have a movement coming."""
        awake = self._entries.find({"user_id": user_id, "wake_at": {"$exists": True}})
        return [_to_entry(document) async for document in awake]

    async def list_all(self, user_id: str) -> list[Entry]:
        """Every entry of a user."""
        return [_to_entry(document) async for document in self._entries.find({"user_id": user_id})]

    async def list_users(self) -> list[str]:
        """Everybody who has an account."""
        return [document["_id"] async for document in self._accounts.find({}, {"_id": 1})]

    async def list_due(self, limit: int) -> list[tuple[Entry, datetime]]:
        """Entries that somebody must look at now, with the moment they were made; the longest waiting first."""
        due = self._entries.find({"wake_at": {"$lte": self.now()}}).sort("wake_at", 1).limit(limit)
        return [(_to_entry(document), document["created_at"]) async for document in due]

    async def move(self, account: Account, movements: Sequence[Movement]) -> bool:
        """Take movements, if the account is still as it was read. Nobody else may have taken any meanwhile."""
        result = await self._accounts.update_one(
            {"_id": account.user_id, "version": account.version},
            {
                "$inc": {
                    "free": sum(movement.free for movement in movements),
                    "granted": sum(movement.granted for movement in movements),
                    "version": 1,
                },
                "$push": {"applying": {"$each": [movement.token for movement in movements]}},
                "$set": {"busy_at": self.now()},
            },
        )
        return bool(result.modified_count)

    async def complete(self, entries: Iterable[Entry]) -> None:
        """Write into entries what their account has taken; each only if it still has that movement coming."""
        now = self.now()
        granted = [entry.id for entry in entries if entry.state == NEW and entry.kind == "grant"]
        opened = [entry.id for entry in entries if entry.state == NEW and entry.kind == "reservation"]
        if granted:
            change = {"$set": {"state": CLOSED}, "$unset": {"wake_at": ""}}
            await self._entries.update_many({"_id": {"$in": granted}, "state": NEW}, change)
        if opened:
            opening = {"$set": {"state": OPEN, "wake_at": now + _FINISH_AFTER}}
            await self._entries.update_many({"_id": {"$in": opened}, "state": NEW}, opening)
        for entry in entries:
            if entry.releasing is not None:
                await self._entries.update_one(
                    {"_id": entry.id, "releasing": entry.releasing}, [*_released(now), {"$unset": ["releasing"]}]
                )

    async def forget(self, user_id: str, tokens: Sequence[str]) -> None:
        """Drop tokens of movements that are completed."""
        remaining = {"$setDifference": ["$applying", {"$literal": list(tokens)}]}
        await self._accounts.update_one(
            {"_id": user_id},
            [
                {"$set": {"applying": remaining}},
                {"$set": {"busy_at": {"$cond": [{"$eq": ["$applying", []]}, "$$REMOVE", "$busy_at"]}}},
            ],
        )

    async def list_stale_accounts(self, limit: int) -> list[Account]:
        """Accounts that have noted movements for longer than any takes."""
        stale = self._accounts.find({"busy_at": {"$lte": self.now() - _FORGET_AFTER}}).limit(limit)
        return [_to_account(document) async for document in stale]

    async def begin_release(self, settlement: Settlement) -> None:
        """Set what an entry has captured, and announce what it is about to release; one release at a time."""
        change = _counted(settlement) | {"releasing": settlement.released, "wake_at": self.now() + _FINISH_AFTER}
        await self._entries.update_one(_unmoved([settlement.entry]), {"$set": change})

    async def rest(self, entry: Entry, until: datetime) -> None:
        """Nothing changes before `until`, unless somebody has woken the entry since it was read.

        An entry with nothing set aside any more is closed instead.
        """
        await self._entries.update_one(
            {"_id": entry.id, "state": {"$ne": NEW}, "releasing": {"$exists": False}},
            [{"$set": {"counted": entry.wakes}}, *_resting(self.now(), until)],
        )

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Set what entries have captured that release nothing more, and let them rest."""
        now = self.now()
        alike: defaultdict[tuple[Any, ...], list[Settlement]] = defaultdict(list)
        for each in settlements:
            told = each.captured, each.closing, each.look_at
            alike[each.entry.released, each.entry.wakes, *told].append(each)
        updates = [
            UpdateMany(
                _unmoved([each.entry for each in same]),
                [{"$set": _counted(same[0])}, *_resting(now, same[0].look_at)],
            )
            for same in alike.values()
        ]
        if updates:
            await self._entries.bulk_write(updates, ordered=False)

    async def give_up(self, entry_id: str) -> None:
        """A reservation that its account did not take: it stays as it is, until its request is repeated."""
        await self._entries.update_one({"_id": entry_id, "state": NEW}, {"$unset": {"wake_at": ""}})

    async def wake(self, entry_ids: Sequence[str]) -> None:
        """What messages of these have become must be counted again."""
        if entry_ids:
            await self._entries.update_many(
                {"_id": {"$in": list(entry_ids)}, "state": {"$ne": NEW}},
                {"$set": {"wake_at": self.now()}, "$inc": {"wakes": 1}},
            )

    async def capture_messages(self, entry_ids: Sequence[str]) -> None:
        """Reservations of single messages that Meta has accepted: spent.

        One that was woken is left to the sweep: Meta may have failed its message before its answer came.
        """
        untouched = {"state": OPEN, "released": 0, "releasing": {"$exists": False}, "wakes": {"$exists": False}}
        await self._entries.update_many(
            {"_id": {"$in": list(entry_ids)}} | untouched,
            [{"$set": {"captured": "$amount", "state": CLOSED}}, {"$unset": ["wake_at"]}],
        )

    async def correct(self, account: Account, granted: int, free: int) -> bool:
        """Set a balance to what its entries say, if the account is still as it was read."""
        result = await self._accounts.update_one(
            {"_id": account.user_id, "version": account.version},
            {"$set": {"granted": granted, "free": free}, "$inc": {"version": 1}},
        )
        return bool(result.modified_count)


def _unmoved(entries: Sequence[Entry]) -> Document:
    """Those of the entries, which all had released the same, that have released no more and have no movement coming."""
    still = {"released": entries[0].released, "releasing": {"$exists": False}, "state": {"$ne": NEW}}
    return {"_id": {"$in": [entry.id for entry in entries]}} | still


def _counted(settlement: Settlement) -> Document:
    counted = {"captured": settlement.captured, "counted": settlement.entry.wakes}
    return counted | ({"closing": True} if settlement.closing else {})


def _resting(now: datetime, until: datetime) -> list[Document]:
    nothing_left = {"$lte": ["$amount", {"$add": ["$captured", "$released"]}]}
    return [
        {"$set": {"state": {"$cond": [nothing_left, CLOSED, OPEN]}}},
        {"$set": {"wake_at": _woken_or(now, {"$cond": [nothing_left, "$$REMOVE", until]})}},
    ]


def _released(now: datetime) -> list[dict[str, Any]]:
    left = {"$subtract": ["$amount", {"$add": ["$captured", "$releasing"]}]}
    closed = {"$lte": [left, 0]}
    return [
        {
            "$set": {
                "released": "$releasing",
                "state": {"$cond": [closed, CLOSED, OPEN]},
                "wake_at": _woken_or(now, {"$cond": [closed, "$$REMOVE", now + _FINISH_AFTER]}),
            }
        }
    ]


def _woken_or(now: datetime, otherwise: Document) -> Document:
    """When to look at an entry: at once if it was woken after its messages were counted."""
    is_woken = {"$gt": [{"$ifNull": ["$wakes", 0]}, {"$ifNull": ["$counted", 0]}]}
    return {"$cond": [is_woken, now, otherwise]}


def _to_document(entry: Entry) -> Document:
    return {
        "_id": entry.id,
        "user_id": entry.user_id,
        "kind": entry.kind,
        "amount": entry.amount,
        "captured": entry.captured,
        "released": entry.released,
        "state": entry.state,
    } | ({"note": entry.note} if entry.note else {})


def _to_entry(document: Document) -> Entry:
    return Entry(
        id=document["_id"],
        user_id=document["user_id"],
        kind=document["kind"],
        amount=document["amount"],
        captured=document["captured"],
        released=document["released"],
        state=document["state"],
        releasing=document.get("releasing"),
        closing=document.get("closing", False),
        wakes=document.get("wakes", 0),
    )


def _to_account(document: Document) -> Account:
    return Account(
        user_id=document["_id"],
        granted=document["granted"],
        free=document["free"],
        version=document["version"],
        applying=frozenset(document["applying"]),
    )
