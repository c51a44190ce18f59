"""One run from its first message to its verdict."""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from shared.bus.port import Bus
from shared.bus.rabbit import rabbit_bus
from shared.clock import utc_now
from shared.mongo import Client, connect, database_of
from tests.crash.campaign import BATCH_SIZE, Campaign
from tests.crash.campaigns_facts import CampaignWitnesses
from tests.crash.campaigns_load import Campaigns, new_publisher
from tests.crash.customers import REDELIVERED, Customers, new_shop
from tests.crash.dashboard import Dashboard, new_office
from tests.crash.facts import Witnesses
from tests.crash.insisting import Insistent
from tests.crash.killer import Killer
from tests.crash.load import MARKETING_TEMPLATE, PATIENCE_SECONDS, Load
from tests.crash.office import OfficeWitness
from tests.crash.options import LEASE_SECONDS, LINES, SETTINGS, Options
from tests.crash.parts import Parts
from tests.crash.plan import MESSAGING, Strike, plan
from tests.crash.report import Report
from tests.crash.retries_facts import RetryWitnesses
from tests.crash.retries_load import Retries, new_retrier
from tests.crash.taps import Tapping
from tests.product.running import Product
from tests.product.tenants import Tenant, add_tenant
from tests.product.waiting import comes_true

EVENT = re.compile(r'"event": "(\w+)"')
DRAIN_POLL_SECONDS = 1.0
LATENCY_MS = 15
# One status in ten comes five times, shuffled, and every twentieth post comes once more as it was.
FAULTS = {
    "latency_ms": LATENCY_MS,
    "duplicate_webhooks": 0.05,
    "reorder_webhooks": 0.1,
    "repeat_statuses": 0.1,
    "repeat_within_seconds": 10,
}
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
        office, retrier = new_office(self.product, tenant_number), new_retrier(self.product, tenant_number)
        run = Run(self.product, options, tenant, shop, publisher, office, planned, self.say, retrier)
        return uvloop.run(run.to_its_end())

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
    retrier: Tenant | None = None  # of whose recipients some go again

    async def to_its_end(self) -> Report:
        """Everything from the first message to the report."""
        began_at, began = utc_now(), time.monotonic()
        async with self._opened() as (http, parts):
            killer = Killer(self.product, parts.load, http, self.say)
            if not self.strikes:
                await parts.load.allow(parts.load.count)
            async with self._going_again(parts.retries.retries) as going_again:
                async with self._statuses_held_back(parts.witnesses):
                    posted, struck = await asyncio.gather(parts.run(), killer.run(self.strikes))
                parts.retries.retries.kills_are_over.set()
                loaded = time.monotonic()
                still_open, waited_for = await self._drain(parts, going_again)
            seconds = {"load": loaded - began, "drain": time.monotonic() - loaded}
            facts = await parts.hear(posted)
            return Report(
                self.options,
                began_at,
                seconds,
                struck,
                parts.load.answers,
                facts,
                still_open,
                waited_for,
                self._errors_logged(),
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
    async def _going_again(self, retries: Retries) -> AsyncIterator[asyncio.Task[None]]:
        """Campaigns that are retried begin with the load and end after it."""
        task = asyncio.create_task(retries.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[aiohttp.ClientSession, Parts]]:
        env = self.product.stack.env
        client = await connect(env["MONGODB_URL"], app_name="crash test")
        connector, patience = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=patience) as http,
            rabbit_bus(env["AMQP_URL"], service="crash test") as bus,
        ):
            yield http, self._parts(http, bus, client)
        await client.close()

    def _parts(self, http: aiohttp.ClientSession, bus: Bus, client: Client) -> Parts:
        options, api = self.options, self.product.api
        messaging, campaigns, templates = (
            database_of(client, name) for name in ("messaging", "campaigns", "templates")
        )
        load, asking = self._load(http), Insistent(http, api)
        retrier = self.retrier or self.publisher
        tenants = (self.tenant, self.shop, self.publisher, self.office, retrier)
        made = Campaigns(asking, load, self.publisher, options.campaigns)
        tapping = Tapping(asking, self.shop, load, options.tapping, REDELIVERED)
        is_retried = self.retrier is not None and options.campaigns > 0
        retries = Retries(asking, retrier, messaging, campaigns, is_wanted=is_retried)
        dashboard = Dashboard(http, api, self.office, load, options.dashboard)
        return Parts(
            load=load,
            campaign=Campaign(bus, self.tenant, load, options.batches),
            customers=Customers(http, api, self.shop.lines[0], load, options.customers, messaging, tapping.tapped),
            tapping=tapping,
            made=CampaignWitnesses(http, api, messaging, made),
            retries=RetryWitnesses(retries),
            office=OfficeWitness(dashboard, messaging, templates),
            witnesses=Witnesses(http, api, messaging, self.tenant, frozenset(each.user_id for each in tenants)),
            may_be_unknown=self._may_be_unknown(),
        )

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

    async def _drain(self, parts: Parts, going_again: asyncio.Task[None]) -> tuple[dict[str, int], Counter[str]]:
        """Wait until nothing is left to happen.

        Returns what is still open when patience is over, and in how many looks each thing was still open.
        """
        deadline = time.monotonic() + self.options.drain_seconds
        rested, open_ends, waited_for = 0, {"asked": 1}, Counter[str]()
        while rested < RESTING_STATES and time.monotonic() < deadline:
            await asyncio.sleep(DRAIN_POLL_SECONDS)
            if going_again.done():
                going_again.result()
                open_ends = await parts.open_ends()
            else:
                open_ends = {"campaigns that go again": 1}
            waited_for.update(open_ends.keys())
            rested = 0 if open_ends else rested + 1
        return open_ends, waited_for

    def _errors_logged(self) -> Counter[str]:
        """What services called an error, by the event's name."""
        lines = (line for log in self.product.logs for line in log.read_text(errors="replace").splitlines())
        return Counter(found[1] for line in lines if '"level": "error"' in line and (found := EVENT.search(line)))

    def _may_be_unknown(self) -> int:
        """What was between intent and answer when a worker died: no more than were under way, and one batch."""
        fatal = [strike for strike in self.strikes if strike.target in MESSAGING and strike.kind != "term"]
        return len(fatal) * (self.options.concurrency + BATCH_SIZE)
