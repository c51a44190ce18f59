"""Somebody at the dashboard while processes die: templates are drafted and submitted, credits granted and spent."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.crash.load import FIRST_PAUSE_SECONDS, GIVE_UP_SECONDS, LONGEST_PAUSE_SECONDS, Load
from tests.product.api import Api
from tests.product.running import Product
from tests.product.tenants import Tenant, add_tenant

TENANT_NUMBERS_FROM = 700  # a tenant of their own, whose messages no other part of the run has asked for
TEMPLATE_PAUSE_SECONDS, SEND_PAUSE_SECONDS = 2.0, 0.4
SYNC_EVERY = 3  # templates
DELETED_EVERY = 4  # templates
REFUSED_EVERY = 8  # messages
GRANTED = 10_000
RECIPIENTS = "4917099"  # what the phones of those begin with that Meta takes messages for
REFUSED = "+999013102601"  # to whom Meta refuses to send, with 131026
SENT_TEMPLATE = "order_confirmation"
SUBMITTED = "crash_"  # what the names of all submitted templates begin with
COME_AGAIN = {429, 503, 504}
COME_AGAIN_CODES = {"idempotency_in_progress", "being_submitted"}  # of a 409


def new_office(product: Product, number: int) -> Tenant:
    """The tenant that the dashboard is used for."""
    return add_tenant(product.api, TENANT_NUMBERS_FROM + number)


@dataclass(slots=True)
class Asked:
    """One call as its caller sees it: repeated by the same key until it is answered."""

    path: str
    key: str
    status: int = 0  # 0: never answered
    data: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    method: str = "POST"

    @property
    def is_done(self) -> bool:
        """Whether it did what was asked, by this answer or, as its refusal says, by one that was lost."""
        is_submitted = self.path.endswith("/submit") and self.code == "template_status"
        is_gone = self.method == "DELETE" and self.status == 404
        return 200 <= self.status < 300 or is_submitted or is_gone


@dataclass(frozen=True, slots=True)
class Done:
    """What was asked for in a run."""

    templates: dict[str, str] = field(default_factory=dict)  # our ids by name, of those that were submitted
    deleted: set[str] = field(default_factory=set)  # names of templates that were deleted after that
    others: list[Asked] = field(default_factory=list)  # grant, drafts, submissions, deletions, syncs
    sends: list[Asked] = field(default_factory=list)  # to people whom Meta takes messages for
    refused: list[Asked] = field(default_factory=list)  # to one whom it does not


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Works at a pace of its own as long as the load runs: whoever waits to be struck there passes soon."""

    http: aiohttp.ClientSession
    api: Api
    tenant: Tenant
    load: Load
    is_used: bool = True
    done: Done = field(default_factory=Done)

    async def run(self) -> None:
        """Do everything; returns when all is answered."""
        if not self.is_used:
            return
        found = await self.get(f"/api/v1/templates?phone_number_id={self.number_id}")
        template_id = next(each["template_id"] for each in found if each["name"] == SENT_TEMPLATE)
        await self._grant()
        await asyncio.gather(self._submit_templates(), self._send_messages(template_id))

    @property
    def number_id(self) -> str:
        """The number that everything is done for."""
        return self.tenant.lines[0].phone_number_id

    async def get(self, path: str) -> Any:
        """What is there. Raises aiohttp.ClientError."""
        async with self.http.get(f"{self.api.gateway}{path}") as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())["data"]

    async def _grant(self) -> None:
        path = f"/admin/users/{self.tenant.user_id}/credits"
        self.done.others.append(await self._ask(path, {"credits": GRANTED}, "grant"))

    async def _submit_templates(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for index in self._while_load_runs(TEMPLATE_PAUSE_SECONDS):
                tasks.create_task(self._submit(index))
                if index % SYNC_EVERY == 0:
                    tasks.create_task(self._sync(f"sync-{index}"))
        await self._sync("last-sync")

    async def _submit(self, index: int) -> None:
        name = f"{SUBMITTED}{index}"
        drafted = await self._ask("/api/v1/templates", self._draft(name), f"draft-{index}")
        self.done.others.append(drafted)
        if drafted.is_done:
            self.done.templates[name] = drafted.data["template_id"]
            path = f"/api/v1/templates/{self.done.templates[name]}"
            self.done.others.append(await self._ask(f"{path}/submit", None, f"submit-{index}"))
            if index % DELETED_EVERY == 0:
                self.done.deleted.add(name)
                self.done.others.append(await self._ask(path, None, f"delete-{index}", method="DELETE"))

    async def _sync(self, key: str) -> None:
        path, body = self.tenant.sync()
        self.done.others.append(await self._ask(path, body, key))

    async def _send_messages(self, template_id: str) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for index in self._while_load_runs(SEND_PAUSE_SECONDS):
                tasks.create_task(self._send(template_id, index))

    async def _send(self, template_id: str, index: int) -> None:
        is_refused = index % REFUSED_EVERY == 0
        body = {
            "phone_number_id": self.number_id,
            "template_id": template_id,
            "contact": {"phone": REFUSED if is_refused else f"+{RECIPIENTS}{index:06d}"},
            "variables": {"1": "Ana", "2": f"A-{index}", "3": "Friday"},
        }
        sent = await self._ask("/api/v1/send", body, f"send-{index}")
        (self.done.refused if is_refused else self.done.sends).append(sent)

    async def _while_load_runs(self, pause_seconds: float) -> AsyncIterator[int]:
        index = 0
        while self.load.begun < self.load.count:
            yield index
            index += 1
            await asyncio.sleep(pause_seconds)

    def _draft(self, name: str) -> dict[str, Any]:
        body = {"type": "BODY", "text": "Hi {{1}}, it is ready!", "example": {"body_text": [["Ana"]]}}
        owner = {"user_id": self.tenant.user_id, "phone_number_id": self.number_id}
        return owner | {"name": name, "category": "UTILITY", "language": "en_US", "components": [body]}

    async def _ask(self, path: str, body: Mapping[str, Any] | None, key: str, method: str = "POST") -> Asked:
        """Ask by this key until there is an answer that another try would not change."""
        asked = Asked(path, f"{self.tenant.user_id}-{key}", method=method)
        pause, deadline = FIRST_PAUSE_SECONDS, time.monotonic() + GIVE_UP_SECONDS
        while not await self._is_answered(asked, body) and time.monotonic() < deadline:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return asked

    async def _is_answered(self, asked: Asked, body: Mapping[str, Any] | None) -> bool:
        headers = {"Idempotency-Key": asked.key, "Content-Type": "application/json"}
        if asked.path.startswith("/admin"):
            headers["Authorization"] = f"Bearer {self.api.admin_token}"
        data = None if body is None else orjson.dumps(body)
        try:
            url = f"{self.api.gateway}{asked.path}"
            async with self.http.request(asked.method, url, data=data, headers=headers) as answer:
                status, told = answer.status, orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        if status in COME_AGAIN or (status == 409 and told.get("code") in COME_AGAIN_CODES):
            return False
        asked.status, asked.data, asked.code = status, told.get("data") or {}, told.get("code")
        return True
