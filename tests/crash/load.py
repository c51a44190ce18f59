"""The callers: every message is posted until it is accepted, by the same key, as a careful vendor would."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
import orjson

from tests.product.tenants import Tenant

Kind = Literal["text", "utility", "marketing", "otp", "campaign"]

KINDS: dict[Kind, int] = {"text": 40, "utility": 20, "marketing": 15, "otp": 25}
MARKETING_TEMPLATE = "spring_offer"
PATIENCE_SECONDS = 35.0  # for one answer; a send is answered within 20
GIVE_UP_SECONDS = 240.0  # for one message, all its tries together
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0
COME_AGAIN = {409, 429, 503, 504}


@dataclass(slots=True)
class Posted:
    """One message as its caller sees it."""

    kind: Kind
    to: str
    key: str
    status: int = 0  # of the answer that ended the tries; 0 while there is none
    wamid: str | None = None
    ids: set[str] = field(default_factory=set)  # the message ids that answers named: one, unless something is wrong
    strange: str | None = None  # an answer that nobody should ever get

    @property
    def message_id(self) -> str | None:
        """Our id of the message, once an answer has told it."""
        return next(iter(self.ids), None)


@dataclass(slots=True)
class Load:
    """Begins messages at a pace, as far as it is allowed to, and posts each until it is accepted."""

    http: aiohttp.ClientSession
    gateway: str
    tenant: Tenant
    count: int
    per_second: float
    slots: asyncio.Semaphore
    rng: random.Random
    begun: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    _allowed: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def allow(self, count: int) -> None:
        """Let so many messages be begun, all told."""
        async with self._changed:
            self._allowed = max(self._allowed, count)
            self._changed.notify_all()

    async def until_begun(self, count: int) -> None:
        """Return when so many messages have been begun."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.begun >= count)

    async def run(self) -> list[Posted]:
        """Post everything; returns when every message is accepted or given up."""
        tasks: list[asyncio.Task[Posted]] = []
        for index in range(self.count):
            await self._turn(index)
            await self.slots.acquire()
            self.slots.release()  # only to begin no more than can be under way
            tasks.append(asyncio.create_task(self._post(index, self._drawn_kind())))
        return await asyncio.gather(*tasks)

    async def _turn(self, index: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: index < self._allowed)
            self.begun = index + 1
            self._changed.notify_all()
        await asyncio.sleep(self.rng.uniform(0, 2 / self.per_second))

    def _drawn_kind(self) -> Kind:
        return self.rng.choices(list(KINDS), weights=list(KINDS.values()))[0]

    async def _post(self, index: int, kind: Kind) -> Posted:
        posted = Posted(kind, recipient(self.tenant, index), f"{self.tenant.user_id}-{index}")
        line = self.tenant.lines[index % len(self.tenant.lines)]
        headers = {"Authorization": f"Bearer {line.token}", "Idempotency-Key": posted.key}
        url, body = f"{self.gateway}{line.path}", body_of(kind, posted.to, index)
        pause, deadline = FIRST_PAUSE_SECONDS, time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            wait = await self._try_once(posted, url, headers, body)
            if wait is None:
                break
            await asyncio.sleep(max(wait, pause))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return posted

    async def _try_once(
        self, posted: Posted, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> float | None:
        """One try; returns how long to wait before the next one, or None when there is none."""
        async with self.slots:
            try:
                async with self.http.post(url, json=body, headers=headers) as answer:
                    raw = await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.answers[type(error).__name__] += 1
                return 0.0
        self.answers[str(answer.status)] += 1
        if answer.status in COME_AGAIN:
            return float(answer.headers.get("Retry-After", "0"))
        posted.status = answer.status
        if answer.status in {200, 202}:
            data = orjson.loads(raw)["data"]
            posted.ids.add(data["message_id"])
            posted.wamid = data["wa_message_id"]
        else:
            posted.strange = f"{answer.status} {raw[:300].decode(errors='replace')}"
        return None


def recipient(tenant: Tenant, index: int) -> str:
    """The phone of a message; nobody gets two, so that a message sent under two ids is noticed too."""
    return f"+{recipients_of(tenant)}{index:08d}"


def recipients_of(tenant: Tenant) -> str:
    """What the phones of all of a tenant's messages begin with."""
    return f"491{50 + tenant.number % 50}"


def body_of(kind: Kind, to: str, index: int) -> dict[str, Any]:
    """A send request, as the external send API writes it."""
    templates: dict[Kind, dict[str, Any]] = {
        "utility": _template("order_confirmation", "Ana", f"A-{index}", "Friday"),
        "marketing": _template(MARKETING_TEMPLATE, "Ana"),
        "otp": _template("otp_message", f"{index:06d}"[-6:]) | {"copy_code": f"{index:06d}"[-6:]},
    }
    if kind in templates:
        return {"to": to, "type": "template", "template": templates[kind]}
    return {"to": to, "type": "text", "text": f"Message {index}"}


def _template(name: str, *variables: str) -> dict[str, Any]:
    return {"name": name, "body": {"variables": list(variables)}}
