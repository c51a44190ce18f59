"""One run from its first message to its verdict."""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import uvloop

from shared.bus.rabbit import rabbit_bus
from shared.clock import utc_now
from shared.mongo import Database, connect, database_of
from tests.crash.campaign import BATCH_SIZE, Campaign
from tests.crash.campaigns_facts import CampaignWitnesses
from tests.crash.campaigns_load import Campaigns, new_publisher
from tests.crash.campaigns_verdicts import campaign_violations
from tests.crash.customers import Customers, new_shop
from tests.crash.dashboard import Dashboard, new_office
from tests.crash.facts import Witnesses
from tests.crash.killer import Killer
from tests.crash.load import MARKETING_TEMPLATE, PATIENCE_SECONDS, Load
from tests.crash.office import OfficeWitness
from tests.crash.options import LEASE_SECONDS, LINES, SETTINGS, Options
from tests.crash.plan import MESSAGING, Strike, plan
from tests.crash.report import Report
from tests.product.running import Product
from tests.product.tenants import Tenant, add_tenant
from tests.product.waiting import comes_true

EVENT = re.compile(r'"event": "(\w+)"')
DRAIN_POLL_SECONDS = 1.0
LATENCY_MS = 15
FAULTS = {"latency_ms": LATENCY_MS, "duplicate_webhooks": 0.05, "reorder_webhooks": 0.1}
RESTING_STATES = 3  # rounds in a row in which nothing may be open: a relay may bring the last thing up again


@dataclass(frozen=True, slots=True)
class CrashStack:
    """A product with two replicas of messaging, so that what one of them drops another one finds."""

    product: Product
    say: Callable[[str], None]

    @classmethod
    @contextmanager
    def running(cls, root: Path, say: Callable[[str], None]) -> Iterator["CrashStack"]:
        """Up inside the block."""
        with Product.running(root, SETTINGS) as product:
            product.start("messaging", alias="messaging-2")
            product.wait_until_ready()
            yield cls(product, say)

    def crash(self, options: Options, *, tenant_number: int = 1, strikes: tuple[Strike, ...] | None = None) -> Report:
        """Make one run with a tenant of its own. `strikes` replaces what the options and the seed would plan."""
        self._use_messaging(options.mutant)
        self.product.api.control("POST", "reset")
        tenant, shop = new_tenant(self.product, tenant_number), new_shop(self.product, tenant_number)
        self.product.api.control("PUT", "faults", {**FAULTS, "lose_reply": options.lose_reply})
        planned = plan(options) if strikes is None else strikes
        publisher = new_publisher(self.product, tenant_number)
        office = new_office(self.product, tenant_number)
        return uvloop.run(Run(self.product, options, tenant, shop, publisher, office, planned, self.say).to_its_end())

    def _use_messaging(self, mutant: str | None) -> None:
        """Run messaging as it is, or with one deliberate bug."""
        self.product.stop(*MESSAGING)
        for name in MESSAGING:
            alias = None if name == "messaging" else name
            if mutant is None:
                self.product.start("messaging", alias=alias)
            else:
                self.product.start("messaging", "tests.crash.mutated", mutant, alias=alias)
        self.product.wait_until_ready()


def new_tenant(product: Product, number: int) -> Tenant:
    """A tenant with everything that the load needs."""
    tenant = add_tenant(product.api, number, lines=LINES)
    body = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}
    template = {"name": MARKETING_TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [body]}
    product.api.control("POST", "templates", {"waba_id": tenant.waba_id, **template})
    product.api.made(*tenant.sync())
    return tenant


@dataclass(frozen=True, slots=True)
class Run:
    """Load, campaign and killer at the same time; then patience; then the verdict."""

    product: Product
    options: Options
    tenant: Tenant
    shop: Tenant  # whose number customers write to
    publisher: Tenant  # who makes campaigns
    office: Tenant  # whose templates are submitted, and whose credits are spent, at the dashboard
    strikes: tuple[Strike, ...]
    say: Callable[[str], None]

    async def to_its_end(self) -> Report:
        """Everything from the first message to the report."""
        began_at, began = utc_now(), time.monotonic()
        async with self._opened() as (http, witnesses, campaign):
            load = campaign.load
            customers = Customers(
                http, self.product.api, self.shop.lines[0], load, self.options.customers, witnesses.database
            )
            made = self._campaigns(http, load, witnesses.database)
            office = self._office(http, load, witnesses.database)
            killer = Killer(self.product, load, http, self.say)
            if not self.strikes:
                await load.allow(load.count)
            async with self._statuses_held_back(witnesses):
                singles, batched, struck, *_ = await asyncio.gather(
                    load.run(),
                    campaign.run(),
                    killer.run(self.strikes),
                    customers.run(),
                    made.campaigns.run(),
                    office.dashboard.run(),
                )
            loaded = time.monotonic()
            posted = [*singles, *batched]
            still_open = await self._drain(witnesses, customers, made, office)
            seconds = {"load": loaded - began, "drain": time.monotonic() - loaded}
            facts = replace(
                await witnesses.hear(posted, self._may_be_unknown()),
                written=customers.written,
                answers=await customers.answers(),
                in_doubt=await customers.in_doubt(),
                campaigns=await made.hear(self._may_be_unknown()),
                office=await office.hear(),
            )
            return Report(
                self.options, began_at, seconds, struck, load.answers, facts, still_open, self._errors_logged()
            )

    @asynccontextmanager
    async def _statuses_held_back(self, witnesses: Witnesses) -> AsyncIterator[None]:
        """If that was asked for: freeze webhooks until no message is in anybody's hands any more."""
        if not self.options.late_statuses:
            yield
            return
        self.product.kill("webhooks", signal.SIGSTOP)
        try:
            yield
            await comes_true(witnesses.has_nothing_in_hand, 2 * LEASE_SECONDS)
        finally:
            self.product.kill("webhooks", signal.SIGCONT)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[aiohttp.ClientSession, Witnesses, Campaign]]:
        env = self.product.stack.env
        client = await connect(env["MONGODB_URL"], app_name="crash test")
        connector, patience = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=patience) as http,
            rabbit_bus(env["AMQP_URL"], service="crash test") as bus,
        ):
            database: Database = database_of(client, "messaging")
            load = self._load(http)
            yield (
                http,
                Witnesses(http, self.product.api, database, self.tenant),
                Campaign(bus, self.tenant, load, self.options.batches),
            )
        await client.close()

    def _campaigns(self, http: aiohttp.ClientSession, load: Load, database: Database) -> CampaignWitnesses:
        campaigns = Campaigns(http, self.product.api, load, self.publisher, self.options.campaigns)
        return CampaignWitnesses(http, self.product.api, database, campaigns)

    def _office(self, http: aiohttp.ClientSession, load: Load, messaging: Database) -> OfficeWitness:
        dashboard = Dashboard(http, self.product.api, self.office, load, self.options.dashboard)
        return OfficeWitness(dashboard, messaging, database_of(messaging.client, "templates"))

    def _load(self, http: aiohttp.ClientSession) -> Load:
        return Load(
            http=http,
            gateway=self.product.api.gateway,
            tenant=self.tenant,
            count=self.options.messages,
            per_second=self.options.per_second,
            slots=asyncio.Semaphore(self.options.concurrency),
            rng=random.Random(self.options.seed),
        )

    async def _drain(
        self, witnesses: Witnesses, customers: Customers, made: CampaignWitnesses, office: OfficeWitness
    ) -> dict[str, int]:
        """Wait until nothing is left to happen; returns what is still open when patience is over."""
        deadline = time.monotonic() + self.options.drain_seconds
        rested, open_ends = 0, {"asked": 1}
        while rested < RESTING_STATES and time.monotonic() < deadline:
            await asyncio.sleep(DRAIN_POLL_SECONDS)
            open_ends = await witnesses.open_ends()
            if waiting := await customers.unanswered():
                open_ends["not answered by agents"] = len(waiting)
            open_ends |= await self._open_campaigns(made) | await office.open_ends()
            rested = 0 if open_ends else rested + 1
        return open_ends

    async def _open_campaigns(self, made: CampaignWitnesses) -> dict[str, int]:
        """What campaigns have still to do, in numbers."""
        if not await made.is_resting():
            return {"campaigns on their way": 1}
        found = campaign_violations(await made.hear(self._may_be_unknown()))
        return {f"where {promise}": len(examples) for promise, examples in found.items()}

    def _errors_logged(self) -> Counter[str]:
        """What services called an error, by the event's name."""
        lines = (line for log in self.product.logs for line in log.read_text(errors="replace").splitlines())
        return Counter(found[1] for line in lines if '"level": "error"' in line and (found := EVENT.search(line)))

    def _may_be_unknown(self) -> int:
        """What was between intent and answer when a worker died: no more than were under way, and one batch."""
        fatal = [strike for strike in self.strikes if strike.target in MESSAGING and strike.kind != "term"]
        return len(fatal) * (self.options.concurrency + BATCH_SIZE)
