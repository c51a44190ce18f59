"""Phone numbers: who owns them, how fast they may send, and their sealed tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.contracts.messaging import AddPhoneNumber, NumberAccess, PhoneNumber, Platform
from shared.contracts.numbers import UpdatePhoneNumber
from shared.errors import ConflictError, InvalidInputError, NotFoundError
from shared.mongo import Database, Document

_SUBSCRIBE_LEASE = timedelta(seconds=30)
_LIVE: Document = {"archived_at": None}  # not deleted: what was deleted stays for the history's sake


@dataclass(frozen=True, slots=True)
class SendingNumber:
    """What the send path needs of a number; the token stays sealed until the call."""

    access: NumberAccess
    messages_per_second: int
    is_refused: bool = False  # Meta takes its token no more (code 190), until it gets another
    enforce_window: bool = False  # nothing but templates to who has not written within 24 hours


@dataclass(frozen=True, slots=True)
class NumberRepository:
    """The phone_numbers collection."""

    database: Database
    now: Clock

    @property
    def _numbers(self) -> Any:
        return self.database["phone_numbers"]

    @property
    def _wabas(self) -> Any:
        return self.database["wabas"]

    async def ensure_indexes(self) -> None:
        """A Meta id exists once for each platform, across all users: two owners would mix what comes in."""
        await self._numbers.create_index([("platform", 1), ("meta_phone_number_id", 1)], unique=True)
        await self._numbers.create_index([("user_id", 1), ("created_at", -1)])
        await self._numbers.create_index("subscribe_at", partialFilterExpression={"subscribe_at": {"$exists": True}})

    async def add_once(self, command: AddPhoneNumber, messages_per_second: int) -> PhoneNumber:
        """Store a number, or return it when this command stored it before.

        Raises ConflictError when the Meta id is taken, or the WABA belongs to another user.
        """
        await self._refuse_taken(command)
        await self._claim_waba(command.waba_id, command.user_id)
        now = self.now()
        document: Document = {
            "_id": command.phone_number_id,
            "user_id": command.user_id,
            "platform": command.platform,
            "meta_phone_number_id": command.meta_phone_number_id,
            "sealed_access_token": command.sealed_access_token,
            "display_name": command.display_name,
            "waba_id": command.waba_id,
            "messages_per_second": messages_per_second,
            "created_at": now,
            "updated_at": now,
        }
        if command.platform == "whatsapp" and command.waba_id is not None:
            document["subscribe_at"] = now  # without this subscription no status of this WABA ever arrives
        try:
            await self._numbers.insert_one(document)
        except DuplicateKeyError:
            stored = await self._numbers.find_one({"_id": command.phone_number_id, "user_id": command.user_id})
            if stored is None:
                raise _taken(command) from None
            document = stored
        return _to_phone_number(document)

    async def _refuse_taken(self, command: AddPhoneNumber) -> None:
        """Before the WABA is claimed, which must not stay with a user who has no number in it."""
        same = {"platform": command.platform, "meta_phone_number_id": command.meta_phone_number_id}
        if await self._numbers.find_one(same | {"_id": {"$ne": command.phone_number_id}}, {"_id": 1}) is not None:
            raise _taken(command)

    async def _claim_waba(self, waba_id: str | None, user_id: str) -> None:
        if waba_id is None:
            return
        try:
            await self._wabas.update_one(
                {"_id": waba_id, "user_id": user_id},
                {"$setOnInsert": {"claimed_at": self.now()}},
                upsert=True,
            )
        except DuplicateKeyError:  # another's, or claimed at this moment by the same user's other number
            claimed = await self._wabas.find_one({"_id": waba_id})
            if claimed is None or claimed["user_id"] != user_id:
                raise ConflictError(f"waba_id {waba_id} belongs to another user") from None

    async def change(self, command: UpdatePhoneNumber) -> PhoneNumber:
        """Set what was given. A new token or WABA is subscribed with anew: the old one may have been why none was.

        Raises NotFoundError, InvalidInputError for a WABA where there are none, ConflictError for another user's.
        """
        document = await self._get_document(command.phone_number_id)
        if command.waba_id is not None:
            if document["platform"] != "whatsapp":
                raise _no_waba_here()
            await self._claim_waba(command.waba_id, document["user_id"])
        now = self.now()
        given = command.model_dump(exclude={"phone_number_id"}, exclude_none=True)
        changes = given | {"updated_at": now}
        if document["platform"] == "whatsapp" and given.keys() & {"sealed_access_token", "waba_id"}:
            changes["subscribe_at"] = now
        changed = await self._numbers.find_one_and_update(
            {"_id": command.phone_number_id, **_LIVE}, {"$set": changes}, return_document=ReturnDocument.AFTER
        )
        if changed is None:
            raise NotFoundError("Phone number not found")
        await self._release_waba(document, changed)
        return _to_phone_number(changed)

    async def _release_waba(self, before: Document, after: Document) -> None:
        """A WABA that was given by mistake must not stay with a user who has no number in it."""
        left = before["waba_id"]
        if left is None or left == after["waba_id"]:
            return
        if await self._numbers.find_one({"user_id": after["user_id"], "waba_id": left}, {"_id": 1}) is None:
            await self._wabas.delete_one({"_id": left, "user_id": after["user_id"]})

    async def get(self, phone_number_id: str) -> PhoneNumber:
        """One number. Raises NotFoundError."""
        return _to_phone_number(await self._get_document(phone_number_id))

    async def get_access(self, phone_number_id: str) -> NumberAccess:
        """One number with its sealed token. Raises NotFoundError."""
        return _to_access(await self._get_document(phone_number_id))

    async def _get_document(self, phone_number_id: str) -> Document:
        document: Document | None = await self._numbers.find_one({"_id": phone_number_id, **_LIVE})
        if document is None:
            raise NotFoundError("Phone number not found")
        return document

    async def list_by_user(self, user_id: str, platform: Platform | None) -> tuple[PhoneNumber, ...]:
        """A user's numbers, newest first."""
        wanted: Document = {"user_id": user_id, **_LIVE} | ({"platform": platform} if platform else {})
        found = self._numbers.find(wanted).sort([("created_at", -1), ("_id", -1)])
        return tuple([_to_phone_number(document) async for document in found])

    async def list_sending(self, ids: Iterable[str]) -> dict[str, SendingNumber]:
        """The numbers of a group of messages, by id."""
        return {
            document["_id"]: SendingNumber(
                _to_access(document),
                document["messages_per_second"],
                is_refused=document.get("refused_token", "") == document["sealed_access_token"],
                enforce_window=document.get("enforce_window", False),
            )
            async for document in self._numbers.find({"_id": {"$in": list(ids)}, **_LIVE})
        }

    async def mark_refused(self, phone_number_id: str, sealed_access_token: str) -> bool:
        """Meta takes this token no more; returns whether that is news. A token that came meanwhile is not meant."""
        result = await self._numbers.update_one(
            {"_id": phone_number_id, "sealed_access_token": sealed_access_token},
            {"$set": {"refused_token": sealed_access_token}},
        )
        return bool(result.modified_count)

    async def claim_unsubscribed(self) -> NumberAccess | None:
        """A number whose WABA still has to be subscribed to; ours for half a minute."""
        now = self.now()
        document = await self._numbers.find_one_and_update(
            {"subscribe_at": {"$lte": now}}, {"$set": {"subscribe_at": now + _SUBSCRIBE_LEASE}}
        )
        return _to_access(document) if document else None

    async def mark_subscribed(self, phone_number_id: str) -> None:
        """The app hears this number's WABA from now on."""
        await self._numbers.update_one(
            {"_id": phone_number_id},
            {"$set": {"subscribed_at": self.now()}, "$unset": {"subscribe_at": "", "subscribe_error": ""}},
        )

    async def postpone_subscription(self, phone_number_id: str, due_at: datetime, error: str) -> None:
        """Try again at `due_at`; the reason is kept for whoever asks why no statuses arrive."""
        await self._numbers.update_one(
            {"_id": phone_number_id, "subscribe_at": {"$exists": True}},
            {"$set": {"subscribe_at": due_at, "subscribe_error": error}},
        )


def _no_waba_here() -> InvalidInputError:
    message = "waba_id is only for WhatsApp phone numbers"
    return InvalidInputError(message, details=[{"field": "waba_id", "message": message}])


def _taken(command: AddPhoneNumber) -> ConflictError:
    return ConflictError(f"A phone number with meta_phone_number_id {command.meta_phone_number_id} already exists")


def _to_phone_number(document: Document) -> PhoneNumber:
    return PhoneNumber(
        id=document["_id"],
        user_id=document["user_id"],
        platform=document["platform"],
        meta_phone_number_id=document["meta_phone_number_id"],
        display_name=document["display_name"],
        waba_id=document["waba_id"],
        messages_per_second=document["messages_per_second"],
        agent_id=document.get("agent_id"),
        quality_rating=document.get("quality_rating"),
        enforce_window=document.get("enforce_window", False),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )


def _to_access(document: Document) -> NumberAccess:
    return NumberAccess(
        phone_number_id=document["_id"],
        user_id=document["user_id"],
        platform=document["platform"],
        meta_phone_number_id=document["meta_phone_number_id"],
        waba_id=document["waba_id"],
        sealed_access_token=document["sealed_access_token"] or "",  # web chat has none
    )
