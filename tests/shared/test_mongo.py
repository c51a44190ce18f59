"""The MongoDB client: the promises that the product relies on."""

from datetime import UTC, datetime

import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError, NetworkTimeout, ServerSelectionTimeoutError

from shared.mongo import TRANSIENT_ERRORS, Client, Database, database_of, ping_primary

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


async def test_writes_are_for_good_and_reads_see_only_such(mongodb_client: Client) -> None:
    concern = mongodb_client.write_concern

    assert concern.document == {"w": "majority", "j": True, "wtimeout": 10_000}
    assert mongodb_client.read_concern.document == {"level": "majority"}


@pytest.mark.usefixtures("database")
async def test_a_primary_answers(mongodb_client: Client) -> None:
    await ping_primary(mongodb_client)


async def test_a_service_has_a_database_of_its_own_name(mongodb_client: Client) -> None:
    assert database_of(mongodb_client, "messaging").name == "waapi_messaging"
    assert database_of(mongodb_client, "messaging", prefix="test_7").name == "test_7_messaging"


async def test_moments_come_back_aware(database: Database) -> None:
    await database.things.insert_one({"_id": "a", "at": NOON})

    thing = await database.things.find_one({"_id": "a"})

    assert thing == {"_id": "a", "at": NOON}


@pytest.mark.parametrize("error", [ServerSelectionTimeoutError, AutoReconnect, NetworkTimeout])
def test_a_database_that_is_away_is_transient(error: type[Exception]) -> None:
    assert issubclass(error, TRANSIENT_ERRORS)


def test_a_broken_rule_of_the_data_is_not_transient() -> None:
    assert not issubclass(DuplicateKeyError, TRANSIENT_ERRORS)
