"""Meta's notices of numbers and accounts, and what they change on the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.contracts.inbound import MetaNotice
from shared.mongo import Database, Document

_KEPT = timedelta(days=400)
_RATING_AFTER = {"FLAGGED": "RED", "UNFLAGGED": "GREEN"}


@dataclass(frozen=True, slots=True)
class ConcernedNumber:
    """A number of ours that a notice is about."""

    phone_number_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class NoticeRepository:
    """The meta_notices collection, and the phone numbers that notices are about."""

    database: Database
    now: Clock

    @property
    def _notices(self) -> Any:
        return self.database["meta_notices"]

    async def ensure_indexes(self) -> None:
        """Kept a good year; read by account; numbers are found by their account."""
        await self._notices.create_index("kept_at", expireAfterSeconds=int(_KEPT.total_seconds()))
        await self._notices.create_index([("waba_id", 1), ("at", -1)])
        await self.database["phone_numbers"].create_index("waba_id")

    async def add_once(self, notice: MetaNotice) -> bool:
        """Keep a notice; returns whether it still has to be told."""
        document = notice.model_dump() | {"_id": notice.id, "kept_at": self.now(), "is_told": False}
        del document["id"]
        try:
            await self._notices.insert_one(document)
        except DuplicateKeyError:
            stored = await self._notices.find_one({"_id": notice.id}, {"is_told": 1})
            return stored is not None and not stored["is_told"]
        return True

    async def mark_told(self, notice_id: str) -> None:
        """Whoever listens has heard of it."""
        await self._notices.update_one({"_id": notice_id}, {"$set": {"is_told": True}})

    async def apply(self, notice: MetaNotice) -> Sequence[ConcernedNumber]:
        """Show on the numbers what a notice says of them; an older notice that comes late changes nothing."""
        numbers = await self._concerned(notice)
        change: Document = {"notice_at": notice.at, "meta_notice": f"{notice.field}: {notice.event}"}
        if notice.limit is not None:
            change["messaging_limit"] = notice.limit
        if (rating := _RATING_AFTER.get(notice.event)) is not None:
            change["quality_rating"] = rating
        await self.database["phone_numbers"].update_many(
            {"_id": {"$in": [number["_id"] for number in numbers]}, "notice_at": {"$not": {"$gt": notice.at}}},
            {"$set": change},
        )
        return [ConcernedNumber(number["_id"], number["user_id"]) for number in numbers]

    async def _concerned(self, notice: MetaNotice) -> list[Document]:
        """The number that a notice names; else, or when the name is not known, all of the account."""
        wanted: Document = {"waba_id": notice.waba_id, "platform": "whatsapp", "archived_at": None}
        found: list[Document] = await self.database["phone_numbers"].find(wanted).to_list()
        for key, value in (
            ("meta_phone_number_id", notice.meta_phone_number_id),
            ("display_phone_number", notice.display_phone_number),
        ):
            named = [number for number in found if value is not None and number.get(key) == value]
            if named:
                return named
        is_named = notice.display_phone_number is not None or notice.meta_phone_number_id is not None
        return found if not is_named or len(found) == 1 else [n for n in found if "display_phone_number" not in n]
