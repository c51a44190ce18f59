"""Our own broker and database survive what happens to them on a developer's machine."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aio_pika
import pytest
from pymongo import MongoClient

from deploy.local.ports import Ports
from deploy.local.processes import find, identity, send, wait_until
from deploy.local.rabbit import Rabbit
from deploy.local.servers import Servers
from tests.servers import SharedServers

pytestmark = pytest.mark.system


ELSEWHERE = {"AMQP_URL": "amqp://elsewhere/"}  # leaves the slower of the two servers out


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers.plan(tmp_path_factory.mktemp("servers"), Ports.free(), {})
    servers.start()
    yield servers
    servers.stop()


def test_servers_that_run_are_not_started_twice(own_servers: Servers) -> None:
    before = [find(pid_file) for pid_file in own_servers.pid_files]

    own_servers.start()

    assert [find(pid_file) for pid_file in own_servers.pid_files] == before
    assert None not in before


async def test_killed_servers_come_back_with_their_data_also_on_another_port(own_servers: Servers) -> None:
    mongod, rabbit = own_servers.mongod, own_servers.rabbit
    assert mongod
    assert rabbit
    await _store(own_servers)
    assert wait_until(lambda: _knows_its_queue(rabbit), timeout_seconds=60)
    for pid_file in (mongod.pid_file, rabbit.pid_file):
        send(pid_file, signal.SIGKILL)
    moved = replace(own_servers, mongod=replace(mongod, port=Ports.free().mongodb))

    moved.start()

    assert moved.mongod
    assert _things(moved.mongod.url) == 1
    assert await _take(rabbit.url) == b"kept"


def test_stopped_servers_leave_no_process_behind(tmp_path: Path) -> None:
    servers = Servers.plan(tmp_path, Ports.free(), ELSEWHERE)
    servers.start()
    pids = [find(pid_file) for pid_file in servers.pid_files]

    servers.stop()

    assert len(pids) == 1
    assert [identity(pid or os.getpid()) for pid in pids] == [None]


def test_shared_servers_stay_until_the_last_one_leaves(tmp_path: Path) -> None:
    shared = SharedServers(ELSEWHERE, tmp_path)

    with shared.joined(keep=False) as first:
        with shared.joined(keep=False) as second:
            pid = find(second.pid_files[0])
        left_running = find(first.pid_files[0])

    assert pid is not None
    assert left_running == pid
    assert find(first.pid_files[0]) is None


def _knows_its_queue(rabbit: Rabbit) -> bool:
    """A quorum queue is written into the list of those to recover half a second after it was declared.

    A broker killed earlier comes back with a queue that answers nobody. The messages in it are safe only after that.
    """
    return any(b"kept" in names.read_bytes() for names in rabbit.home.glob("data/**/names.dets"))


async def _store(servers: Servers) -> None:
    with MongoClient[dict[str, int]](servers.mongodb_url, w="majority", journal=True) as client:
        client.shop.things.insert_one({"_id": 1})
    connection = await aio_pika.connect(servers.amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"kept"), routing_key="kept")


def _things(url: str) -> int:
    with MongoClient[dict[str, int]](url) as client:
        return client.shop.things.count_documents({})


async def _take(url: str) -> bytes:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue("kept")
        message = await queue.get(timeout=60)
        assert message is not None
        await message.ack()
        return message.body
