"""`python -m tests.bench`: bring the product up, measure it beside the reference, print a table and write JSON."""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from deploy.local.environment import CHECKOUT, python_module
from shared.bus.rabbit import rabbit_bus
from shared.clock import utc_now
from shared.logging import configure_logging
from shared.mongo import connect, database_of
from tests.bench import answers, deliveries, payloads, reads, statuses, webchat, widget
from tests.bench.campaigns import CampaignBench
from tests.bench.dispatch import PRODUCT_BATCH, TEMPLATE, Dispatch
from tests.bench.latency import Caller
from tests.bench.processes import Processes
from tests.bench.reference import URL_VARIABLE
from tests.bench.report import Line, Report
from tests.product.running import Product, stop_in_order_when_told_to
from tests.product.tenants import Tenant, add_tenant

REPORTS = CHECKOUT / ".local" / "bench"
LINES = 8  # at 1,000 messages a second each, of which a campaign may use 765: more than anything here can send
SETTINGS = {"DEFAULT_MESSAGES_PER_SECOND": "1000"}
FAULTS = {"rate_limit_per_second": 100_000, "status_webhooks": False}
PACE_PER_SECOND = 50.0
CONCURRENCY = 64


def main(arguments: Sequence[str]) -> int:
    """Measure; 0 whatever the figures are, since a busy machine is no fault of the code."""
    asked = _parser().parse_args(arguments)
    stop_in_order_when_told_to()
    configure_logging(log_format="console", level="critical")
    root = Path(tempfile.mkdtemp(prefix="waapi-bench-"))
    try:
        with Product.running(root, SETTINGS) as product, _reference_running(product) as reference_pid:
            processes = Processes(lambda: _pids(product) | {"reference": reference_pid})
            bench = Bench(product, processes, _new_tenant(product))
            report = uvloop.run(bench.measure(asked))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(report.table())  # noqa: T201 - a program for the terminal
    print(f"  written to {report.write(REPORTS)}")  # noqa: T201
    return 0


@dataclass(frozen=True, slots=True)
class Bench:
    """A running product, the processes to be watched, and who sends."""

    product: Product
    processes: Processes
    tenant: Tenant

    async def measure(self, asked: argparse.Namespace) -> Report:
        """Everything, one after the other."""
        began_at = utc_now()
        async with self._dispatch(PRODUCT_BATCH * LINES) as warming_up:  # connections, caches and files, made once
            await warming_up.reference()
            await warming_up.product()
        ours, theirs = [], []
        # Both post to the same echo: what the sandbox takes to check and keep a message is no cost of the product.
        self.product.api.control("PUT", "faults", {"bare_sends": True})
        async with self._dispatch(asked.messages) as dispatch:
            for _ in range(asked.rounds):
                theirs.append(await dispatch.reference())
                ours.append(await dispatch.product())
            self.product.api.control("PUT", "faults", {"bare_sends": False, "status_webhooks": True})
            with_statuses = await dispatch.product_with_statuses()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False) as http:
            caller = Caller(http, self.product.api.gateway, self.product.api.sandbox, self.tenant)
            await self.processes.quiet()
            with self.processes.cost_of(int(PACE_PER_SECOND * asked.seconds)) as single_cost:
                latency = await caller.at_pace(caller.to_product, PACE_PER_SECOND, asked.seconds)
            meta = await caller.at_pace(caller.to_sandbox, PACE_PER_SECOND, asked.seconds)
            sustained_per_second, sustained = await caller.sustained(CONCURRENCY, asked.seconds)
            campaign_lines = await self._campaigns(caller)
        status_lines = await self._statuses()
        await self.processes.quiet()
        answers_line = await answers.measure(self.product.api, self.tenant, self.processes)
        return Report(
            began_at=began_at,
            messages=asked.messages,
            product=ours,
            reference=theirs,
            with_statuses=with_statuses,
            latency=latency,
            single_cost=single_cost,
            meta=meta,
            sustained_per_second=sustained_per_second,
            sustained=sustained,
            memory_mib=self.processes.resident_mib(),
            lines=(
                *campaign_lines,
                *status_lines,
                payloads.measure(),
                answers_line,
                *await self._webchat(),
                await self._deliveries(),
                await self._reads(asked.stored, asked.seconds),  # last: what it stores would be in the others' way
            ),
        )

    async def _campaigns(self, caller: Caller) -> Sequence[Line]:
        """The engine; Meta's answers cost nothing, and it tells nothing of what came after."""
        self.product.api.control("PUT", "faults", {"bare_sends": True, "status_webhooks": False})
        client = await connect(self.product.stack.env["MONGODB_URL"], app_name="bench")
        database = database_of(client, "campaigns")
        lines = await CampaignBench(self.product.api, self.tenant, self.processes, database).measure(caller)
        await client.close()
        self.product.api.control("PUT", "faults", {"bare_sends": False, "status_webhooks": True})
        return lines

    async def _statuses(self) -> tuple[Line, ...]:
        """Meta's webhooks by themselves, of messages that were sent before."""
        await self.processes.quiet()
        async with self._dispatch(PRODUCT_BATCH * LINES) as dispatch:
            return await statuses.measure(dispatch, self.product.stack.env)

    async def _deliveries(self) -> Line:
        """To vendors; the receiver's processor time is not counted."""
        await self.processes.quiet()
        api = self.product.api
        user = {"user_id": deliveries.USER, "email": "bench@example.com"}
        await asyncio.to_thread(api.made, "/api/v1/users", user)

        async def subscribe(url: str, phone_number_id: str) -> None:
            wanted = {"user_id": deliveries.USER, "url": url, "events": ["message.sent"]}
            await asyncio.to_thread(api.made, "/admin/webhooks", wanted | {"phone_number_ids": [phone_number_id]})

        with deliveries.Receiver.running() as receiver:
            async with rabbit_bus(self.product.stack.env["AMQP_URL"], service="bench") as bus:
                return await deliveries.measure(bus, receiver, subscribe, self.processes)

    async def _webchat(self) -> tuple[Line, ...]:
        await self.processes.quiet()
        api = self.product.api
        channel = await asyncio.to_thread(webchat.make_channel, api, self.tenant)
        first_token = await webchat.first_token(api, channel)
        return first_token, await webchat.open_streams(api, channel, self.processes), await widget.measure(channel)

    async def _reads(self, messages: int, seconds: float) -> Line:
        """The dashboard's, with much stored."""
        client = await connect(self.product.stack.env["MONGODB_URL"], app_name="bench")
        try:
            return await reads.measure(self.product.api, client, self.processes, messages, seconds)
        finally:
            await client.close()

    @asynccontextmanager
    async def _dispatch(self, messages: int) -> AsyncIterator[Dispatch]:
        env = self.product.stack.env
        client = await connect(env["MONGODB_URL"], app_name="bench")
        database = database_of(client, "messaging")
        async with (
            rabbit_bus(env["AMQP_URL"], service="bench") as bus,
            Dispatch.opened(
                bus,
                env["AMQP_URL"],
                database=database,
                tenant=self.tenant,
                processes=self.processes,
                messages=messages,
            ) as dispatch,
        ):
            yield dispatch
        await client.close()


@contextmanager
def _reference_running(product: Product) -> Iterator[int]:
    env = {**product.stack.env, URL_VARIABLE: f"{product.api.sandbox}/bench"}
    with (product.stack.root / "log" / "reference.log").open("wb") as log:
        process = subprocess.Popen(python_module("tests.bench.reference"), env=env, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=10)


def _new_tenant(product: Product) -> Tenant:
    """A tenant without a webhook: deliveries to vendors are not what is measured here."""
    product.api.control("PUT", "faults", FAULTS)
    tenant = add_tenant(product.api, 1, lines=LINES)
    product.api.call("DELETE", f"/admin/webhooks/{tenant.webhook_id}")
    body = {"type": "BODY", "text": "Hi {{1}}, spring is here!", "example": {"body_text": [["Ana"]]}}
    template = {"name": TEMPLATE, "language": "en_US", "category": "MARKETING", "components": [body]}
    product.api.control("POST", "templates", {"waba_id": tenant.waba_id, **template})
    product.api.made(*tenant.sync())
    return tenant


def _pids(product: Product) -> dict[str, int]:
    names = (*product.services(), "sandbox", "rabbitmq", "mongod")
    return {name: pid for name in names if (pid := product.pid(name)) is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--messages", type=int, default=6_000, help="of one dispatch round")
    parser.add_argument("--rounds", type=int, default=3, help="of dispatch, reference and product in turn")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement of single sends")
    parser.add_argument("--stored", type=int, default=1_000_000, help="messages that are there when reads are measured")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
