"""Storing a group of documents of which some may be there already."""

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

_DUPLICATE_KEY = 11000


async def insert_new(collection: AsyncCollection[dict[str, Any]], documents: Sequence[dict[str, Any]]) -> set[str]:
    """Insert what is not stored yet and return the ids of those; the others stay as they are.

    An id that comes twice in `documents` is inserted once. Raises pymongo's errors when anything but a duplicate stood
    in the way: then nothing is known about any of them.
    """
    distinct = list({document["_id"]: document for document in documents}.values())
    seen: set[str] = set()
    try:
        await collection.insert_many(distinct, ordered=False)
    except BulkWriteError as error:
        seen = _duplicates(error, distinct)
    return {document["_id"] for document in distinct} - seen


def _duplicates(error: BulkWriteError, documents: Sequence[dict[str, Any]]) -> set[str]:
    details = error.details
    failures = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(failure["code"] != _DUPLICATE_KEY for failure in failures):
        raise error
    return {documents[failure["index"]]["_id"] for failure in failures}
