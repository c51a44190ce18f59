"""Meta's statuses on our messages: ranks only rise, whatever the order; strangers are parked for seven days."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import islice
from typing import Any

from pymongo.errors import BulkWriteError

from services.messaging.domain.messages import StoredMessage
from services.messaging.domain.opaque import message_id_of
from services.messaging.domain.states import LIFTABLE_STATES, RANKS
from services.messaging.domain.statuses import HeardMessage, rising
from services.messaging.repositories.documents import by_position, error_document, to_stored
from shared.clock import Clock
from shared.contracts.webhooks import MetaStatus
from shared.mongo import Database, Document

_PARKED_FOR = timedelta(days=7)  # as long as Meta repeats its webhooks
_RETRIED_FOR = timedelta(minutes=3)  # longer than a call and its recording take: then no message of ours can follow
_LOOKED_UP_TOGETHER = 500
_RAISED_TOGETHER = 200  # each message looks its own values up among those of all: more at a time costs more for each
_HEARD = tuple(field.name for field in fields(HeardMessage) if field.name != "id")

Raises = dict[str, list[MetaStatus]]  # by message id, each name once, the lowest rank first


@dataclass(frozen=True, slots=True)
class StatusRepository:
    """Applies statuses to the messages collection, and parks those whose message is not known (yet)."""

    database: Database
    now: Clock

    @property
    def _messages(self) -> Any:
        return self.database["messages"]

    @property
    def _parked(self) -> Any:
        return self.database["parked_statuses"]

    async def ensure_indexes(self) -> None:
        """Parked statuses leave by themselves."""
        await self._parked.create_index("parked_at", expireAfterSeconds=int(_PARKED_FOR.total_seconds()))

    async def match(self, statuses: Iterable[MetaStatus]) -> dict[str, list[MetaStatus]]:
        """Statuses by our message id: from their opaque data, else by wamid; what matches nothing is parked."""
        matched: defaultdict[str, list[MetaStatus]] = defaultdict(list)
        by_wamid: defaultdict[str, list[MetaStatus]] = defaultdict(list)
        for status in statuses:
            message_id = message_id_of(status.opaque)
            if message_id is not None:
                matched[message_id].append(status)
            else:
                by_wamid[status.wa_message_id].append(status)
        if by_wamid:
            async for document in self._messages.find({"wamid": {"$in": list(by_wamid)}}, {"wamid": 1}):
                matched[document["_id"]].extend(by_wamid.pop(document["wamid"], ()))
            await self._park([status for group in by_wamid.values() for status in group])
        return matched

    async def raise_ranks(self, statuses: Mapping[str, Sequence[MetaStatus]]) -> None:
        """Apply the statuses of messages: one update for all of which the same ones came together.

        Each update of a document costs the database far more than its fields: what came together is written together.
        """
        alike: defaultdict[tuple[str, ...], Raises] = defaultdict(dict)
        for message_id, told in statuses.items():
            in_order = rising(told)
            alike[tuple(status.status for status in in_order)][message_id] = in_order
        for names, raises in alike.items():
            for part in _portions(raises):
                if await self._raise(names, part) < len(part) and len(names) > 1:
                    await self._raise_one_by_one(names, part)

    async def _raise_one_by_one(self, names: Sequence[str], raises: Raises) -> None:
        """For messages that had some of these statuses before: each counts where it still raises the rank."""
        for place, name in enumerate(names):
            await self._raise((name,), {message_id: [told[place]] for message_id, told in raises.items()})

    async def _raise(self, names: Sequence[str], raises: Raises) -> int:
        """Apply these statuses, the lowest first, to messages that have had none of them; returns how many those were.

        An unknown wamid is filled in. `wake_at` is set where the statuses settle an open outcome.
        """
        ids = list(raises)
        change: dict[str, Any] = {
            "rank": RANKS[names[-1]],
            "wamid": {"$ifNull": ["$wamid", by_position(ids, [told[0].wa_message_id for told in raises.values()])]},
            "raised": {"$concatArrays": [{"$ifNull": ["$raised", []]}, list(names)]},
            "wake_at": {"$cond": [{"$in": ["$state", list(LIFTABLE_STATES)]}, self.now(), "$wake_at"]},
        }
        for place, name in enumerate(names):
            change[f"status_at.{name}"] = by_position(ids, [told[place].at for told in raises.values()])
        prices = [_last_price(told) for told in raises.values()]
        if any(prices):  # told with `sent` and with one of the others
            change["pricing"] = {"$ifNull": [by_position(ids, prices), "$pricing"]}
        if "failed" in names:
            errors = [told[names.index("failed")].error for told in raises.values()]
            change["failed_error"] = by_position(ids, [error_document(error) for error in errors])
            change["charged"] = "$$REMOVE"  # what Meta could not deliver costs nothing
        result = await self._messages.update_many(
            {"_id": {"$in": ids}, "rank": {"$lt": RANKS[names[0]]}}, [{"$set": change}], hint=[("_id", 1)]
        )
        return int(result.modified_count)

    async def list_heard(self, ids: Sequence[str]) -> list[HeardMessage]:
        """The messages after the update, to tell which statuses raised them."""
        found = self._messages.find({"_id": {"$in": list(ids)}}, dict.fromkeys(_HEARD, 1))
        return [_to_heard(document) async for document in found]

    async def list_messages(self, ids: Sequence[str]) -> list[StoredMessage]:
        """The same with all that is stored of them."""
        return [to_stored(document) async for document in self._messages.find({"_id": {"$in": list(ids)}})]

    async def list_parked(self, limit: int) -> list[MetaStatus]:
        """Parked statuses whose message is known by now, at most `limit`.

        Looked up in steps and not by `$lookup`: MongoDB 6.0 leaves partial indexes aside there and reads every message.
        """
        known: list[MetaStatus] = []
        recent = self._parked.find({"parked_at": {"$gt": self.now() - _RETRIED_FOR}}).sort("parked_at", 1)
        while len(known) < limit and (parked := await recent.to_list(_LOOKED_UP_TOGETHER)):
            wamids = {"$in": [document["wamid"] for document in parked]}
            ours = {document["wamid"] async for document in self._messages.find({"wamid": wamids}, {"wamid": 1})}
            found = (document["status"] for document in parked if document["wamid"] in ours)
            known += [MetaStatus.model_validate_json(status) for status in found]
        return known[:limit]

    async def unpark(self, statuses: Sequence[MetaStatus]) -> None:
        """Forget parked statuses that have been applied."""
        await self._parked.delete_many({"_id": {"$in": [_parked_id(status) for status in statuses]}})

    async def _park(self, statuses: list[MetaStatus]) -> None:
        if not statuses:
            return
        now = self.now()
        documents = [
            {
                "_id": _parked_id(status),
                "wamid": status.wa_message_id,
                "status": status.model_dump_json(),
                "parked_at": now,
            }
            for status in statuses
        ]
        try:
            await self._parked.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(entry["code"] != 11000 for entry in (error.details or {}).get("writeErrors", [])):
                raise


def _portions(raises: Raises) -> Iterator[Raises]:
    remaining = iter(raises.items())
    while portion := dict(islice(remaining, _RAISED_TOGETHER)):
        yield portion


def _last_price(statuses: Sequence[MetaStatus]) -> str | None:
    return next((status.pricing for status in reversed(statuses) if status.pricing), None)


def _to_heard(document: Document) -> HeardMessage:
    return HeardMessage(
        id=document["_id"],
        user_id=document["user_id"],
        phone_number_id=document["phone_number_id"],
        conversation_id=document["conversation_id"],
        contact_id=document["contact_id"],
        to=document["to"],
        type=document["type"],
        source=document["source"],
        campaign_id=document.get("campaign_id"),
        recipient_id=document.get("recipient_id"),
        template_id=document.get("template_id"),
        state=document["state"],
        raised=tuple(document.get("raised", ())),
    )


def _parked_id(status: MetaStatus) -> str:
    return f"{status.wa_message_id}:{status.status}"
