"""What customers sent us: one document for each message, kept until every event of it has been announced, and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from services.messaging.domain.inbound import InboundMessage
from services.messaging.domain.taps import TappedMessage
from shared.clock import Clock
from shared.mongo import Database, Document

_FOLLOWED_UP_AFTER = timedelta(seconds=10)  # longer than a healthy delivery takes
_TAP_AGAIN_AFTER = timedelta(seconds=2)
TAP_WAITS = timedelta(minutes=3)  # longer than a call to Meta and its recording take
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class InboundRepository:
    """The inbound_messages collection. `wake_at` is there while something about a message is not done."""

    database: Database
    now: Clock

    @property
    def _inbound(self) -> Any:
        return self.database["inbound_messages"]

    async def ensure_indexes(self) -> None:
        """One index finds what was left undone, one lists a conversation."""
        await self._inbound.create_index("wake_at", partialFilterExpression={"wake_at": {"$exists": True}})
        await self._inbound.create_index([("conversation_id", 1), ("received_at", -1), ("_id", -1)])
        await self._inbound.create_index("media_id", partialFilterExpression={"media_id": {"$exists": True}})

    async def add_once(self, messages: Sequence[InboundMessage]) -> tuple[list[InboundMessage], list[InboundMessage]]:
        """Store messages: those that are new, and those stored before of which anything is still to be done."""
        now = self.now()
        distinct = list({message.id: message for message in messages}.values())
        rest = {"created_at": now, "wake_at": now + _FOLLOWED_UP_AFTER}
        try:
            await self._inbound.insert_many([_to_document(message) | rest for message in distinct], ordered=False)
        except BulkWriteError as error:
            known = {distinct[index].id for index in _duplicates(error)}
            left = self._inbound.find({"_id": {"$in": list(known)}, "wake_at": {"$exists": True}})
            new = [message for message in distinct if message.id not in known]
            return new, [to_inbound(document) async for document in left]
        return distinct, []

    async def find(self, message_id: str) -> InboundMessage | None:
        """One message."""
        document = await self._inbound.find_one({"_id": message_id})
        return to_inbound(document) if document else None

    async def list_due(self, limit: int) -> list[InboundMessage]:
        """Messages that a crash left undone, and taps whose message may be known by now; others leave them alone."""
        now = self.now()
        found = await self._inbound.find({"wake_at": {"$lte": now}}).sort("wake_at", 1).limit(limit).to_list()
        ids = [document["_id"] for document in found]
        if ids:
            await self._inbound.update_many({"_id": {"$in": ids}}, {"$set": {"wake_at": now + _FOLLOWED_UP_AFTER}})
        return [to_inbound(document) for document in found]

    async def mark_applied(self, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
        """Keep what the conversation made of messages; the first time counts. Returns them as they are kept."""
        result = await self._inbound.bulk_write(
            [
                UpdateOne(
                    {"_id": message.id, "sequence": {"$exists": False}},
                    {"$set": {"sequence": message.sequence, "agent_id": message.agent_id}},
                )
                for message in messages
            ],
            ordered=False,
        )
        if result.modified_count == len(messages):
            return list(messages)
        found = self._inbound.find({"_id": {"$in": [message.id for message in messages]}})
        kept = {document["_id"]: to_inbound(document) async for document in found}
        return [kept[message.id] for message in messages if message.id in kept]

    async def finish(self, ids: Sequence[str]) -> None:
        """Nothing is left to do about these."""
        if ids:
            await self._inbound.update_many({"_id": {"$in": list(ids)}}, {"$unset": {"wake_at": ""}})

    async def wait_for_message(self, ids: Sequence[str]) -> list[str]:
        """Look at these taps again soon, as their message may not be stored yet; returns those that waited enough."""
        if not ids:
            return []
        now = self.now()
        await self._inbound.update_many(
            {"_id": {"$in": list(ids)}, "created_at": {"$gt": now - TAP_WAITS}},
            {"$set": {"wake_at": now + _TAP_AGAIN_AFTER, "is_told": True}},
        )
        over = self._inbound.find({"_id": {"$in": list(ids)}, "created_at": {"$lte": now - TAP_WAITS}}, {"_id": 1})
        return [document["_id"] async for document in over]

    async def list_told(self, ids: Sequence[str]) -> set[str]:
        """Those whose MessagesReceived is out, so that only their tap waits."""
        if not ids:
            return set()
        found = self._inbound.find({"_id": {"$in": list(ids)}, "is_told": True}, {"_id": 1})
        return {document["_id"] async for document in found}

    async def find_tapped(self, user_id: str, wamids: Sequence[str]) -> dict[str, TappedMessage]:
        """Messages of a user's by Meta's id of them."""
        fields = ("wamid", "payload", "template_id", "campaign_id", "recipient_id")
        found = self.database["messages"].find(
            {"wamid": {"$in": list(wamids)}, "user_id": user_id}, dict.fromkeys(fields, 1)
        )
        return {
            document["wamid"]: TappedMessage(
                id=document["_id"],
                payload=document["payload"].encode(),
                template_id=document.get("template_id"),
                campaign_id=document.get("campaign_id"),
                recipient_id=document.get("recipient_id"),
            )
            async for document in found
        }


def _duplicates(error: BulkWriteError) -> list[int]:
    """The places of those that were stored before. Raises the error where anything else was in the way."""
    details = error.details or {}
    failures = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(entry["code"] != _DUPLICATE_KEY for entry in failures):
        raise error
    return [entry["index"] for entry in failures]


def _to_document(message: InboundMessage) -> Document:
    document: Document = {
        "_id": message.id,
        "user_id": message.user_id,
        "phone_number_id": message.phone_number_id,
        "channel": message.channel,
        "conversation_id": message.conversation_id,
        "contact_id": message.contact_id,
        "sender": message.sender,
        "type": message.type,
        "content": message.content,
        "received_at": message.received_at,
    }
    for key in ("wa_message_id", "text", "context_wa_message_id", "media_id", "client_message_id", "profile_name"):
        if (value := getattr(message, key)) is not None:
            document[key] = value
    return document


def to_inbound(document: Document) -> InboundMessage:
    """A message as it is stored."""
    return InboundMessage(
        id=document["_id"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        channel=document["channel"],
        conversation_id=document["conversation_id"],
        contact_id=document["contact_id"],
        sender=document["sender"],
        wa_message_id=document.get("wa_message_id"),
        type=document["type"],
        text=document.get("text"),
        content=document.get("content", {}),  # gone when the person was erased
        context_wa_message_id=document.get("context_wa_message_id"),
        received_at=document["received_at"],
        media_id=document.get("media_id"),
        client_message_id=document.get("client_message_id"),
        profile_name=document.get("profile_name"),
        sequence=document.get("sequence"),
        agent_id=document.get("agent_id"),
    )
