"""Balances derived from the ledger's entries, whatever became of the accounts."""

import asyncio
import os
import subprocess
import sys

from services.messaging.rebuild import rebuild
from shared.contracts.messaging import Credits
from shared.mongo import Client, Database
from tests.messaging.stage import MASTER_KEYS, USER, Stage, message_id
from tests.servers import RealServers, fresh_name

RIGHT = Credits(remaining_credits=144, total_used=1, total_granted=150)


async def with_movements(stage: Stage) -> None:
    """A grant, a run with a part released, and a message that was paid for."""
    ledger = stage.messaging.credits.ledger
    await ledger.grant(USER, "g", 50)
    await ledger.reserve_run(USER, "camp_1", 0, 10)
    await ledger.release_run(USER, "camp_1", 0, 5, closed=False)
    await ledger.reserve_message(USER, message_id())
    await ledger.capture_messages([message_id()])
    assert await ledger.get(USER) == RIGHT


async def test_a_right_balance_stays(stage: Stage, database: Database) -> None:
    await with_movements(stage)

    report = await rebuild(database, 100)

    assert report == [{"user_id": USER, "changed": False, "before": RIGHT.model_dump(), "after": RIGHT.model_dump()}]


async def test_a_wrong_balance_is_set_right(stage: Stage, database: Database) -> None:
    await with_movements(stage)
    await database["credit_accounts"].update_one({"_id": USER}, {"$set": {"free": 7, "granted": 99}})

    (line,) = await rebuild(database, 100, [USER])

    assert line["changed"] is True
    assert line["after"] == RIGHT.model_dump()
    assert await stage.messaging.credits.ledger.get(USER) == RIGHT


def test_the_command_says_what_it_lacks() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MASTER_KEYS"}

    command = [sys.executable, "-m", "services.messaging.rebuild"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 78
    assert "MASTER_KEYS" in ended.stderr


async def test_the_command_prints_a_line_for_each_user(servers: RealServers, mongodb_client: Client) -> None:
    prefix = fresh_name()
    environment = os.environ | {"MASTER_KEYS": MASTER_KEYS, "MONGODB_URL": servers.mongodb_url}
    environment |= {"DATABASE_PREFIX": prefix}

    command = [sys.executable, "-m", "services.messaging.rebuild", "usr_new"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    await mongodb_client.drop_database(f"{prefix}_messaging")

    assert b'"user_id":"usr_new","changed":false' in printed
