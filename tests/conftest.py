"""What every test may ask for. A test that asks for one of MARKING_FIXTURES is marked by that alone."""

import gc
import os
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser
from pymongo.errors import AutoReconnect
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from shared.mongo import Client, Database, connect
from tests.browser import chromium
from tests.emptying import empty
from tests.explaining import Watched, watching
from tests.servers import NoServersError, RealServers, fresh_name, origin, real_servers

MARKING_FIXTURES = {
    "servers": "database",  # they come together, whatever fixture or test of a folder asks for them
    "rabbit": "rabbit",
    "nginx": "nginx",
    "node": "node",
    "browser": "browser",
}
LONG = (  # a minute and more in few tests: begun at the end, it would leave the other processes without work
    "system/",
    "crash/test_crash.py",
    "crash/test_mutants.py",
    "gateway/openapi/test_fuzz_dashboard.py",
    "gateway/openapi/test_fuzz_external.py",
    "templates/test_properties.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a developer keep the servers between runs."""
    parser.addoption("--keep-servers", action="store_true", help="leave the test servers running for the next run")


def pytest_report_header() -> str:
    """Say which servers this run would use."""
    try:
        return f"servers: {origin(os.environ)}"
    except NoServersError as error:  # fatal only for the tests that ask for them
        return f"servers: none; {error}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage: thousands of modules and models are made, and all of them stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hand out tests by the file, but those of the running product together: it would run twice."""
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real server or program, so that `make test-fast` leaves it out, and begin with what is long."""
    for item in items:
        for name, mark in MARKING_FIXTURES.items():
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (_place_among_long(item), -sizes[item.path]))


def _place_among_long(item: pytest.Item) -> int:
    place = item.nodeid.removeprefix("tests/")
    return next((number for number, start in enumerate(LONG) if place.startswith(start)), len(LONG))


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist tells no types
    def _split_scope(self, nodeid: str) -> str:
        return "tests/system" if nodeid.startswith("tests/system/") else str(super()._split_scope(nodeid))


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[RealServers]:
    """The real broker and database. Fails where there are none: a skipped test proves nothing."""
    with real_servers(os.environ, keep=pytestconfig.getoption("--keep-servers")) as found:
        yield found


@pytest.fixture(scope="session")
async def mongodb_client(servers: RealServers) -> AsyncIterator[Client]:
    """One client for the session, built as the product builds it."""
    client = await connect(servers.mongodb_url, app_name="tests")
    yield client
    await client.close()


@pytest.fixture(scope="session")
def node() -> Path:
    """Node: the machine's if it is recent, else the one that the bootstrap has put beside our Python."""
    ours = Path(sys.executable).parent / "node"
    found = str(ours) if ours.exists() else shutil.which("node")
    if found is None:
        raise FileNotFoundError("there is no Node: `make test` installs one")
    return Path(found)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window, one for the session. Each visitor is a context of their own: `new_context()`."""
    async with chromium() as started:
        yield started


@pytest.fixture(scope="session")
async def _databases_of_folders(mongodb_client: Client) -> AsyncIterator[defaultdict[Path, Database]]:
    """One for each folder of tests, gone at the end."""
    kept = defaultdict[Path, Database](lambda: mongodb_client[fresh_name()])
    yield kept
    for database in kept.values():
        await mongodb_client.drop_database(database.name)


@pytest.fixture
async def database(
    request: pytest.FixtureRequest, mongodb_client: Client, _databases_of_folders: defaultdict[Path, Database]
) -> Database:
    """An empty database. Making collections and indexes takes longer than most tests, so those stay in each folder."""
    await _find_connections_anew(mongodb_client)
    database = _databases_of_folders[request.path.parent]
    await empty(database)
    return database


async def _find_connections_anew(client: Client) -> None:
    """While a test without a loop runs, the driver misses its heartbeats: what that breaks had better break here."""
    for _ in range(3):
        with suppress(AutoReconnect):
            await client.admin.command("ping")
            return
    await client.admin.command("ping")


@pytest.fixture
async def watched(servers: RealServers, database: Database) -> AsyncIterator[Watched]:
    """The test's database, through a client that keeps every query: which of them used no index?"""
    async with watching(servers.mongodb_url, database.name) as watched:
        yield watched


@pytest.fixture
def rabbit(servers: RealServers) -> Iterator[str]:
    """The address of an empty virtual host of the test's own, gone afterwards."""
    name = fresh_name()
    yield servers.add_vhost(name)
    servers.delete_vhost(name)
