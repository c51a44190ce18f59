"""What a single message takes from the caller's request to the answer, and how many go through in a second."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.product.tenants import Tenant

GRAPH_VERSION = "v25.0"
WARM_UP_REQUESTS = 50

Request = Callable[[int], tuple[str, Mapping[str, str], Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, and what was answered."""

    p50: float
    p95: float
    p99: float
    answers: Mapping[str, int]

    @classmethod
    def of(cls, seconds: Sequence[float], answers: Mapping[str, int]) -> "Latency":
        """The percentiles of these times."""
        ordered = sorted(seconds)
        p50, p95, p99 = (
            1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95, 0.99)
        )
        return cls(p50, p95, p99, dict(answers))


@dataclass(frozen=True, slots=True)
class Caller:
    """Posts text messages: through the product, or straight to the sandbox, which is Meta's own share of the time."""

    http: aiohttp.ClientSession
    gateway: str
    sandbox: str
    tenant: Tenant

    def to_product(self, index: int) -> tuple[str, Mapping[str, str], Mapping[str, Any]]:
        """A send request of the external send API; keys take turns."""
        line = self.tenant.lines[index % len(self.tenant.lines)]
        body = {"to": _recipient(index), "type": "text", "text": "Hello from the bench!"}
        return f"{self.gateway}{line.path}", {"Authorization": f"Bearer {line.token}"}, body

    def to_sandbox(self, index: int) -> tuple[str, Mapping[str, str], Mapping[str, Any]]:
        """The same message as Meta gets it."""
        line = self.tenant.lines[index % len(self.tenant.lines)]
        body = {"messaging_product": "whatsapp", "to": _recipient(index), "type": "text", "text": {"body": "Hello!"}}
        url = f"{self.sandbox}/{GRAPH_VERSION}/{line.meta_phone_number_id}/messages"
        return url, {"Authorization": f"Bearer {self.tenant.access_token}"}, body

    async def at_pace(self, request: Request, per_second: float, seconds: float) -> Latency:
        """Begin requests at a steady pace, whether earlier ones are answered or not."""
        await asyncio.gather(*(self._post(request, index) for index in range(WARM_UP_REQUESTS)))
        began, posts = time.perf_counter(), []
        for index in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + index / per_second - time.perf_counter()))
            posts.append(asyncio.create_task(self._post(request, index)))
        results = await asyncio.gather(*posts)
        return Latency.of([taken for taken, _ in results], Counter(status for _, status in results))

    async def sustained(self, concurrency: int, seconds: float) -> tuple[float, Latency]:
        """As many as go through with so many under way: successes a second, and their latency."""
        results: list[tuple[float, str]] = []
        end = time.perf_counter() + seconds

        async def keep_posting(first: int) -> None:
            index = first
            while time.perf_counter() < end:
                results.append(await self._post(self.to_product, index))
                index += concurrency

        await asyncio.gather(*map(keep_posting, range(concurrency)))
        answers = Counter(status for _, status in results)
        return answers["200"] / seconds, Latency.of([taken for taken, _ in results], answers)

    async def _post(self, request: Request, index: int) -> tuple[float, str]:
        url, headers, body = request(index)
        began = time.perf_counter()
        async with self.http.post(url, json=body, headers=headers) as answer:
            await answer.read()
        return time.perf_counter() - began, str(answer.status)


def _recipient(index: int) -> str:
    return f"+49152{index:08d}"
