"""Customers who write while processes die: every message of theirs is answered, by exactly one answer.

Meta tells of everything that they do five times: once at once, then at any moment of the next 15 seconds, across kills
and in posts of other bytes. Of the statuses of our messages one in ten comes five times (`run.py`). All of them would
be some 50,000 more in a short run: that tries how much can be borne, not whether repetitions change anything.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import orjson

from shared.mongo import Database
from tests.crash.load import Load
from tests.crash.taps import REPLIES
from tests.product.api import Api
from tests.product.running import Product
from tests.product.tenants import Line, Tenant, add_tenant

TENANT_NUMBERS_FROM = 500  # a tenant of their own: their answers are no messages that the load has asked for
DEBOUNCE_MS = 300
REDELIVERED = {"times": 5, "within_seconds": 15.0}
PAUSE_SECONDS = 0.5


def new_shop(product: Product, number: int) -> Tenant:
    """A tenant whose number an agent answers on; the sandbox's model repeats what it was asked."""
    tenant = add_tenant(product.api, TENANT_NUMBERS_FROM + number)
    product.api.control("POST", "templates", {"waba_id": tenant.waba_id, **REPLIES})
    product.api.made(*tenant.sync())
    prompt = {"user_id": tenant.user_id, "prompt_id": "prompt_shop", "instructions": "You answer customers."}
    product.api.made("/admin/prompts", prompt)
    agent = {"user_id": tenant.user_id, "phone_number_id": tenant.lines[0].phone_number_id, "name": "Bo"}
    made = product.api.made("/api/v1/agents", agent | {"prompt_id": "prompt_shop"})
    product.api.call("PATCH", f"/api/v1/agents/{made['agent_id']}", {"debounce_ms": DEBOUNCE_MS})
    return tenant


@dataclass(frozen=True, slots=True)
class Customers:
    """Each writes two messages at once, and a third a little later, spread evenly over the load."""

    http: aiohttp.ClientSession
    api: Api
    line: Line
    load: Load
    count: int
    database: Database  # messaging's
    tapped: Mapping[str, Sequence[str]]  # what others tap on the same number, by phone
    written: dict[str, list[str]] = field(default_factory=dict)  # by phone

    async def run(self) -> None:
        """Write everything."""
        tasks = []
        for number in range(self.count):
            await self.load.until_begun(self.load.count * number // self.count)
            tasks.append(asyncio.create_task(self._write(number)))
        await asyncio.gather(*tasks)

    async def answers(self) -> dict[str, list[str]]:
        """What each customer has got, templates not counted."""
        return {customer: await self._shown(customer) for customer in (*self.written, *self.tapped)}

    async def in_doubt(self) -> dict[str, list[str]]:
        """Answers that a kill may have left undone: their intent is stored, and only Meta knows."""
        doubted = {"phone_number_id": self.line.phone_number_id, "source": "agent", "state": "UNKNOWN"}
        found: defaultdict[str, list[str]] = defaultdict(list)
        async for each in self.database["messages"].find(doubted, {"to": 1, "payload": 1}):
            found[each["to"]].append(orjson.loads(each["payload"])["text"]["body"])
        return found

    async def unanswered(self) -> list[str]:
        """Messages that have no answer yet, nor one in doubt."""
        return unanswered(self.written | dict(self.tapped), await self.answers(), await self.in_doubt())

    async def _write(self, number: int) -> None:
        customer = f"+49160{self.line.meta_phone_number_id[-6:-3]}{number:06d}"
        words = self.written[customer] = [f"<{number}-{each}>" for each in range(3)]
        await asyncio.gather(*(self._say(customer, text) for text in words[:2]))
        await asyncio.sleep(PAUSE_SECONDS)
        await self._say(customer, words[2])

    async def _say(self, customer: str, text: str) -> None:
        body = {"phone_number_id": self.line.meta_phone_number_id, "from": customer, "type": "text", "text": text}
        with suppress(aiohttp.ClientError):
            async with self.http.post(f"{self.api.sandbox}/_sandbox/inbound", json=body | REDELIVERED) as answer:
                answer.raise_for_status()

    async def _shown(self, customer: str) -> list[str]:
        async with self.http.get(f"{self.api.sandbox}/_sandbox/messages?to={customer.lstrip('+')}") as answer:
            shown = (await answer.json())["messages"]
        return [message["body"]["text"]["body"] for message in shown if message["type"] == "text"]


def unanswered(
    written: Mapping[str, Sequence[str]], answers: Mapping[str, Sequence[str]], in_doubt: Mapping[str, Sequence[str]]
) -> list[str]:
    """Messages that no answer repeats, not even one in doubt."""
    return [
        f"{text} of {customer}"
        for customer, texts in written.items()
        for text in texts
        if not any(text in answer for answer in (*answers.get(customer, ()), *in_doubt.get(customer, ())))
    ]


def answered_again(written: Mapping[str, Sequence[str]], answers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Messages that more answers repeat than they were written, and answers that repeat none."""
    for customer, got in answers.items():
        for text, times in Counter(written.get(customer, ())).items():
            if (count := sum(text in answer for answer in got)) > times:
                yield f"{text} of {customer} is in {count} answers"
        for answer in got:
            if not any(text in answer for text in written.get(customer, ())):
                yield f"{customer} got {answer[:80]!r}, which answers nothing"
