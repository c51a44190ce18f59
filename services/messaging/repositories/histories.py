"""What was said in conversations, from both collections that hold it, page by page, newest first."""

import re
from asyncio import gather
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any

from services.messaging.domain.conversation_view import received_view, sent_view
from services.messaging.repositories.documents import to_stored
from services.messaging.repositories.inbound import to_inbound
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.contracts.templates import Template
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

_CURSOR = re.compile(r"(\d{1,14})-([0-9a-f]{24})", re.ASCII)
_SHOWN_OF_PEOPLE = {"phone": 1, "name": 1, "username": 1, "erased_at": 1}


@dataclass(frozen=True, slots=True)
class HistoryRepository:
    """Reads conversations, messages and inbound_messages; writes nothing."""

    database: Database
    copies: TemplateCopyRepository

    async def list_messages(self, conversation_id: str, limit: int, cursor: str | None) -> ThreadMessages:
        """A page of a conversation. Raises InvalidInputError for a cursor that is none."""
        of_thread = {"conversation_id": conversation_id}
        received, sent = await gather(
            self._page("inbound_messages", "received_at", of_thread, limit + 1, cursor),
            self._page("messages", "created_at", of_thread, limit + 1, cursor),
        )
        found = list(islice(_newest_first(received, sent, await self._templates_of(sent)), limit + 1))
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
        """A page by moment and id.

        Only the moment stands in each index: where a page ends among several of one moment, all of those are asked for.
        """
        wanted = wanted | _before(key, cursor)
        documents = self.database[collection]
        found = await documents.find(wanted).sort(key, -1).limit(limit + 1).to_list()
        if len(found) > limit and found[-2][key] == (last := found[-1][key]):
            equals = await documents.find(wanted | {key: last}).to_list()
            found = [document for document in found if document[key] != last] + equals
        return sorted(found, key=lambda document: (document[key], document["_id"]), reverse=True)[:limit]

    async def _shown(self, documents: Sequence[Document]) -> list[Conversation]:
        ids = [document["_id"] for document in documents]
        contacts, received, sent = await gather(
            self._people([document["contact_id"] for document in documents]),
            self._last("inbound_messages", "received_at", ids),
            self._last("messages", "created_at", ids),
        )
        newest = await self._newest(received, sent)
        return [
            _to_conversation(document, contacts.get(document["contact_id"], {}), newest.get(document["_id"]))
            for document in documents
        ]

    async def _people(self, ids: Sequence[str]) -> dict[str, Document]:
        found = await self.database["contacts"].find({"_id": {"$in": list(ids)}}, _SHOWN_OF_PEOPLE).to_list()
        return {contact["_id"]: contact for contact in found}

    async def _last(self, collection: str, key: str, ids: Sequence[str]) -> dict[str, Document]:
        """The last message of each conversation in one direction.

        Sorted and grouped as the index is, which makes it one step in the index for each conversation (DISTINCT_SCAN),
        however long they are.
        """
        steps: list[Document] = [
            {"$match": {"conversation_id": {"$in": list(ids)}}},
            {"$sort": {"conversation_id": 1, key: -1}},
            {"$group": {"_id": "$conversation_id", "last": {"$first": "$$ROOT"}}},
        ]
        rows = await (await self.database[collection].aggregate(steps)).to_list()
        return {row["_id"]: row["last"] for row in rows}

    async def _newest(self, received: Mapping[str, Document], sent: Mapping[str, Document]) -> dict[str, ThreadMessage]:
        """Of the last messages in both directions the newer one of each conversation."""
        templates = await self._templates_of(list(sent.values()))
        return {
            id_: message
            for id_ in received.keys() | sent.keys()
            for _, _, message in islice(_newest_first(_only(received, id_), _only(sent, id_), templates), 1)
        }

    async def _templates_of(self, sent: Sequence[Document]) -> dict[str, Template]:
        ids = {_template(document) for document in sent} - {""}
        return await self.copies.list_by_ids(ids) if ids else {}


def _newest_first(
    received: Sequence[Document], sent: Sequence[Document], templates: Mapping[str, Template]
) -> Iterator[tuple[datetime, str, ThreadMessage]]:
    """Messages of both directions, each list newest first, as one; each is worded when its turn comes."""
    ordered = merge(
        ((each["received_at"], each["_id"], partial(_received, each)) for each in received),
        ((each["created_at"], each["_id"], partial(_sent, each, templates)) for each in sent),
        key=lambda entry: entry[:2],
        reverse=True,
    )
    return ((at, id_, worded()) for at, id_, worded in ordered)


def _received(document: Document) -> ThreadMessage:
    return received_view(to_inbound(document))


def _sent(document: Document, templates: Mapping[str, Template]) -> ThreadMessage:
    return sent_view(to_stored(document), templates.get(_template(document)))


def _only(documents: Mapping[str, Document], key: str) -> Sequence[Document]:
    return [documents[key]] if key in documents else []


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
    return {key: {"$lte": at}, "$or": [{key: {"$lt": at}}, {key: at, "_id": {"$lt": match[2]}}]}
