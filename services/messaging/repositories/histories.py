"""What was said in conversations, from both collections that hold it, page by page, newest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any

from services.messaging.domain.conversation_view import received_view, sent_view
from services.messaging.repositories.documents import to_stored
from services.messaging.repositories.inbound import to_inbound
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.contracts.threads import (
    Conversation,
    Conversations,
    ListConversations,
    Person,
    ThreadMessage,
    ThreadMessages,
)
from shared.errors import InvalidInputError
from shared.mongo import Database, Document

_CURSOR = re.compile(r"(\d{1,15})-([0-9a-f]{24})", re.ASCII)


@dataclass(frozen=True, slots=True)
class HistoryRepository:
    """Reads conversations, messages and inbound_messages; writes nothing."""

    database: Database
    copies: TemplateCopyRepository

    async def list_messages(self, conversation_id: str, limit: int, cursor: str | None) -> ThreadMessages:
        """A page of a conversation. Raises InvalidInputError for a cursor that is none."""
        of_thread = {"conversation_id": conversation_id}
        received = await self._page("inbound_messages", "received_at", of_thread, limit + 1, cursor)
        sent = await self._page("messages", "created_at", of_thread, limit + 1, cursor)
        templates = {id_: await self.copies.get(id_) for id_ in {_template(document) for document in sent} if id_}
        both = merge(
            [(document["received_at"], document["_id"], received_view(to_inbound(document))) for document in received],
            [
                (
                    document["created_at"],
                    document["_id"],
                    sent_view(to_stored(document), templates.get(_template(document))),
                )
                for document in sent
            ],
            key=lambda entry: entry[:2],
            reverse=True,
        )
        found = list(islice(both, limit + 1))
        following = _cursor(*found[limit - 1][:2]) if len(found) > limit else None
        return ThreadMessages(items=tuple(message for _, _, message in found[:limit]), next_cursor=following)

    async def list_conversations(self, query: ListConversations) -> Conversations:
        """A page of a user's conversations. Raises InvalidInputError for a cursor that is none."""
        wanted: Document = {"user_id": query.user_id}
        for key, value in (("phone_number_id", query.phone_number_id), ("channel", query.channel)):
            if value is not None:
                wanted[key] = value
        if query.handled_by is not None:
            wanted["handled_by"] = query.handled_by
        found = await self._page("conversations", "last_message_at", wanted, query.limit + 1, query.cursor)
        page = found[: query.limit]
        last = page[-1] if page else None
        following = _cursor(last["last_message_at"], last["_id"]) if last and len(found) > query.limit else None
        return Conversations(items=tuple(await self._shown(page)), next_cursor=following)

    async def find_conversation(self, conversation_id: str) -> Conversation | None:
        """One conversation."""
        document = await self.database["conversations"].find_one({"_id": conversation_id})
        return (await self._shown([document]))[0] if document else None

    async def _page(
        self, collection: str, key: str, wanted: Document, limit: int, cursor: str | None
    ) -> Sequence[Document]:
        found = self.database[collection].find(wanted | _before(key, cursor))
        return await found.sort([(key, -1), ("_id", -1)]).limit(limit).to_list()

    async def _shown(self, documents: Sequence[Document]) -> list[Conversation]:
        ids = [document["contact_id"] for document in documents]
        contacts = {each["_id"]: each async for each in self.database["contacts"].find({"_id": {"$in": ids}})}
        return [
            _to_conversation(document, contacts.get(document["contact_id"], {}), await self._newest(document["_id"]))
            for document in documents
        ]

    async def _newest(self, conversation_id: str) -> ThreadMessage | None:
        newest = (await self.list_messages(conversation_id, 1, None)).items
        return newest[0] if newest else None


def _to_conversation(document: Document, contact: Document, newest: ThreadMessage | None) -> Conversation:
    return Conversation(
        conversation_id=document["_id"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        channel=document["channel"],
        contact=Person(
            contact_id=document["contact_id"],
            phone=contact.get("phone") if "erased_at" not in contact else None,
            name=contact.get("name"),
            username=contact.get("username"),
        ),
        recipient=document.get("recipient", ""),
        window_expires_at=document.get("window_expires_at"),
        handled_by=document.get("handled_by", "agent"),
        sequence=document.get("sequence", 0),
        last_message=newest,
        last_message_at=document["last_message_at"],
        created_at=document["created_at"],
    )


def _template(document: Document) -> str:
    return str(document.get("template_id", ""))


def _cursor(at: datetime, identifier: str) -> str:
    return f"{int(at.timestamp() * 1000)}-{identifier}"


def _before(key: str, cursor: str | None) -> Document:
    """What stands after a page's last entry, newest first."""
    if cursor is None:
        return {}
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidInputError("cursor is not one of ours", details=[{"field": "cursor", "message": "is not valid"}])
    at: Any = datetime.fromtimestamp(int(match[1]) / 1000, UTC)
    return {"$or": [{key: {"$lt": at}}, {key: at, "_id": {"$lt": match[2]}}]}
