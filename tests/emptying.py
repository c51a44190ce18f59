"""An empty database for the next test, whose collections and indexes stay."""

import asyncio

from shared.mongo import UNSAFE_WRITES, Database

RECORD = "system.profile"  # what a test has let the database write down about its queries


async def empty(database: Database) -> None:
    """Delete every document, and go on without a record."""
    names = await database.list_collection_names()
    if RECORD in names:
        await database.command("profile", 0)
        await database.drop_collection(RECORD)
    kept = database.with_options(write_concern=UNSAFE_WRITES)
    await asyncio.gather(*(kept[name].delete_many({}) for name in names if name != RECORD))
