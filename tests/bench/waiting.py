"""Vendor webhooks beside a million deliveries that wait for their next attempt: are the few due ones found, and sent?

A webhooks process of its own, on a database of its own, is measured twice with the same due deliveries: with nothing
else stored, and with everything. What it takes more of time and memory is the price of what waits.
"""

import asyncio
import dataclasses
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from deploy.local.calls import answers_ok
from deploy.local.environment import local_url, python_module
from deploy.local.ports import free_ports
from deploy.local.processes import wait_until
from services.webhooks.handlers.lane import READ_TOGETHER
from services.webhooks.repositories.deliveries import DeliveryRepository
from shared.clock import utc_now
from shared.mongo import Client, database_of
from shared.sealing import KeyRing
from tests.bench.deliveries import ENDPOINTS, PATIENCE_SECONDS, TARGET_LAG_MS, TARGET_PER_SECOND, Receiver
from tests.bench.latency import Latency
from tests.bench.processes import Cost, Processes
from tests.bench.report import Line, cost_text, rest_text
from tests.bench.waiting_store import WaitingStore
from tests.explaining import watching
from tests.product.waiting import comes_true

SUBSCRIPTIONS = 10_000
WARM_UP = 200
PACED, PER_SECOND = 500, 100
BURST = 2_000
TARGET_MEMORY = 1.1  # times the memory that the same takes with nothing else stored
READY_SECONDS, STOP_SECONDS = 60, 30
RESTING_SECONDS = 3

_PREFIX = "bench_waiting"
_AHEAD = timedelta(seconds=2)  # what becomes due is stored before


@dataclass(frozen=True, slots=True)
class Look:
    """What the database has read to answer one of the delivering queries."""

    query: str
    stages: tuple[str, ...]
    keys: int
    documents: int
    returned: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Run:
    """One webhooks process from its start to its stop."""

    per_second: float  # of deliveries that came due together
    cost: Cost  # of one of them
    lag: Latency  # from due to received, of deliveries that came due one after the other
    resting: Cost  # microseconds of a second in which nothing is due
    before_mib: float  # resident once it has delivered a little
    after_mib: float  # once it has delivered everything
    looks: Sequence[Look]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A running product's servers, and where logs go."""

    env: Mapping[str, str]
    log: Path
    client: Client
    receiver: Receiver
    mongod: int  # its process id

    async def measure(self, waiting: int) -> Line:
        """With nothing else stored, then with so many deliveries that wait."""
        empty, _ = await self._run(0)
        full, stored_in = await self._run(waiting)
        return line_of(empty, full, waiting, stored_in)

    async def _run(self, waiting: int) -> tuple[Run, float]:
        """What was measured, and how many seconds it took to store everything."""
        database = database_of(self.client, "webhooks", prefix=_PREFIX)
        keys = KeyRing.parse(self.env["MASTER_KEYS"])
        urls = [self.receiver.url(number) for number in range(ENDPOINTS)]
        store = WaitingStore(database, keys, urls, SUBSCRIPTIONS)
        try:
            began = time.perf_counter()
            await store.fill(waiting)
            await self.client.admin.command("fsync")  # a checkpoint now, not in the middle
            stored_in = time.perf_counter() - began
            heard = (await self.receiver.seen())["events"]
            await store.add_due([utc_now()] * WARM_UP)
            looks = await _looks(self.env["MONGODB_URL"], database.name)
            with self._webhooks() as pid:
                return await self._measured(store, pid, looks, heard), stored_in
        finally:
            await self.client.drop_database(database.name)

    async def _measured(self, store: WaitingStore, pid: int, looks: Sequence[Look], heard: int) -> Run:
        processes = Processes(lambda: {"webhooks": pid, "mongod": self.mongod})
        warm = await self.receiver.took(heard + WARM_UP)
        assert await comes_true(store.rested, PATIENCE_SECONDS), "webhooks serves endpoints of which nothing is due"
        with processes.cost_of(RESTING_SECONDS) as resting:
            await asyncio.sleep(RESTING_SECONDS)
        before_mib = processes.resident_mib()["webhooks"]
        first = utc_now() + _AHEAD
        await store.add_due([first + timedelta(seconds=number / PER_SECOND) for number in range(PACED)])
        paced = await self.receiver.took(heard + WARM_UP + PACED)
        lags = paced["lags_ms"][len(warm["lags_ms"]) :]
        due_at = utc_now() + _AHEAD
        await store.add_due([due_at] * BURST)
        with processes.cost_of(BURST) as cost:
            burst = await self.receiver.took(heard + WARM_UP + PACED + BURST)
        return Run(
            per_second=BURST / (burst["last_at"] - due_at.timestamp()),
            cost=cost,
            lag=Latency.of([lag / 1000 for lag in lags], {}),
            resting=resting,
            before_mib=before_mib,
            after_mib=processes.resident_mib()["webhooks"],
            looks=looks,
        )

    @contextmanager
    def _webhooks(self) -> Iterator[int]:
        """The service from its start until it has stopped; its process id."""
        inbound, operations = free_ports(2)
        binds = {"WEBHOOKS_BIND": f"127.0.0.1:{inbound}", "WEBHOOKS_OPS_BIND": f"127.0.0.1:{operations}"}
        env = {**self.env, **binds, "DATABASE_PREFIX": _PREFIX}
        with self.log.open("ab") as log:
            process = subprocess.Popen(python_module("services", "webhooks"), env=env, stdout=log, stderr=log)
        try:
            ready = f"{local_url(binds['WEBHOOKS_OPS_BIND'])}/readyz"
            assert wait_until(lambda: answers_ok(ready), READY_SECONDS), f"webhooks did not come up; see {self.log}"
            yield process.pid
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def line_of(empty: Run, full: Run, waiting: int, stored_in: float) -> Line:
    """Everything beside the same with nothing else stored."""
    memory = full.after_mib / empty.after_mib
    rows = (
        f"{full.per_second:7,.0f} deliveries/s (target {TARGET_PER_SECOND:,}) when {BURST:,} come due together, each "
        f"of another subscription; {empty.per_second:,.0f} with nothing else stored",
        cost_text(full.cost, of="a delivery"),
        f"due to receiver p50 {full.lag.p50:.0f} ms, p99 {full.lag.p99:.0f} ms (target {TARGET_LAG_MS:,}); "
        f"p99 {empty.lag.p99:.0f} ms with nothing else stored",
        f"memory {memory:.2f} of that with nothing else stored (target {TARGET_MEMORY}): from {full.before_mib:.0f} to "
        f"{full.after_mib:.0f} MiB, and from {empty.before_mib:.0f} to {empty.after_mib:.0f}",
        f"at rest {rest_text(full.resting)}; with nothing else stored {rest_text(empty.resting)}",
        *(f"what is due: {_look_text(look)}" for look in full.looks),
        f"{waiting:,} deliveries of {SUBSCRIPTIONS:,} subscriptions wait, stored in {stored_in:.0f} s",
    )
    figures = {"waiting": waiting, "subscriptions": SUBSCRIPTIONS, "stored_in_seconds": stored_in}
    runs = {"memory_ratio": memory, "full": dataclasses.asdict(full), "empty": dataclasses.asdict(empty)}
    return Line("webhooks, much waits", "\n".join(rows), figures | runs)


def _look_text(look: Look) -> str:
    return (
        f"{look.query} ({' < '.join(look.stages)}): {look.keys:,} keys and {look.documents:,} documents read "
        f"for {look.returned:,}, {look.milliseconds} ms"
    )


async def _looks(mongodb_url: str, name: str) -> list[Look]:
    """The sweep's question which webhooks have something due, and a lane's what that is, as they are really asked."""
    async with watching(mongodb_url, name) as watched:
        repository, now = DeliveryRepository(watched.database), utc_now()
        webhook_id = (await repository.list_webhooks_due(now))[0]
        await repository.list_due(webhook_id, now, but=(), limit=READ_TOGETHER)
        return [
            look_of(command, await watched.database.command("explain", command, verbosity="executionStats"))
            for command in list(watched.queries.kept.values())
        ]


def look_of(command: Mapping[str, Any], explained: Mapping[str, Any]) -> Look:
    """What an explanation with `executionStats` says."""
    stats = explained["executionStats"]
    return Look(
        query=next(iter(command)),
        stages=tuple(_stages(explained["queryPlanner"]["winningPlan"])),
        keys=stats["totalKeysExamined"],
        documents=stats["totalDocsExamined"],
        returned=stats["nReturned"],
        milliseconds=stats["executionTimeMillis"],
    )


def _stages(plan: Mapping[str, Any]) -> Iterator[str]:
    """From the outermost to the index."""
    yield plan["stage"]
    if "inputStage" in plan:
        yield from _stages(plan["inputStage"])
