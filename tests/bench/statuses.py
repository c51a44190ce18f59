"""How many status webhooks of Meta's a second are taken, how soon each is answered, and how fast they are applied.

Meta posts most statuses alone, each for a message that exists. The posts are built and signed beforehand, and written
by hand: a client that costs as much as the product would be what is measured on a machine of two cores.
"""

import asyncio
import hashlib
import hmac
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson

from services.messaging.domain.states import RANKS
from shared.settings import parse_bind
from tests.bench.dispatch import Dispatch
from tests.bench.latency import Latency
from tests.bench.processes import Cost
from tests.bench.report import Line

MESSAGES = 6_000  # of each run, three statuses each
NEEDED = 2 * MESSAGES
PACE_PER_SECOND = 3_000
CONNECTIONS = 64
TARGET_P99_MS = 250
TICK_SECONDS = 0.005
_UNHEARD = {"state": "SENT", "rank": 0}
_STATUSES = ("sent", "delivered", "read")
_PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"}

Post = bytes  # the whole HTTP request


class Connection(asyncio.Protocol):
    """One kept connection, with one post at a time on it."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[str] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It may be used."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        """An answer ends with its headers: whether a body follows does not matter, as only 200 is expected."""
        self._received += data
        if b"\r\n\r\n" in self._received and self._answer is not None:
            status, self._received = self._received[9:12].decode(), b""
            self._answer.set_result(status)
            self._answer = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits hears it."""
        if self._answer is not None:
            self._answer.set_result("lost")

    def post(self, request: Post) -> Awaitable[str]:
        """The status of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """No more of it."""
        assert self._transport is not None
        self._transport.close()


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts over a fixed number of connections; what finds none free waits, and the waiting counts."""

    connections: Sequence[Connection]

    @classmethod
    @asynccontextmanager
    async def opened(cls, host: str, port: int) -> AsyncIterator["Poster"]:
        """Connected inside the block."""
        loop = asyncio.get_running_loop()
        opened = [await loop.create_connection(Connection, host, port) for _ in range(CONNECTIONS)]
        connections = [connection for _, connection in opened]
        yield cls(connections)
        for connection in connections:
            connection.close()

    async def flood(self, posts: Sequence[Post]) -> Latency:
        """As fast as they are answered."""
        begun = ((post, time.perf_counter()) for post in posts)
        return await self._posted(lambda: next(begun, None))

    async def at_pace(self, posts: Sequence[Post], per_second: float) -> Latency:
        """Each at its time, measured from that time on."""
        began, due = time.perf_counter(), enumerate(posts)
        waiting: deque[tuple[Post, float]] = deque()
        end = began + len(posts) / per_second

        def next_due() -> tuple[Post, float] | None:
            now = time.perf_counter()
            for index, post in due:
                waiting.append((post, began + index / per_second))
                if waiting[-1][1] > now:
                    break
            return waiting.popleft() if waiting and waiting[0][1] <= now else None

        return await self._posted(next_due, lambda: bool(waiting) or time.perf_counter() < end)

    async def _posted(
        self, next_post: Callable[[], tuple[Post, float] | None], more_follow: Callable[[], bool] = lambda: False
    ) -> Latency:
        seconds: list[float] = []
        answers: Counter[str] = Counter()

        async def keep_posting(connection: Connection) -> None:
            while (found := next_post()) is not None or more_follow():
                if found is None:
                    await asyncio.sleep(TICK_SECONDS)
                    continue
                post, since = found
                answers[await connection.post(post)] += 1
                seconds.append(time.perf_counter() - since)

        await asyncio.gather(*map(keep_posting, self.connections))
        return Latency.of(seconds, answers)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of posts has shown."""

    accepted_per_second: float
    applied_per_second: float
    applied: int  # messages whose last status has raised their rank
    messages: int
    latency: Latency
    cost: Cost


async def has_enough(dispatch: Dispatch) -> bool:
    """Whether enough messages were sent of which Meta has told nothing yet."""
    return await dispatch.database["messages"].count_documents(_UNHEARD, limit=NEEDED) == NEEDED


async def measure(dispatch: Dispatch, env: Mapping[str, str]) -> tuple[Line, Line]:
    """Statuses of messages that were sent before: as many as are taken, then at a pace."""
    host, port = parse_bind(env["WEBHOOKS_BIND"])
    secret = env["META_APP_SECRET"].split(",")[0].strip()
    async with Poster.opened(host, port) as poster:
        most = await _run(dispatch, secret, poster.flood)
        await dispatch.processes.quiet()
        paced = await _run(dispatch, secret, lambda posts: poster.at_pace(posts, PACE_PER_SECOND))
    return _line("status webhooks, most", most), _line(f"status webhooks, {PACE_PER_SECOND:,}/s", paced)


async def _run(dispatch: Dispatch, secret: str, post_all: Callable[[Sequence[Post]], Awaitable[Latency]]) -> Run:
    stored = dispatch.database["messages"]
    unheard = stored.find(_UNHEARD, {"wamid": 1, "to": 1, "attempt": 1}).limit(MESSAGES)
    messages = await unheard.to_list()
    posts = list(_posts(messages, secret))
    dispatch.read.expect(len(messages))
    with dispatch.processes.cost_of(len(posts)) as cost:
        began = time.perf_counter()
        latency = await post_all(posts)
        accepted_seconds = time.perf_counter() - began
        applied_seconds = await dispatch.read.reached() - began
    read = {"_id": {"$in": [message["_id"] for message in messages]}, "rank": RANKS["read"]}
    return Run(
        accepted_per_second=latency.answers.get("200", 0) / accepted_seconds,
        applied_per_second=len(posts) / applied_seconds,
        applied=await stored.count_documents(read),
        messages=len(messages),
        latency=latency,
        cost=cost,
    )


def _posts(messages: Sequence[Mapping[str, Any]], secret: str) -> Iterator[Post]:
    """A thousand messages after the other are sent, delivered, read."""
    for first in range(0, len(messages), 1_000):
        for status in _STATUSES:
            for message in messages[first : first + 1_000]:
                yield _signed(_status(message, status), secret)


def _status(message: Mapping[str, Any], status: str) -> bytes:
    told: dict[str, Any] = {
        "id": message["wamid"],
        "status": status,
        "timestamp": str(int(time.time())),
        "recipient_id": message["to"].removeprefix("+"),
        "biz_opaque_callback_data": f"w1:{message['_id']}:{message['attempt']}",
    }
    if status != "read":
        told["pricing"] = _PRICING
    metadata = {"display_phone_number": "15550000001", "phone_number_id": "10000010000"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [told]}
    entry = {"id": "102290129340399", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def _signed(body: bytes, secret: str) -> Post:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/meta HTTP/1.1\r\nHost: localhost\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return head.encode() + body


def _line(name: str, run: Run) -> Line:
    times, by_process = run.latency, ", ".join(f"{name} {used:.0f}" for name, used in run.cost.by_process.items())
    odd = {status: number for status, number in times.answers.items() if status != "200"}
    return Line(
        name,
        f"{run.accepted_per_second:,.0f}/s taken, p50 {times.p50:.0f} ms, p99 {times.p99:.0f} ms "
        f"(target {TARGET_P99_MS}){f', other answers: {odd}' if odd else ''}; {run.applied_per_second:,.0f}/s applied, "
        f"{run.applied:,} of {run.messages:,} messages read; {run.cost.total:.0f} µs of processor time a status: "
        f"{by_process}",
        {
            "accepted_per_second": run.accepted_per_second,
            "applied_per_second": run.applied_per_second,
            "p50_ms": times.p50,
            "p99_ms": times.p99,
            "answers": dict(times.answers),
            "messages": run.messages,
            "applied": run.applied,
            "cost_us": run.cost.by_process,
        },
    )
