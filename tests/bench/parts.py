"""What the bench measures, part by part; each leaves the product as it has found it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiohttp

from shared.bus.rabbit import rabbit_bus
from shared.clock import utc_now
from shared.mongo import Client, connect, database_of
from tests.bench import answers, deliveries, payloads, reads, single, statuses, webchat, widget
from tests.bench.campaigns import CampaignBench
from tests.bench.comparison import Comparison, with_statuses_line
from tests.bench.dispatch import PRODUCT_BATCH, Dispatch
from tests.bench.latency import Caller
from tests.bench.processes import Processes
from tests.bench.report import Line, Report
from tests.bench.waiting import Waiting
from tests.product.running import Product
from tests.product.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    messages: int  # of a dispatch round
    rounds: int
    seconds: float  # of each measurement at a pace
    waiting: int  # deliveries
    stored: int  # messages


@dataclass(frozen=True, slots=True)
class Bench:
    """A running product, the processes to be watched, and who sends."""

    product: Product
    processes: Processes
    tenant: Tenant
    sizes: Sizes

    async def measure(self, wanted: Collection[str]) -> Report:
        """The wanted parts, one after the other."""
        began_at = utc_now()
        await self._warm_up()
        lines = [line for name, part in PARTS.items() if name in wanted for line in await part(self)]
        return Report(began_at, lines)

    async def dispatch(self) -> Sequence[Line]:
        """The product, its reference and dramatiq in turn; then the product while Meta tells of each message.

        All post to the same echo: what the sandbox takes to check and keep a message is no cost of the product.
        """
        compared = Comparison()
        async with self._dispatching(self.sizes.messages) as dispatch:
            with self._meta(bare_sends=True, status_webhooks=False):
                for _ in range(self.sizes.rounds):
                    compared.reference.append(await dispatch.reference())
                    compared.product.append(await dispatch.product())
                    compared.dramatiq.append(await dispatch.dramatiq())
            return *compared.lines(), with_statuses_line(await dispatch.product_with_statuses())

    async def single(self) -> Sequence[Line]:
        """Messages that are sent one by one."""
        async with self._caller() as caller:
            return await single.measure(caller, self.processes, self.sizes.seconds)

    async def campaigns(self) -> Sequence[Line]:
        """The engine; Meta's answers cost nothing, and it tells nothing of what came after."""
        async with self._caller() as caller, self._client() as client:
            with self._meta(bare_sends=True, status_webhooks=False):
                database = database_of(client, "campaigns")
                return await CampaignBench(self.product.api, self.tenant, self.processes, database).measure(caller)

    async def statuses(self) -> Sequence[Line]:
        """Meta's webhooks by themselves, of messages that were sent before."""
        async with self._dispatching(statuses.NEEDED) as dispatch:
            if not await statuses.has_enough(dispatch):
                with self._meta(bare_sends=True, status_webhooks=False):
                    await dispatch.product()
            await self.processes.quiet()
            return await statuses.measure(dispatch, self.product.stack.env)

    async def payloads(self) -> Sequence[Line]:
        """No process is needed for these."""
        return (payloads.measure(),)

    async def answers(self) -> Sequence[Line]:
        """An agent's."""
        await self.processes.quiet()
        return (await answers.measure(self.product.api, self.tenant, self.processes),)

    async def memory(self) -> Sequence[Line]:
        """Of every process, after what was measured before."""
        resident = self.processes.resident_mib()
        return (Line("memory, MiB", ", ".join(f"{name} {size:.0f}" for name, size in resident.items()), resident),)

    async def webchat(self) -> Sequence[Line]:
        """A visitor's stream, many of them, and the script."""
        await self.processes.quiet()
        api = self.product.api
        channel = await asyncio.to_thread(webchat.make_channel, api, self.tenant)
        first_token = await webchat.first_token(api, channel)
        return first_token, await webchat.open_streams(api, channel, self.processes), await widget.measure(channel)

    async def deliveries(self) -> Sequence[Line]:
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
                return (await deliveries.measure(bus, receiver, subscribe, self.processes),)

    async def waiting(self) -> Sequence[Line]:
        """Deliveries to vendors beside very many that wait."""
        await self.processes.quiet()
        stack, mongod = self.product.stack, self.product.pid("mongod")
        assert mongod is not None, "mongod does not run"
        with deliveries.Receiver.running() as receiver:
            async with self._client() as client:
                log = stack.root / "log" / "waiting.log"
                return (await Waiting(stack.env, log, client, receiver, mongod).measure(self.sizes.waiting),)

    async def reads(self) -> Sequence[Line]:
        """The dashboard's, with much stored."""
        async with self._client() as client:
            sizes = self.sizes
            return (await reads.measure(self.product.api, client, self.processes, sizes.stored, sizes.seconds),)

    async def _warm_up(self) -> None:
        """Connections, caches and files, made once."""
        async with self._dispatching(PRODUCT_BATCH * len(self.tenant.lines)) as dispatch:
            with self._meta(bare_sends=False, status_webhooks=False):
                await dispatch.reference()
                await dispatch.dramatiq()
                await dispatch.product()

    @contextmanager
    def _meta(self, *, bare_sends: bool, status_webhooks: bool) -> Iterator[None]:
        """How the sandbox behaves inside the block. Otherwise it checks what is sent, and tells what became of it."""
        control = self.product.api.control
        control("PUT", "faults", {"bare_sends": bare_sends, "status_webhooks": status_webhooks})
        yield
        control("PUT", "faults", {"bare_sends": False, "status_webhooks": True})

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        client = await connect(self.product.stack.env["MONGODB_URL"], app_name="bench")
        yield client
        await client.close()

    @asynccontextmanager
    async def _caller(self) -> AsyncIterator[Caller]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False) as http:
            yield Caller(http, self.product.api.gateway, self.product.api.sandbox, self.tenant)

    @asynccontextmanager
    async def _dispatching(self, messages: int) -> AsyncIterator[Dispatch]:
        amqp_url = self.product.stack.env["AMQP_URL"]
        async with (
            self._client() as client,
            rabbit_bus(amqp_url, service="bench") as bus,
            Dispatch.opened(
                bus,
                amqp_url,
                database=database_of(client, "messaging"),
                tenant=self.tenant,
                processes=self.processes,
                messages=messages,
            ) as dispatch,
        ):
            yield dispatch


PARTS: Mapping[str, Callable[[Bench], Awaitable[Sequence[Line]]]] = {
    "dispatch": Bench.dispatch,
    "single": Bench.single,
    "campaigns": Bench.campaigns,
    "statuses": Bench.statuses,
    "payloads": Bench.payloads,
    "answers": Bench.answers,
    "memory": Bench.memory,
    "webchat": Bench.webchat,
    "deliveries": Bench.deliveries,
    "waiting": Bench.waiting,
    "reads": Bench.reads,  # last: what it stores would be in the others' way
}
