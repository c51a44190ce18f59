"""The one place that builds a MongoDB client, with the write promises the product relies on."""

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NotPrimaryError, WTimeoutError
from pymongo.read_concern import ReadConcern

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]

# What a driver raises while the database is away or changing its primary: the same work may succeed later.
TRANSIENT_ERRORS = (ConnectionFailure, NotPrimaryError, ExecutionTimeout, WTimeoutError)

# Rate tokens and caches may be lost with the machine; everything else may not.
UNSAFE_WRITES = WriteConcern(w=1, j=False)

_SELECTION_TIMEOUT_MS = 5000  # a caller hears 503 within six seconds when the database is away
_WRITE_TIMEOUT_MS = 10000


async def connect(url: str, *, app_name: str, operation_timeout_ms: int | None = None) -> Client:
    """Connect and make sure that a primary answers.

    Every write is acknowledged by a majority and journaled, every read sees only such writes. With
    `operation_timeout_ms` each operation ends in time even when the server hangs instead of being gone; for services
    whose callers wait. Raises pymongo.errors.ServerSelectionTimeoutError when nobody answers within five seconds.
    """
    client: Client = AsyncMongoClient(
        url,
        appname=app_name,
        tz_aware=True,
        w="majority",
        journal=True,
        wTimeoutMS=_WRITE_TIMEOUT_MS,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=_SELECTION_TIMEOUT_MS,
        connectTimeoutMS=_SELECTION_TIMEOUT_MS,
        timeoutMS=operation_timeout_ms,
    )
    await client.admin.command("ping")
    return client


async def ping_primary(client: Client) -> None:
    """Raise unless a primary answers now."""
    hello = await client.admin.command("hello")
    if not hello.get("isWritablePrimary"):
        raise NotPrimaryError("the server answers, but no primary does")


def database_of(client: Client, service: str, *, prefix: str = "waapi") -> Database:
    """The database that belongs to one service, and to no other."""
    return client.get_database(
        f"{prefix}_{service}",
        codec_options=CodecOptions(tz_aware=True),
        read_preference=ReadPreference.PRIMARY,
        read_concern=ReadConcern("majority"),
    )
