"""Taps on buttons in MongoDB: one document for each, and every count derived from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from shared.contracts.button_clicks import ButtonClick
from shared.contracts.conversations import ClickedButton
from shared.mongo import Database, Document

_DUPLICATE_KEY = 11000
_NEWEST_FIRST = [("clicked_at", DESCENDING), ("_id", DESCENDING)]


@dataclass(frozen=True, slots=True)
class ButtonTotal:
    """The taps on one button of a template; the label is that of the latest."""

    button_id: str
    button_text: str
    total: int
    unique: int


@dataclass(frozen=True, slots=True)
class LatestClick:
    """The latest tap of a customer on one button."""

    template_id: str | None
    button_text: str
    clicked_at: datetime


@dataclass(frozen=True, slots=True)
class ClickRepository:
    """The collection `button_clicks`. A tap that comes twice is one document, so that counts need no care."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Each question has its index; counting people is answered from the first one alone."""
        await self._clicks.create_index(
            [("template_id", 1), ("button_id", 1), ("customer_phone", 1), ("button_text", 1)], name="of_template"
        )
        for name, fields in (("of_user", ["user_id"]), ("of_user_and_template", ["user_id", "template_id"])):
            await self._clicks.create_index([*((field, 1) for field in fields), *_NEWEST_FIRST], name=name)
        await self._clicks.create_index([("user_id", 1), ("customer_phone", 1), *_NEWEST_FIRST], name="of_customer")

    async def add_once(self, clicks: Sequence[tuple[ClickedButton, str, str]]) -> None:
        """Store taps, each with the id and label of its button; those that are stored already stay as they are."""
        try:
            if clicks:
                await self._clicks.insert_many([_document(*click) for click in clicks], ordered=False)
        except BulkWriteError as error:
            if any(entry["code"] != _DUPLICATE_KEY for entry in (error.details or {}).get("writeErrors", [])):
                raise

    async def totals_of(self, template_id: str) -> list[ButtonTotal]:
        """The taps on a template's buttons, the most tapped first."""
        per_person = {"button": "$button_id", "phone": "$customer_phone"}
        steps: list[dict[str, Any]] = [
            {"$match": {"template_id": template_id}},
            {"$group": {"_id": per_person, "total": {"$sum": 1}, "text": {"$max": "$button_text"}}},
            {
                "$group": {
                    "_id": "$_id.button",
                    "total": {"$sum": "$total"},
                    "unique": {"$sum": 1},
                    "text": {"$max": "$text"},
                }
            },
            {"$sort": {"total": -1, "_id": 1}},
        ]
        cursor = await self._clicks.aggregate(steps)
        return [ButtonTotal(row["_id"], row["text"], row["total"], row["unique"]) async for row in cursor]

    async def list_of(self, user_id: str, template_id: str | None, *, offset: int, limit: int) -> list[ButtonClick]:
        """One page of a user's taps, newest first."""
        found = self._clicks.find(_wanted(user_id, template_id)).sort(_NEWEST_FIRST).skip(offset).limit(limit)
        return list(map(_to_click, await found.to_list()))

    async def count_of(self, user_id: str, template_id: str | None) -> int:
        """How many taps there are on all pages."""
        return await self._clicks.count_documents(_wanted(user_id, template_id))

    async def latest_of(self, user_id: str, customer_phone: str) -> tuple[list[LatestClick], int]:
        """The latest tap on each button that a customer tapped, newest first, and how many taps there were."""
        latest: dict[tuple[str | None, str], LatestClick] = {}
        total = 0
        wanted = {"user_id": user_id, "customer_phone": customer_phone}
        async for document in self._clicks.find(wanted).sort(_NEWEST_FIRST):
            total += 1
            button = document["template_id"], document["button_id"]
            tap = LatestClick(document["template_id"], document["button_text"], document["clicked_at"])
            latest.setdefault(button, tap)
        return list(latest.values()), total

    @property
    def _clicks(self) -> AsyncCollection[Document]:
        return self.database["button_clicks"]


def _wanted(user_id: str, template_id: str | None) -> Document:
    return {"user_id": user_id} if template_id is None else {"user_id": user_id, "template_id": template_id}


def _document(click: ClickedButton, button_id: str, button_text: str) -> Document:
    return {
        "_id": click.click_id,
        "user_id": click.user_id,
        "template_id": click.template_id,
        "button_id": button_id,
        "button_text": button_text,
        "customer_phone": click.contact_phone,
        "clicked_at": click.clicked_at,
        "campaign_id": click.campaign_id,
        "recipient_id": click.recipient_id,
        "message_id": click.message_id,
        "payload": click.payload,
    }


def _to_click(document: Document) -> ButtonClick:
    return ButtonClick(
        click_id=document["_id"],
        template_id=document["template_id"],
        button_id=document["button_id"],
        button_text=document["button_text"],
        customer_phone=document["customer_phone"],
        clicked_at=document["clicked_at"],
    )
