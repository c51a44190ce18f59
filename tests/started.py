"""A service as it really starts: by its `main`, with RabbitMQ, MongoDB and its operations listener."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import aiohttp
from aiohttp.test_utils import unused_port

from deploy.local.environment import OPERATIONS_BINDS
from services.__main__ import SERVICES
from shared.mongo import Client, Database
from tests.eventually import eventually
from tests.servers import RealServers

MASTER_KEY = b"0" * 32  # under the id k1


@asynccontextmanager
async def service_environ(servers: RealServers, rabbit: str, database: Database) -> AsyncIterator[dict[str, str]]:
    """What every service is given; the databases that services made are gone afterwards."""
    yield {
        "AMQP_URL": rabbit,
        "MONGODB_URL": servers.mongodb_url,
        "DATABASE_PREFIX": database.name,
        "MASTER_KEYS": "k1:" + base64.b64encode(MASTER_KEY).decode(),
    }
    client: Client = database.client
    for service in SERVICES:
        await client.drop_database(f"{database.name}_{service}")


@asynccontextmanager
async def started(service: str, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """The service from the moment it is ready until the end of the block; the address of its operations listener.

    That of the gateway is its private listener.
    """
    bind = f"127.0.0.1:{unused_port()}"
    stop = asyncio.Event()
    run = import_module(f"services.{service}.main").run
    task = asyncio.create_task(run({**environ, OPERATIONS_BINDS[service]: bind}, stop))
    try:
        await eventually(lambda: task.done() or _is_ready(bind), timeout_seconds=60)
        yield f"http://{bind}"
    finally:
        stop.set()
        await task


async def get_json(url: str) -> Any:
    """The body of an answer."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.json()


async def _is_ready(bind: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://{bind}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False
