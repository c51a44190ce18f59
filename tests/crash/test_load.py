"""The callers of a crash run are careful ones: same key until accepted, and no answer is taken for what it is not."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.crash.load import Load
from tests.product.tenants import Line, Tenant

TENANT = Tenant(
    number=7,
    user_id="usr_7",
    waba_id="1",
    access_token="EAA",
    lines=(Line("pn_1", "1", "cG4", "wak_1"),),
    webhook_id="wh_1",
    webhook_secret="whsec_1",
    receiver_path="/receiver/usr_7",
)


@dataclass
class ScriptedApi:
    """Answers each message's tries with these statuses, one after the other; 0 cuts the connection."""

    statuses: list[int] = field(default_factory=lambda: [200])
    tries: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    async def send(self, request: web.Request) -> web.Response:
        body, key = await request.json(), request.headers["Idempotency-Key"]
        self.keys.add(key)
        place = self.tries[body["to"]] = self.tries.get(body["to"], -1) + 1
        status = self.statuses[min(place, len(self.statuses) - 1)]
        if status == 0 and request.transport is not None:
            request.transport.abort()
        data = {"message_id": f"id-{key}", "wa_message_id": "wamid.1" if status == 200 else None}
        return web.json_response({"data": data}, status=status or 200, headers={"Retry-After": "0"})


LoadOn = Callable[[ScriptedApi, int], Awaitable[Load]]


@pytest.fixture
async def load_on() -> AsyncIterator[LoadOn]:
    """Makes a load of so many messages against an API."""
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as http:

        async def make(api: ScriptedApi, count: int) -> Load:
            app = web.Application()
            app.router.add_post("/api/external/send-message/{id}", api.send)
            servers.append(TestServer(app))
            await servers[-1].start_server()
            url = str(servers[-1].make_url("")).rstrip("/")
            return Load(http, url, TENANT, count, 1000, asyncio.Semaphore(8), random.Random(1))

        yield make
        for server in servers:
            await server.close()


async def test_a_message_is_posted_by_the_same_key_until_it_is_accepted(load_on: LoadOn) -> None:
    api = ScriptedApi([503, 0, 409, 200])
    load = await load_on(api, 1)
    await load.allow(1)

    (posted,) = await load.run()

    assert (posted.status, posted.wamid, posted.ids) == (200, "wamid.1", {"id-usr_7-0"})
    assert api.keys == {"usr_7-0"}
    assert sum(load.answers.values()) == 4


async def test_queued_counts_as_accepted_and_is_not_posted_again(load_on: LoadOn) -> None:
    api = ScriptedApi([202])
    load = await load_on(api, 1)
    await load.allow(1)

    (posted,) = await load.run()

    assert (posted.status, posted.wamid, posted.strange) == (202, None, None)
    assert load.answers == {"202": 1}


async def test_an_answer_that_nobody_should_get_ends_the_tries_and_is_kept(load_on: LoadOn) -> None:
    api = ScriptedApi([500])
    load = await load_on(api, 1)
    await load.allow(1)

    (posted,) = await load.run()

    assert posted.strange is not None
    assert posted.strange.startswith("500 ")


async def test_messages_wait_until_they_are_allowed(load_on: LoadOn) -> None:
    api = ScriptedApi()
    load = await load_on(api, 3)
    running = asyncio.create_task(load.run())

    await load.allow(2)
    await load.until_begun(2)
    begun = load.begun
    await load.allow(3)

    assert len(await running) == 3
    assert begun == 2
