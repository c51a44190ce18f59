"""What the dashboard's reads take once much is stored: a thousand tenants and templates, a million messages."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp

from shared.mongo import Client
from tests.bench import originals
from tests.bench.latency import Latency
from tests.bench.originals import Original
from tests.bench.processes import Cost, Processes
from tests.bench.report import Line
from tests.bench.stored import TEMPLATES, TENANTS, Copies, some_phone
from tests.product.api import Api

PER_SECOND = 50.0
TARGET_P99_MS = 20
_WARM_UP_SECONDS = 5.0
_UNPAGED = "templates"  # the dashboard API has no pages here: one answer holds all of them


async def measure(api: Api, client: Client, processes: Processes, messages: int, seconds: float) -> Line:
    """Store so much, let the database write it down, then read a mix of everything at a steady pace."""
    original = await asyncio.to_thread(originals.make, api)
    began = time.perf_counter()
    await Copies.store(client, original, messages)
    await client.admin.command("fsync")  # a checkpoint now, not in the middle of the reads
    stored_in = time.perf_counter() - began
    was_quiet = await processes.quiet()
    async with aiohttp.ClientSession(trust_env=False) as http:
        reader = Reader(http, api, _paths(original, some_phone(messages)))
        await reader.at_pace(_WARM_UP_SECONDS)
        reader.taken.clear()
        with processes.cost_of(int(PER_SECOND * seconds)) as cost:
            await reader.at_pace(seconds)
    return _line(reader, messages, stored_in, cost, was_quiet=was_quiet)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads in turn, and how long each has taken."""

    http: aiohttp.ClientSession
    api: Api
    paths: Mapping[str, str]  # by what is read
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds
    answers: Counter[str] = field(default_factory=Counter)

    async def at_pace(self, seconds: float) -> None:
        """Begin reads at a steady pace, whether earlier ones are answered or not."""
        names, began, reads = list(self.paths), time.perf_counter(), []
        for index in range(int(PER_SECOND * seconds)):
            await asyncio.sleep(max(0.0, began + index / PER_SECOND - time.perf_counter()))
            reads.append(asyncio.create_task(self._read(names[index % len(names)])))
        await asyncio.gather(*reads)

    async def _read(self, name: str) -> None:
        path = self.paths[name]
        headers = {"Authorization": f"Bearer {self.api.admin_token}"} if path.startswith("/admin") else {}
        began = time.perf_counter()
        async with self.http.get(f"{self.api.gateway}{path}", headers=headers) as answer:
            await answer.read()
        self.taken[name].append(time.perf_counter() - began)
        self.answers[str(answer.status)] += 1


def _paths(original: Original, phone: str) -> dict[str, str]:
    user, number, api = original.tenant.user_id, original.phone_number_id, "/api/v1"
    conversation = f"{api}/conversations/{original.conversation_id}"
    return {
        "user": f"{api}/users/{user}",
        "phone numbers": f"{api}/phone-numbers?user_id={user}",
        "phone number": f"{api}/phone-numbers/{number}",
        "agents": f"{api}/agents?user_id={user}",
        _UNPAGED: f"{api}/templates?phone_number_id={number}",
        "template": f"{api}/templates/{original.template_id}",
        "button clicks": f"{api}/button-clicks?user_id={user}&template_id={original.template_id}&limit=50",
        "template's clicks": f"{api}/templates/{original.template_id}/button-clicks",
        "lead activity": f"{api}/leads/{quote(phone)}/button-activity?user_id={user}",
        "conversations": f"{api}/conversations?user_id={user}",
        "conversation": conversation,
        "messages": f"{conversation}/messages",
        "contacts": f"{api}/contacts?user_id={user}",
        "contact search": f"{api}/contacts?user_id={user}&search={quote(phone[-6:])}",
        "contact": f"{api}/contacts/{original.contact_id}",
        "campaigns": f"{api}/campaign?user_id={user}",
        "campaign": f"{api}/campaign/{original.campaign_id}",
        "timeline": f"{api}/messages/{original.message_id}/timeline",
        "deliveries": f"/admin/webhooks/{original.tenant.webhook_id}/deliveries",
    }


def _line(reader: Reader, messages: int, stored_in: float, cost: Cost, *, was_quiet: bool) -> Line:
    every = _of_all(reader, reader.paths)
    others = _of_all(reader, [name for name in reader.paths if name != _UNPAGED])
    each = {name: Latency.of(taken, {}) for name, taken in reader.taken.items()}
    slowest = sorted(each, key=lambda name: -each[name].p50)[:3]
    slow = ", ".join(f"{name} {each[name].p50:.0f}" for name in slowest)
    odd = {status: number for status, number in reader.answers.items() if status != "200"}
    told = f"; answers other than 200: {odd}" if odd else ""
    told += "" if was_quiet else "; the product was not quiet before"
    return Line(
        "dashboard reads",
        f"p50 {every.p50:.1f} ms, p99 {every.p99:.1f} ms (target {TARGET_P99_MS}), {others.p99:.1f} ms without "
        f"the list of all templates, at {PER_SECOND:.0f}/s with {messages:,} messages, {TENANTS:,} tenants, "
        f"{TEMPLATES:,} templates (stored in {stored_in:.0f} s); slowest in the middle: {slow} ms; "
        f"{cost.total:,.0f} µs of processor time a read{told}",
        {
            "p50_ms": every.p50,
            "p99_ms": every.p99,
            "p99_ms_without_template_list": others.p99,
            "by_read": {name: {"p50_ms": times.p50, "p99_ms": times.p99} for name, times in each.items()},
            "answers": dict(reader.answers),
            "cpu_us_by_process": cost.by_process,
            "was_quiet": was_quiet,
            "messages": messages,
            "stored_in_seconds": stored_in,
        },
    )


def _of_all(reader: Reader, names: Iterable[str]) -> Latency:
    return Latency.of([seconds for name in names for seconds in reader.taken[name]], {})
