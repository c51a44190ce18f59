"""Who writes to us: which contact a sender is, and what their profile says.

A contact is known by the number that was dialled. What else Meta calls the same person (another spelling of the number,
a business-scoped id) are its aliases.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from services.messaging.domain.inbound import ReceivingNumber, Sender
from services.messaging.repositories.upserting import upsert_all
from shared.clock import Clock
from shared.contracts.conversations import Channel
from shared.contracts.webchat import VisitorInput
from shared.mongo import Database, Document


@dataclass(frozen=True, slots=True)
class KnownAs:
    """The contact that a sender is, and what answers are addressed to."""

    contact_id: str
    address: str


@dataclass(frozen=True, slots=True)
class SenderRepository:
    """The contacts collection, as seen from inbound messages, and the numbers that they come to."""

    database: Database
    now: Clock

    @property
    def _contacts(self) -> Any:
        return self.database["contacts"]

    async def ensure_indexes(self) -> None:
        """Looked up by any of their names."""
        await self._contacts.create_index(
            [("user_id", 1), ("aliases", 1)], partialFilterExpression={"aliases": {"$exists": True}}
        )

    async def list_numbers(self, named: Iterable[tuple[Channel, str]]) -> dict[tuple[Channel, str], ReceivingNumber]:
        """Our numbers, by channel and Meta's id."""
        ids = sorted({meta_id for _, meta_id in named})
        found = self.database["phone_numbers"].find(
            {"platform": {"$in": ["whatsapp", "instagram"]}, "meta_phone_number_id": {"$in": ids}, "archived_at": None}
        )
        return {
            (document["platform"], document["meta_phone_number_id"]): _to_number(document) async for document in found
        }

    async def find_number(self, phone_number_id: str) -> ReceivingNumber | None:
        """One of our numbers, by our id."""
        document = await self.database["phone_numbers"].find_one({"_id": phone_number_id, "archived_at": None})
        return _to_number(document) if document else None

    async def list_agents(self, phone_number_ids: Iterable[str]) -> dict[str, str | None]:
        """Each number's agent, none where it has none."""
        found = self.database["phone_numbers"].find({"_id": {"$in": list(phone_number_ids)}}, {"agent_id": 1})
        return {document["_id"]: document.get("agent_id") async for document in found}

    async def identify(self, senders: Sequence[Sender]) -> dict[Sender, KnownAs]:
        """The contact of each sender, known or to be."""
        known: dict[Sender, KnownAs] = {}
        for user_id in {sender.user_id for sender in senders}:
            mine = [sender for sender in senders if sender.user_id == user_id]
            contacts = await self._list_contacts(user_id, mine)
            known |= {sender: _best(sender, contacts) for sender in mine}
        return known

    async def _list_contacts(self, user_id: str, senders: Sequence[Sender]) -> list[Document]:
        phones = sorted({sender.phone for sender in senders if sender.phone is not None})
        aliases = sorted({alias for sender in senders for alias in sender.aliases})
        # The user stands in both branches: only so does each take its own index, rather than all of a user's contacts.
        either = [{"user_id": user_id, "phone": {"$in": phones}}, {"user_id": user_id, "aliases": {"$in": aliases}}]
        found: list[Document] = await self._contacts.find({"$or": either}).to_list()
        return found

    async def keep(self, senders: Iterable[tuple[Sender, KnownAs, datetime]]) -> None:
        """Make sure that the contacts exist, and keep their newest profiles, in whatever order these come."""
        told = list(senders)
        erased = await self._erased({known.contact_id: at for _, known, at in told})
        updates = [
            UpdateOne({"_id": known.contact_id}, self._profile(sender, known, at), upsert=True)
            for sender, known, at in told
            if known.contact_id not in erased
        ]
        await upsert_all(self._contacts, updates)

    async def add_aliases(self, digits_of: Mapping[str, str]) -> None:
        """Keep how Meta spells the numbers of contacts; nothing to do for most."""
        if digits_of:
            await self._contacts.bulk_write(
                [UpdateOne({"_id": id_}, {"$addToSet": {"aliases": digits}}) for id_, digits in digits_of.items()],
                ordered=False,
            )

    async def keep_visitor(self, visitor: Sender, given: VisitorInput | None) -> None:
        """Make sure that a web chat's visitor is a contact; what the site has proven of them is taken over."""
        known = given.model_dump(exclude_none=True) if given is not None else {}
        now = self.now()
        first = {"user_id": visitor.user_id, "created_at": now} | ({} if known else {"updated_at": now})
        update: Document = {"$setOnInsert": first} | ({"$set": known | {"updated_at": now}} if known else {})
        await upsert_all(self._contacts, [UpdateOne({"_id": visitor.own_contact_id}, update, upsert=True)])

    async def _erased(self, moments: Mapping[str, datetime]) -> set[str]:
        """Contacts who were erased: what they had written before brings nothing of them back."""
        found = self._contacts.find({"_id": {"$in": list(moments)}, "erased_at": {"$exists": True}}, {"_id": 1})
        return {document["_id"] async for document in found}

    def _profile(self, sender: Sender, known: KnownAs, at: datetime) -> list[Document]:
        now = self.now()
        change: Document = {
            "user_id": sender.user_id,
            "created_at": {"$ifNull": ["$created_at", now]},
            "updated_at": {"$ifNull": ["$updated_at", now]},
        }
        if sender.phone is not None and known.contact_id == sender.own_contact_id:
            change["phone"] = {"$literal": sender.phone}
        if aliases := [alias for alias in sender.aliases if f"+{alias}" != known.address]:
            change["aliases"] = {"$setUnion": [{"$ifNull": ["$aliases", []]}, {"$literal": aliases}]}
        if sender.username is not None:
            change["username"] = {"$literal": sender.username}
        if sender.profile_name is None:
            return [{"$set": change}]
        # The newest profile wins; it is also the name until somebody gives another.
        profile = {"at": {"$literal": at}, "name": {"$literal": sender.profile_name}}
        is_unnamed = {"$in": [{"$ifNull": ["$name", None]}, [None, "$profile.name"]]}
        return [
            {"$set": change | {"profile": {"$max": ["$profile", profile]}, "is_unnamed": is_unnamed}},
            {"$set": {"name": {"$cond": ["$is_unnamed", "$profile.name", "$name"]}}},
            {"$unset": "is_unnamed"},
        ]


def _best(sender: Sender, contacts: Sequence[Document]) -> KnownAs:
    """What Meta has called by this number before, then who has the number, then who has the scoped id."""
    digits = sender.phone.removeprefix("+") if sender.phone is not None else None
    for fits in (
        lambda contact: digits is not None and digits in contact.get("aliases", ()),
        lambda contact: sender.phone is not None and contact.get("phone") == sender.phone,
        lambda contact: sender.scoped_id in contact.get("aliases", ()) and "phone" in contact,
        lambda contact: sender.scoped_id in contact.get("aliases", ()) and sender.phone is None,
    ):
        for contact in contacts:
            if fits(contact):
                return KnownAs(contact["_id"], contact.get("phone") or sender.address)
    return KnownAs(sender.own_contact_id, sender.address)


def _to_number(document: Document) -> ReceivingNumber:
    return ReceivingNumber(document["_id"], document["user_id"], document["platform"], document.get("agent_id"))
