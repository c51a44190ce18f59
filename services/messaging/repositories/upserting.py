"""Upserts of a group, some of which another process may be making at the same moment."""

from collections.abc import Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

_DUPLICATE_KEY = 11000


async def upsert_all(collection: Any, updates: Sequence[UpdateOne]) -> None:
    """Apply all. A document that was made meanwhile is updated at the second try; so each must bear repetition."""
    if not updates:
        return
    try:
        await collection.bulk_write(list(updates), ordered=False)
    except BulkWriteError as error:
        if any(entry["code"] != _DUPLICATE_KEY for entry in (error.details or {}).get("writeErrors", [])):
            raise
        await collection.bulk_write(list(updates), ordered=False)
