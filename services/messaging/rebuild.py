"""`python -m services.messaging.rebuild [USER …]`: derive balances from the ledger's entries, and say what changed."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.messaging.ledger import Ledger
from services.messaging.repositories.charges import ChargeRepository
from services.messaging.repositories.credits import CreditRepository
from services.messaging.repositories.groups import GroupRepository
from services.messaging.settings import Settings
from shared.clock import utc_now
from shared.mongo import Database, connect, database_of
from shared.settings import EX_CONFIG, ConfigurationError


async def rebuild(database: Database, default_credits: int, user_ids: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Rebuild these users' balances, or everybody's; each as it was and as it is now. Safe while services run."""
    credits = CreditRepository(database, utc_now)
    ledger = Ledger(credits, ChargeRepository(database, GroupRepository(database, utc_now), utc_now), default_credits)
    report = []
    for user_id in user_ids or await credits.list_users():
        before, after = await ledger.rebuild(user_id)
        report.append(
            {
                "user_id": user_id,
                "changed": before != after,
                "before": before.model_dump(),
                "after": after.model_dump(),
            }
        )
    return report


async def run(environ: Mapping[str, str], user_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Connect as messaging does, and rebuild. Raises ConfigurationError."""
    settings = Settings.from_env(environ)
    client = await connect(settings.mongodb_url.get_secret_value(), app_name="rebuild")
    try:
        database = database_of(client, "messaging", prefix=settings.database_prefix)
        return await rebuild(database, settings.default_credits, user_ids)
    finally:
        await client.close()


def main() -> int:
    """One line of JSON for each user; the exit status is 0, or 78 when the environment does not allow a start."""
    try:
        report = asyncio.run(run(os.environ, sys.argv[1:]))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return EX_CONFIG
    for line in report:
        sys.stdout.write(orjson.dumps(line).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
