"""The broker dies, comes back, or runs short of memory: services live through it without a restart."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from deploy.local.ports import Ports
from deploy.local.processes import send
from deploy.local.rabbit import Rabbit
from deploy.local.servers import Servers
from shared.bus.port import Received
from shared.bus.rabbit import RabbitBus, rabbit_bus
from shared.contracts.messaging import Credits, GetCredits
from shared.contracts.webhooks import MetaStatusesReceived
from shared.errors import BusUnavailableError, ReplyTimeoutError
from shared.settings import ConfigurationError
from tests.eventually import eventually
from tests.shared.bus.conftest import IMPATIENT
from tests.shared.bus.samples import CREDITS, GET_CREDITS, name_of, statuses

pytestmark = pytest.mark.rabbit


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A broker that these tests may kill."""
    broker = Rabbit(tmp_path_factory.mktemp("broker"), Ports.free())
    servers = Servers(rabbit=broker, mongod=None, amqp_url=broker.url, mongodb_url="")
    servers.start()
    yield servers
    servers.stop()


def kill(servers: Servers) -> None:
    assert servers.rabbit is not None
    assert send(servers.rabbit.pid_file, signal.SIGKILL)


async def start(servers: Servers) -> None:
    await asyncio.to_thread(servers.start)


def limit_memory(servers: Servers, limit: str) -> None:
    assert servers.rabbit is not None
    servers.rabbit.evaluate(f"vm_memory_monitor:set_vm_memory_high_watermark({limit}).")


@pytest.fixture
async def gateway(own_broker: Servers) -> AsyncIterator[RabbitBus]:
    async with rabbit_bus(own_broker.amqp_url, service="gateway") as bus:
        yield bus


@pytest.fixture
async def messaging(own_broker: Servers) -> AsyncIterator[RabbitBus]:
    async with rabbit_bus(own_broker.amqp_url, service="messaging", patience=IMPATIENT) as bus:
        yield bus


async def get_credits(query: GetCredits) -> Credits:
    return CREDITS


async def test_services_go_on_by_themselves_after_the_broker_was_killed(
    own_broker: Servers, gateway: RabbitBus, messaging: RabbitBus
) -> None:
    confirmed: list[str] = []
    heard: set[str] = set()

    async def listen(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        heard.update(name_of(each.message) for each in events)

    async def publish(number: int) -> None:
        await gateway.publish(statuses(f"wamid.{number}"))
        confirmed.append(f"wamid.{number}")

    messaging.on(GetCredits, get_credits)
    messaging.on_group(MetaStatusesReceived, listen)
    async with messaging.consuming():
        publishes = [asyncio.create_task(publish(number)) for number in range(2000)]
        await eventually(lambda: len(confirmed) > 100)
        kill(own_broker)
        failures = [e for e in await asyncio.gather(*publishes, return_exceptions=True) if e is not None]
        with pytest.raises(BusUnavailableError):
            await gateway.check()
        with pytest.raises(BusUnavailableError):
            await gateway.request(GET_CREDITS, timeout_seconds=1)
        await start(own_broker)
        await eventually(lambda: answers(gateway), timeout_seconds=20)
        await eventually(lambda: heard >= set(confirmed), timeout_seconds=20)
        await asyncio.gather(gateway.check(), messaging.check())

    assert {type(failure) for failure in failures} <= {BusUnavailableError}


async def answers(bus: RabbitBus) -> bool:
    """Whether a request gets through and back."""
    try:
        return await bus.request(GET_CREDITS, timeout_seconds=1) == CREDITS
    except (BusUnavailableError, ReplyTimeoutError):
        return False


async def test_a_caller_whose_request_was_handed_over_is_told_that_nobody_knows(
    own_broker: Servers, gateway: RabbitBus, messaging: RabbitBus
) -> None:
    begun = asyncio.Event()

    async def take_long(query: GetCredits) -> Credits:
        begun.set()
        await asyncio.Event().wait()
        return CREDITS

    messaging.on(GetCredits, take_long)
    async with messaging.consuming():
        request = asyncio.create_task(gateway.request(GET_CREDITS, timeout_seconds=1))
        await begun.wait()
        kill(own_broker)

        with pytest.raises(ReplyTimeoutError):
            await request
        await start(own_broker)


async def test_a_broker_short_of_memory_takes_nothing_and_still_gives(
    own_broker: Servers, gateway: RabbitBus, messaging: RabbitBus
) -> None:
    heard: list[str] = []
    let_go = asyncio.Event()

    async def listen(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        await let_go.wait()
        heard.extend(name_of(each.message) for each in events)

    async def is_blocked() -> bool:
        try:
            await gateway.publish(statuses("refused"))
            await gateway.check()
        except BusUnavailableError:
            return True
        return False

    messaging.on_group(MetaStatusesReceived, listen)
    async with messaging.consuming():
        await gateway.publish(statuses("before"))
        limit_memory(own_broker, "{absolute, 1000}")
        try:
            assert await eventually(is_blocked, timeout_seconds=30)
            with pytest.raises(BusUnavailableError):
                await gateway.check()
            with pytest.raises(BusUnavailableError):
                await gateway.publish(statuses("never"))
            let_go.set()
            await eventually(lambda: "before" in heard)
        finally:
            limit_memory(own_broker, "0.4")
        assert await eventually(lambda: is_ready(gateway))
        await gateway.publish(statuses("after"))
        await eventually(lambda: "after" in heard)

    assert "never" not in heard


async def is_ready(bus: RabbitBus) -> bool:
    """Whether the bus counts itself ready."""
    try:
        await bus.check()
    except BusUnavailableError:
        return False
    return True


@pytest.mark.parametrize("address", ["amqp://guest:wrong@{host}/", "amqp://guest:guest@{host}/no_such_vhost"])
async def test_an_address_that_can_never_work_is_a_configuration_error(own_broker: Servers, address: str) -> None:
    host = own_broker.amqp_url.partition("@")[2].rstrip("/")

    with pytest.raises(ConfigurationError, match="AMQP_URL"):
        async with rabbit_bus(address.format(host=host), service="gateway"):
            pass
