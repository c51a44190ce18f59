"""The recipients collection while rows come in: chunks of an upload, at once and in any order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from services.campaigns.domain.recipients import Place
from shared.mongo import Database, Document

_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class StagedRepository:
    """Rows of uploads that are not finished; nobody sends to them yet."""

    database: Database

    @property
    def _rows(self) -> Any:
        return self.database["recipients"]

    async def stage(self, documents: Sequence[Document]) -> set[str]:
        """Insert rows; return the ids that were there before, whoever wrote them."""
        try:
            if documents:
                await self._rows.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = (error.details or {}).get("writeErrors", [])
            if any(entry["code"] != _DUPLICATE_KEY for entry in failures):
                raise
            return {entry["op"]["_id"] for entry in failures}
        return set()

    async def put_first(self, documents: Sequence[Document]) -> None:
        """Of a recipient who is in an upload twice, let the row that stands first in it count.

        Whose insert came first is kept beside it, so that each row is told the same however often it comes.
        """
        updates = [
            UpdateOne(
                {"_id": row["_id"], "upload": row["upload"], "n": {"$gt": row["n"]}},
                [
                    {
                        "$replaceWith": {
                            "$mergeObjects": [{"$literal": row}, {"inserted": {"$ifNull": ["$inserted", "$n"]}}]
                        }
                    }
                ],
            )
            for row in documents
        ]
        await self._rows.bulk_write(updates, ordered=False)

    async def places(self, ids: Iterable[str]) -> dict[str, Place]:
        """Where existing rows came from."""
        found = await self._rows.find({"_id": {"$in": list(ids)}}, {"upload": 1, "n": 1, "inserted": 1}).to_list()
        return {row["_id"]: Place(row["upload"], row["n"], row.get("inserted", row["n"])) for row in found}

    async def delete_rows_of(self, campaign_id: str, upload: str) -> None:
        """Remove what came with an upload that was undone."""
        await self._rows.delete_many({"campaign_id": campaign_id, "upload": upload})
