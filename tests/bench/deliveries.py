"""How many vendor webhooks a second are delivered to ten fast endpoints, and how long after its event one is there."""

import asyncio
import secrets
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.local.environment import python_module
from shared.bus.port import Bus
from shared.clock import utc_now
from shared.contracts.messaging import MessagesSent, SentMessage
from tests.bench.processes import Processes
from tests.bench.report import Line

USER = "usr_bench"
ENDPOINTS = 10
DELIVERIES = 10_000
TOGETHER = 50  # messages in an event, as campaigns announce them
PACE_PER_SECOND = 100.0
PACED = 500
TARGET_PER_SECOND, TARGET_LAG_MS = 1_000, 1_000
PATIENCE_SECONDS = 120.0

Subscribe = Callable[[str, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A process that takes deliveries."""

    pid: int
    port: int

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Receiver"]:
        """For as long as the block lasts."""
        process = subprocess.Popen(python_module("tests.bench.receiver"), stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield cls(process.pid, int(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(timeout=10)
            if process.stdout is not None:
                process.stdout.close()

    def url(self, number: int) -> str:
        """One of its endpoints."""
        return f"http://127.0.0.1:{self.port}/{number}"

    async def seen(self) -> dict[str, Any]:
        """What it has taken so far."""
        async with aiohttp.ClientSession(trust_env=False) as http, http.get(self.url(0)) as answer:
            seen: dict[str, Any] = await answer.json()
            return seen

    async def took(self, deliveries: int) -> dict[str, Any]:
        """What it has taken once it is so much. TimeoutError when it never is."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (seen := await self.seen())["events"] < deliveries:  # noqa: ASYNC110 - another process says when
                await asyncio.sleep(0.2)
        return seen


async def measure(bus: Bus, receiver: Receiver, subscribe: Subscribe, processes: Processes) -> Line:
    """A burst as fast as it can be announced, then single messages at a steady pace.

    `subscribe` makes a webhook of user USER for a URL and the one phone number that it hears of.
    """
    for number in range(ENDPOINTS):
        await subscribe(receiver.url(number), f"pn_bench{number}")
    await _publish(bus, ENDPOINTS)
    await receiver.took(ENDPOINTS)
    began = time.time()
    with processes.cost_of(DELIVERIES) as cost:
        await _publish(bus, DELIVERIES)
        seen = await receiver.took(DELIVERIES + ENDPOINTS)
    per_second = DELIVERIES / (seen["last_at"] - began)
    lags = await _paced(bus, receiver, seen["events"])
    return _line(per_second, cost.by_process, lags)


async def _publish(bus: Bus, messages: int) -> None:
    events = [
        MessagesSent(items=tuple(_message(number) for number in range(first, min(first + TOGETHER, messages))))
        for first in range(0, messages, TOGETHER)
    ]
    await asyncio.gather(*map(bus.publish, events))


async def _paced(bus: Bus, receiver: Receiver, before: int) -> list[float]:
    for number in range(PACED):
        await asyncio.gather(bus.publish(MessagesSent(items=(_message(number),))), asyncio.sleep(1 / PACE_PER_SECOND))
    seen = await receiver.took(before + PACED)
    return sorted(seen["lags_ms"][-PACED:])


def _message(number: int) -> SentMessage:
    message_id = secrets.token_hex(12)
    return SentMessage(
        id=f"message.sent:{message_id}",
        message_id=message_id,
        wa_message_id=f"wamid.{message_id}",
        conversation_id=message_id,
        user_id=USER,
        phone_number_id=f"pn_bench{number % ENDPOINTS}",
        to="+14155550123",
        type="template",
        source="campaign",
        sent_at=utc_now(),
    )


def _line(per_second: float, cost: dict[str, float], lags: Sequence[float]) -> Line:
    p50, p99 = lags[len(lags) // 2], lags[len(lags) * 99 // 100]
    parts = ", ".join(f"{name} {used:.0f}" for name, used in cost.items())
    return Line(
        "vendor webhooks",
        f"{per_second:7,.0f} deliveries/s to {ENDPOINTS} endpoints (target {TARGET_PER_SECOND:,}); "
        f"{sum(cost.values()):.0f} µs of processor time each: {parts}; "
        f"event to receiver p50 {p50:.0f} ms, p99 {p99:.0f} ms (target {TARGET_LAG_MS:,})",
        {"per_second": per_second, "cost": cost, "lag_p50_ms": p50, "lag_p99_ms": p99},
    )
