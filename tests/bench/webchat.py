"""The web chat through the real stack: how soon a visitor sees the first token, and what an open stream costs."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from tests.bench.latency import Latency
from tests.bench.processes import Processes
from tests.bench.report import Line, cost_text, rest_text
from tests.product.api import Api
from tests.product.tenants import Tenant

VISITORS = 50
PER_SECOND = 5.0
TARGET_FIRST_TOKEN_MS = 100
STREAMS = 2_000
OPENED_AT_ONCE = 20
TARGET_STREAM_KB = 100
RESTING_SECONDS = 5  # in 15 each stream looks once whether it has missed anything
PATIENCE_SECONDS = 30.0
# A model that takes its time, as models do: the first token comes long before the whole answer is stored.
THINKING = {"latency_ms": 200, "chunk_ms": 40}
_AT_ONCE = {"latency_ms": 0, "chunk_ms": 0}


def make_channel(api: Api, tenant: Tenant) -> dict[str, Any]:
    """A channel whose agent answers without waiting for a second message."""
    api.made("/admin/prompts", {"user_id": tenant.user_id, "prompt_id": "prompt_webchat", "instructions": "Echo."})
    body = {"user_id": tenant.user_id, "prompt_id": "prompt_webchat", "name": "Bench"}
    channel = api.made("/api/v1/webchat/channels", body)
    api.call("PATCH", f"/api/v1/agents/{channel['agent_id']}", {"debounce_ms": 0})
    return channel


async def first_token(api: Api, channel: Mapping[str, Any]) -> Line:
    """One question of each of many visitors, at a steady pace: from the model's first token to that on the stream.

    Both moments are of this machine's clock; the model's is taken before it is written, to the millisecond.
    """
    await asyncio.to_thread(api.control, "PUT", "openai", THINKING)
    try:
        async with _http() as http:
            visits = []
            for number in range(VISITORS):
                visits.append(asyncio.create_task(_ask(Door(http, api, channel["webchat_id"]), _question(number))))
                await asyncio.sleep(1 / PER_SECOND)
            seen = [each for each in await asyncio.gather(*visits) if each is not None]
    finally:
        await asyncio.to_thread(api.control, "PUT", "openai", _AT_ONCE)
    spoken = await asyncio.to_thread(_spoken, api)
    taken = Latency.of([at - spoken[question] for question, at in seen if question in spoken] or [float("nan")], {})
    return Line(
        "web chat, first token",
        f"p50 {taken.p50:.0f} ms, p95 {taken.p95:.0f} ms (target {TARGET_FIRST_TOKEN_MS}) after the model's, "
        f"on the visitor's stream; {len(seen)} of {VISITORS} answered",
        {"p50_ms": taken.p50, "p95_ms": taken.p95, "answered": len(seen), "asked": VISITORS},
    )


async def open_streams(api: Api, channel: Mapping[str, Any], processes: Processes) -> Line:
    """What the gateway's process grows by while many visitors listen."""
    door_keepers = asyncio.Semaphore(OPENED_AT_ONCE)
    async with _http() as http, AsyncExitStack() as open_ones:
        door = Door(http, api, channel["webchat_id"])

        async def come() -> bool:
            async with door_keepers:
                token = await door.open()
                return await _until(await open_ones.enter_async_context(door.listening(token)), "ready")

        before, began = processes.resident_mib()["gateway"], time.perf_counter()
        with processes.cost_of(STREAMS) as cost:
            ready = sum(await asyncio.gather(*(come() for _ in range(STREAMS))))
        seconds = time.perf_counter() - began
        grown = processes.resident_mib()["gateway"] - before
        with processes.cost_of(RESTING_SECONDS) as resting:
            await asyncio.sleep(RESTING_SECONDS)
    each_kb = grown * 1024 * 1.024 / STREAMS
    return Line(
        "web chat, open streams",
        f"{each_kb:.0f} kB each (target {TARGET_STREAM_KB}): one gateway process grew by {grown:.0f} MiB "
        f"from {before:.0f} with {ready:,} of {STREAMS:,} streams of as many visitors\n"
        f"opened in {seconds:.0f} s; {cost_text(cost, of='a stream').strip()}\n"
        f"while nobody writes {rest_text(resting)}",
        {
            "kb_each": each_kb,
            "asked": STREAMS,
            "streams": ready,
            "before_mib": before,
            "grown_mib": grown,
            "opened_in_seconds": seconds,
            "cost_us": cost.by_process,
            "resting_us": resting.by_process,
        },
    )


@dataclass(frozen=True, slots=True)
class Door:
    """The public listener as a page of some shop uses it."""

    http: aiohttp.ClientSession
    api: Api
    webchat_id: str

    async def open(self) -> str:
        """A new session's token."""
        async with self.http.post(self._url("sessions"), json={}, headers=_headers(None)) as answer:
            answer.raise_for_status()
            return str((await answer.json())["data"]["token"])

    async def write(self, token: str, text: str) -> None:
        """What a visitor writes."""
        body = {"client_message_id": "c_1", "text": text}
        async with self.http.post(self._url("messages"), json=body, headers=_headers(token)) as answer:
            answer.raise_for_status()

    @asynccontextmanager
    async def listening(self, token: str) -> AsyncIterator[aiohttp.StreamReader]:
        """The stream of server-sent events."""
        async with self.http.get(self._url("events"), headers=_headers(token)) as answer:
            answer.raise_for_status()
            yield answer.content

    def _url(self, what: str) -> str:
        return f"{self.api.public}/webchat/{self.webchat_id}/{what}"


async def _ask(door: Door, question: str) -> tuple[str, float] | None:
    """The question, and when the first piece of its answer came; None without one."""
    token = await door.open()
    async with door.listening(token) as events:
        await _until(events, "ready")
        await door.write(token, question)
        return (question, time.time()) if await _until(events, "delta") else None


async def _until(events: aiohttp.StreamReader, name: str) -> bool:
    """Read on to an event of this name; False if none came in time."""
    wanted = f"event: {name}\n".encode()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := await events.readline():
                if line == wanted:
                    return True
    except TimeoutError:
        pass
    return False


def _spoken(api: Api) -> dict[str, float]:
    """When the model told its first token, in Unix seconds, by what it was asked."""
    told = {}
    for each in api.control("GET", "openai/requests")["requests"]:
        asked = str(each["request"].get("input"))
        for question in map(_question, range(VISITORS)):
            if question in asked and each["first_token_at"] is not None:
                told[question] = datetime.fromisoformat(each["first_token_at"]).timestamp()
    return told


def _question(number: int) -> str:
    return f"Where is my order {number:04d} of the bench? sim_long_200"


def _headers(token: str | None) -> dict[str, str]:
    return {"Origin": "https://shop.example"} | ({"Authorization": f"Bearer {token}"} if token else {})


def _http() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout, trust_env=False)
