"""Meta's statuses on our messages: ranks only rise, whatever the order; strangers are parked for seven days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.errors import BulkWriteError

from services.messaging.domain.messages import StoredMessage
from services.messaging.domain.opaque import message_id_of
from services.messaging.domain.states import LIFTABLE_STATES, RANKS
from services.messaging.repositories.documents import by_position, error_document, to_stored
from shared.clock import Clock
from shared.contracts.webhooks import MetaStatus
from shared.mongo import Database

_PARKED_FOR = timedelta(days=7)  # as long as Meta repeats its webhooks
_RETRIED_FOR = timedelta(minutes=3)  # longer than a call and its recording take: then no message of ours can follow
_LOOKED_UP_TOGETHER = 500


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

    async def raise_ranks(self, name: str, statuses: dict[str, MetaStatus]) -> None:
        """Apply one status name to the messages it concerns, in one update.

        An unknown wamid is filled in. `wake_at` is set where the status settles an open outcome.
        """
        ids = list(statuses)
        items = list(statuses.values())
        change: dict[str, Any] = {
            "rank": RANKS[name],
            "wamid": {"$ifNull": ["$wamid", by_position(ids, [item.wa_message_id for item in items])]},
            f"status_at.{name}": by_position(ids, [item.at for item in items]),
            "raised": {"$concatArrays": [{"$ifNull": ["$raised", []]}, [name]]},
            "wake_at": {"$cond": [{"$in": ["$state", list(LIFTABLE_STATES)]}, self.now(), "$wake_at"]},
        }
        prices = [item.pricing for item in items]
        if any(prices):  # told with `sent` and with one of the others
            change["pricing"] = {"$ifNull": [by_position(ids, prices), "$pricing"]}
        if name == "failed":
            change["failed_error"] = by_position(ids, [error_document(item.error) for item in items])
            change["charged"] = "$$REMOVE"  # what Meta could not deliver costs nothing
        await self._messages.update_many(
            {"_id": {"$in": ids}, "rank": {"$lt": RANKS[name]}}, [{"$set": change}], hint=[("_id", 1)]
        )

    async def list_messages(self, ids: Sequence[str]) -> list[StoredMessage]:
        """The messages after the update, to tell which statuses raised them."""
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


def _parked_id(status: MetaStatus) -> str:
    return f"{status.wa_message_id}:{status.status}"
