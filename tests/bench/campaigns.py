"""Campaigns from the file to the last recipient: taken in, dispatched by the engine, flat, and fair to others.

Rates are of this machine, where everything runs at once; processor time a recipient says more.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import iso_millis, utc_now
from shared.mongo import Database
from tests.bench.latency import Caller
from tests.bench.processes import Cost, Processes
from tests.bench.report import Line
from tests.product.api import Api
from tests.product.tenants import Tenant, add_tenant
from tests.product.waiting import comes_true

TEMPLATE = "spring_offer"
PATIENCE_SECONDS = 600.0
POLL_SECONDS = 0.2
PACE_PER_SECOND = 20.0
TEMPLATE_BODY = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    small: int = 1_000
    large: int = 10_000
    file: int = 100_000
    tenants: int = 50  # of ten recipients each
    fair_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A campaign that is over."""

    seconds: float
    cost: Cost


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
        await self._sent(self._drafts(self.tenant, 200), 200)  # connections, caches and files, made once
        return (
            await self._intake(),
            *await self._flatness(),
            await self._tenants(),
            await self._fairness(caller),
        )

    async def _intake(self) -> Line:
        campaign = self._draft(self.tenant, 0)
        with self.processes.cost_of(self.sizes.file) as cost:
            began = time.perf_counter()
            await asyncio.to_thread(self._upload, campaign, 0, self.sizes.file)
            seconds = time.perf_counter() - began
        rate = self.sizes.file / seconds
        text = f"{seconds:.1f} s for {self.sizes.file:,} rows of CSV, {rate:,.0f}/s; {_told(cost)}"
        return Line("campaign intake", text, {"rows": self.sizes.file, "seconds": seconds, "cost": cost.by_process})

    async def _flatness(self) -> Sequence[Line]:
        """Dispatch by the engine, over all numbers of the tenant: a few recipients, and ten times as many."""
        small = await self._sent(self._drafts(self.tenant, self.sizes.small), self.sizes.small)
        before = self.processes.resident_mib()
        large = await self._sent(self._drafts(self.tenant, self.sizes.large), self.sizes.large)
        after = self.processes.resident_mib()
        rate = self.sizes.large / large.seconds
        grown = max(after[name] / before[name] for name in after.keys() & before.keys() if name not in _SERVERS)
        ratio = large.cost.total / small.cost.total
        return (
            Line(
                "campaign dispatch",
                f"{rate:,.0f} recipients/s; {_told(large.cost)}",
                {"per_second": rate, "cost": large.cost.by_process},
            ),
            Line(
                "campaign flatness",
                f"{self.sizes.small:,} to {self.sizes.large:,} recipients: processor time x {ratio:.2f} "
                f"(target 1.30), largest growth of a process's memory x {grown:.2f} (target 1.20)",
                {"cost_ratio": ratio, "memory_ratio": grown},
            ),
        )

    async def _tenants(self) -> Line:
        """Many tenants with ten recipients each, and one with as many as all of them."""
        number = self.sizes.tenants
        tenants = await asyncio.to_thread(self._new_tenants, number)
        campaigns = [self._draft(each, 10) for each in tenants]
        many = await self._sent(campaigns, 10 * number)
        one = await self._sent([self._draft(self.tenant, 10 * number)], 10 * number)
        ratio = many.cost.total / one.cost.total
        text = f"{number} tenants x 10 recipients cost x {ratio:.2f} of one x {10 * number} (target 1.30)"
        return Line("campaign tenants", text, {"cost_ratio": ratio})

    async def _fairness(self, caller: Caller) -> Line:
        """One-to-one sends alone, and while a campaign runs on the same numbers."""
        alone = await caller.at_pace(caller.to_product, PACE_PER_SECOND, self.sizes.fair_seconds)
        campaigns = self._drafts(self.tenant, self.sizes.large)
        await self._begun(campaigns)
        beside = await caller.at_pace(caller.to_product, PACE_PER_SECOND, self.sizes.fair_seconds)
        for campaign in campaigns:
            self.api.call("POST", f"/api/v1/campaign/{campaign}/cancel")
        grown = beside.p95 - alone.p95
        text = f"p95 of single sends {alone.p95:.1f} ms alone, {beside.p95:.1f} ms beside a campaign (+{grown:.1f} ms)"
        return Line("campaign fairness", text, {"alone_p95_ms": alone.p95, "beside_p95_ms": beside.p95})

    async def _sent(self, campaigns: Sequence[str], recipients: int) -> Sent:
        """Have all begin at the same moment, and wait until all are over.

        They are made and started before that moment, and watched in the database: what people's requests cost is
        measured elsewhere.
        """
        starts_at = await self._begun(campaigns)
        with self.processes.cost_of(recipients) as cost:
            began = time.perf_counter()
            open_ones = {"_id": {"$in": list(campaigns)}, "status": {"$in": ["SCHEDULED", "RUNNING"]}}

            async def are_over() -> bool:
                return await self.database["campaigns"].count_documents(open_ones) == 0

            assert await comes_true(are_over, PATIENCE_SECONDS, poll_seconds=POLL_SECONDS), "a campaign is never over"
            seconds = time.perf_counter() - began
        assert starts_at <= utc_now()
        return Sent(seconds, cost)

    async def _begun(self, campaigns: Sequence[str]) -> datetime:
        """Start drafts, which their schedule holds until the moment that is returned; it has come then."""
        for campaign in campaigns:
            await asyncio.to_thread(self.api.made, f"/api/v1/campaign/{campaign}/start", {})
        starts_at = utc_now()
        due = {"$set": {"scheduled_at": starts_at, "look_at": starts_at}}
        await self.database["campaigns"].update_many({"_id": {"$in": list(campaigns)}}, due)
        return starts_at

    def _drafts(self, tenant: Tenant, recipients: int) -> list[str]:
        """A campaign for each number of the tenant, so that no number's rate is the limit."""
        lines = len(tenant.lines)
        return [self._draft(tenant, recipients // lines, line) for line in range(lines)]

    def _draft(self, tenant: Tenant, recipients: int, line: int = 0) -> str:
        number = tenant.lines[line].phone_number_id
        later = iso_millis(utc_now() + timedelta(hours=1))
        body = {
            "phone_number_id": number,
            "template_id": self._template(number),
            "name": "Bench",
            "scheduled_at": later,
        }
        campaign = str(self.api.made("/api/v1/campaign", body)["campaign_id"])
        if recipients:
            self._upload(campaign, line * self.sizes.file, recipients)
        return campaign

    def _upload(self, campaign: str, first: int, rows: int) -> None:
        lines = "".join(f"+49151{number:08d},Ana {number},Ana\n" for number in range(first, first + rows))
        answer = self.api.http.post(
            f"{self.api.gateway}/api/v1/campaign/{campaign}/recipients",
            content=f"phone,name,1\n{lines}".encode(),
            headers={"Content-Type": "text/csv"},
            timeout=PATIENCE_SECONDS,
        )
        assert answer.is_success, answer.text

    def _new_tenants(self, number: int) -> list[Tenant]:
        tenants = []
        for each in range(number):
            tenant = add_tenant(self.api, 1000 + each)
            self.api.call("DELETE", f"/admin/webhooks/{tenant.webhook_id}")
            made = {"name": TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [TEMPLATE_BODY]}
            self.api.control("POST", "templates", {"waba_id": tenant.waba_id, **made})
            self.api.made(*tenant.sync())
            tenants.append(tenant)
        return tenants

    def _template(self, phone_number_id: str) -> str:
        known = self.api.call("GET", f"/api/v1/templates?phone_number_id={phone_number_id}").json()["data"]
        return next(str(row["template_id"]) for row in known if row["name"] == TEMPLATE)


_SERVERS = {"mongod", "rabbitmq", "sandbox", "reference"}  # these are not ours, or keep everything on purpose


def _told(cost: Cost) -> str:
    parts = ", ".join(f"{name} {used:.0f}" for name, used in sorted(cost.by_process.items(), key=lambda part: -part[1]))
    return f"{cost.total:,.0f} µs of processor time a recipient: {parts}"
