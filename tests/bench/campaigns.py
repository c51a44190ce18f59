"""Campaigns from the file to the last recipient: taken in, dispatched by the engine, flat, and fair to others.

Rates are of this machine, where everything runs at once; processor time a recipient says more.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.clock import iso_millis, utc_now
from shared.mongo import Database
from tests.bench.latency import Caller
from tests.bench.processes import Cost, Processes
from tests.bench.report import Line
from tests.product.api import Api
from tests.product.tenants import Tenant
from tests.product.waiting import comes_true

TEMPLATE = "spring_offer"
PATIENCE_SECONDS = 600.0
POLL_SECONDS = 0.2
PACE_PER_SECOND = 20.0
_WARM_UPS = 2
_LONGEST_RUN_SECONDS = 150.0
_TENANTS_AT_ONCE = 8
TEMPLATE_BODY = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    small: int = 1_000
    large: int = 10_000
    largest: int = 100_000  # where that takes two minutes and a half at most
    file: int = 100_000
    tenants: int = 1_000  # of ten recipients each
    fair_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Sent:
    """Campaigns that are over."""

    recipients: int
    seconds: float
    cost: Cost
    memory_mib: Mapping[str, float]  # of each process, after them
    was_quiet: bool  # before them

    @property
    def per_second(self) -> float:
        """Recipients a second, from the moment on at which all may begin."""
        return self.recipients / self.seconds


@dataclass(frozen=True, slots=True)
class CampaignBench:
    """Campaigns are made as a person would make them, by the API."""

    api: Api
    tenant: Tenant
    processes: Processes
    database: Database  # campaigns' own
    sizes: Sizes = Sizes()

    async def measure(self, caller: Caller) -> Sequence[Line]:
        """One line after the other, each with campaigns of its own."""
        self.api.made(f"/admin/users/{self.tenant.user_id}/credits", {"credits": 10_000_000})
        for _ in range(_WARM_UPS):  # connections, caches and files, made once
            await self._sent(self._drafts(self.tenant, self.sizes.small), self.sizes.small)
        return (
            await self._intake(),
            *await self._flatness(),
            await self._tenants(),
            await self._fairness(caller),
        )

    async def _intake(self) -> Line:
        campaign = self._draft(self.tenant, 0)
        await self.processes.quiet()
        with self.processes.cost_of(self.sizes.file) as cost:
            began = time.perf_counter()
            await asyncio.to_thread(self._upload, campaign, 0, self.sizes.file)
            seconds = time.perf_counter() - began
        rate = self.sizes.file / seconds
        text = f"{seconds:.1f} s for {self.sizes.file:,} rows of CSV, {rate:,.0f}/s; {_told(cost)}"
        return Line("campaign intake", text, {"rows": self.sizes.file, "seconds": seconds, "cost": cost.by_process})

    async def _flatness(self) -> Sequence[Line]:
        """Dispatch by the engine, over all numbers of the tenant: a few recipients, and each time ten times as many."""
        runs = [
            await self._sent(self._drafts(self.tenant, size), size) for size in (self.sizes.small, self.sizes.large)
        ]
        rate = runs[-1].per_second
        if self.sizes.largest / rate <= _LONGEST_RUN_SECONDS:
            runs.append(await self._sent(self._drafts(self.tenant, self.sizes.largest), self.sizes.largest))
        first, last = runs[0], runs[-1]
        ours = last.memory_mib.keys() & first.memory_mib.keys() - _SERVERS
        grown = max(last.memory_mib[name] / first.memory_mib[name] for name in ours)
        ratio = max(run.cost.total for run in runs[1:]) / first.cost.total
        costs = ", ".join(f"{run.cost.total:,.0f} µs with {run.recipients:,}" for run in runs)
        flatness = f"a recipient costs {costs}: x {ratio:.2f} (target 1.30); "
        flatness += f"largest growth of a process's memory x {grown:.2f} (target 1.20)"
        dispatch = f"{rate:,.0f} recipients/s; {_told(runs[1].cost)}"
        return (
            Line("campaign dispatch", dispatch, {"per_second": rate, "cost": runs[1].cost.by_process}),
            Line(
                "campaign flatness",
                flatness + _unrest(runs),
                {"cost": [run.cost.total for run in runs], "cost_ratio": ratio, "memory_ratio": grown},
            ),
        )

    async def _tenants(self) -> Line:
        """Many tenants with ten recipients each, and one with as many as all of them."""
        number = self.sizes.tenants
        many = await self._sent(await self._small_tenants(number), 10 * number)
        one = await self._sent([self._draft(self.tenant, 10 * number)], 10 * number)
        ratio = many.cost.total / one.cost.total
        text = (
            f"{number:,} tenants x 10 recipients cost x {ratio:.2f} of one x {10 * number:,} (target 1.30): "
            f"{_told(many.cost)}; the one: {_told(one.cost)}{_unrest((many, one))}"
        )
        costs = {"many": many.cost.by_process, "one": one.cost.by_process}
        return Line("campaign tenants", text, {"cost_ratio": ratio, **costs})

    async def _fairness(self, caller: Caller) -> Line:
        """One-to-one sends alone, and while a campaign runs on the same numbers."""
        await self.processes.quiet()
        alone = await caller.at_pace(caller.to_product, PACE_PER_SECOND, self.sizes.fair_seconds)
        campaigns = self._drafts(self.tenant, self.sizes.large)
        await self._started(campaigns)
        await self.processes.quiet()
        await self._begun(campaigns)
        beside = await caller.at_pace(caller.to_product, PACE_PER_SECOND, self.sizes.fair_seconds)
        for campaign in campaigns:
            self.api.call("POST", f"/api/v1/campaign/{campaign}/cancel")
        grown = beside.p95 - alone.p95
        text = f"p95 of single sends {alone.p95:.1f} ms alone, {beside.p95:.1f} ms beside a campaign (+{grown:.1f} ms)"
        return Line("campaign fairness", text, {"alone_p95_ms": alone.p95, "beside_p95_ms": beside.p95})

    async def _sent(self, campaigns: Sequence[str], recipients: int) -> Sent:
        """Have all begin at the same moment, when all is quiet, and wait until all are over.

        They are made and started before that moment, and watched in the database: what people's requests cost is
        measured elsewhere.
        """
        await self._started(campaigns)
        was_quiet = await self.processes.quiet()
        with self.processes.cost_of(recipients) as cost:
            began = time.perf_counter()
            await self._begun(campaigns)
            open_ones = {"_id": {"$in": list(campaigns)}, "status": {"$in": ["SCHEDULED", "RUNNING"]}}

            async def are_over() -> bool:
                return await self.database["campaigns"].find_one(open_ones, {"_id": 1}) is None

            assert await comes_true(are_over, PATIENCE_SECONDS, poll_seconds=POLL_SECONDS), "a campaign is never over"
            seconds = time.perf_counter() - began
        return Sent(recipients, seconds, cost, self.processes.resident_mib(), was_quiet)

    async def _started(self, campaigns: Sequence[str]) -> None:
        """Start those that are drafts still; their schedule holds them."""
        drafts = self.database["campaigns"].find({"_id": {"$in": list(campaigns)}, "status": "DRAFT"}, {"_id": 1})
        for draft in await drafts.to_list():
            await asyncio.to_thread(self.api.made, f"/api/v1/campaign/{draft['_id']}/start", {})

    async def _begun(self, campaigns: Sequence[str]) -> None:
        """Let the moment come for which campaigns are scheduled."""
        due = {"$set": {"scheduled_at": utc_now(), "look_at": utc_now()}}
        await self.database["campaigns"].update_many({"_id": {"$in": list(campaigns)}}, due)

    def _drafts(self, tenant: Tenant, recipients: int) -> list[str]:
        """A campaign for each number of the tenant, so that no number's rate is the limit."""
        lines = len(tenant.lines)
        return [self._draft(tenant, recipients // lines, line) for line in range(lines)]

    def _draft(self, tenant: Tenant, recipients: int, line: int = 0) -> str:
        number = tenant.lines[line].phone_number_id
        campaign = self._made(number, {})
        if recipients:
            self._upload(campaign, line * self.sizes.file, recipients)
        return campaign

    def _made(self, phone_number_id: str, given: Mapping[str, Any]) -> str:
        """A campaign that is to begin later."""
        body: dict[str, Any] = {
            "phone_number_id": phone_number_id,
            "template_id": self._template(phone_number_id),
            "name": "Bench",
            "scheduled_at": iso_millis(utc_now() + timedelta(hours=1)),
        }
        return str(self.api.made("/api/v1/campaign", {**body, **given})["campaign_id"])

    def _upload(self, campaign: str, first: int, rows: int) -> None:
        lines = "".join(f"+49151{number:08d},Ana {number},Ana\n" for number in range(first, first + rows))
        answer = self.api.http.post(
            f"{self.api.gateway}/api/v1/campaign/{campaign}/recipients",
            content=f"phone,name,1\n{lines}".encode(),
            headers={"Content-Type": "text/csv"},
            timeout=PATIENCE_SECONDS,
        )
        assert answer.is_success, answer.text

    async def _small_tenants(self, number: int) -> list[str]:
        """The campaign of each of so many new tenants; some are made at a time."""
        gate = asyncio.Semaphore(_TENANTS_AT_ONCE)

        async def make(each: int) -> str:
            async with gate:
                return await asyncio.to_thread(self._small_tenant, each)

        return list(await asyncio.gather(*map(make, range(number))))

    def _small_tenant(self, each: int) -> str:
        """A user with nothing but a number, a template and a campaign of ten recipients that is to begin later."""
        user_id, waba_id = f"usr_ten{each}", f"{103_000_000_000_000 + each}"
        number = {
            "user_id": user_id,
            "platform": "whatsapp",
            "meta_phone_number_id": f"2{each:010d}",
            "access_token": f"EAASIM-bench{each:08d}",
            "display_name": "Acme",
            "waba_id": waba_id,
        }
        template = {"name": TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [TEMPLATE_BODY]}
        contacts = [{"phone": f"+49151{10 * each + place:08d}", "variables": {"1": "Ana"}} for place in range(10)]
        self.api.made("/api/v1/users", {"user_id": user_id, "email": f"{user_id}@example.com", "company_name": "Acme"})
        phone_number_id = str(self.api.made("/api/v1/phone-numbers", number)["id"])
        self.api.control("POST", "templates", {"waba_id": waba_id, **template})
        self.api.made("/api/v1/templates/sync", {"user_id": user_id, "phone_number_id": phone_number_id})
        return self._made(phone_number_id, {"contacts": contacts, "auto_start": True})

    def _template(self, phone_number_id: str) -> str:
        known = self.api.call("GET", f"/api/v1/templates?phone_number_id={phone_number_id}").json()["data"]
        return next(str(row["template_id"]) for row in known if row["name"] == TEMPLATE)


def _unrest(runs: Sequence[Sent]) -> str:
    return "" if all(run.was_quiet for run in runs) else "; the product was not quiet before"


_SERVERS = {"mongod", "rabbitmq", "sandbox", "reference"}  # these are not ours, or keep everything on purpose


def _told(cost: Cost) -> str:
    parts = ", ".join(f"{name} {used:.0f}" for name, used in sorted(cost.by_process.items(), key=lambda part: -part[1]))
    return f"{cost.total:,.0f} µs of processor time a recipient: {parts}"
