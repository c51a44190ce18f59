"""The real broker and database that tests run against, found or started once and shared by all who test here."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deploy.local.ports import Ports
from deploy.local.rabbit import SERVER as RABBITMQ
from deploy.local.servers import Servers
from tests.containers import Containers, docker_answers

ROOT = Path(__file__).parent.parent / ".local" / "test"


class NoServersError(Exception):
    """Neither addresses nor programs nor Docker: the tests cannot run, and say so instead of passing by."""


@dataclass(frozen=True, slots=True)
class RealServers:
    """Where the broker and the database are, and how a test gets a broker of its own within the broker."""

    amqp_url: str
    mongodb_url: str
    add_vhost: Callable[[str], str]
    delete_vhost: Callable[[str], None]


def origin(environ: Mapping[str, str]) -> str:
    """Where the servers come from, in words: "address given", "local programs" or "containers"."""
    if environ.get("AMQP_URL") and environ.get("MONGODB_URL"):
        return "addresses from AMQP_URL and MONGODB_URL"
    if environ.get("AMQP_URL") or RABBITMQ.exists():
        return f"local programs under {ROOT.relative_to(Path.cwd()) if ROOT.is_relative_to(Path.cwd()) else ROOT}"
    if docker_answers():
        return "containers"
    raise NoServersError(
        "tests need RabbitMQ: `make test` installs it; or set AMQP_URL and MONGODB_URL; or start Docker"
    )


@contextmanager
def real_servers(environ: Mapping[str, str], *, keep: bool = False) -> Iterator[RealServers]:
    """Servers for one session of tests; whoever leaves last stops what was started, unless told to keep it."""
    if origin(environ) == "containers":
        with Containers.started() as containers:
            yield RealServers(
                containers.amqp_url(""), containers.mongodb_url, containers.add_vhost, containers.delete_vhost
            )
        return
    with SharedServers(environ).joined(keep=keep) as servers:
        yield _in_words_of_tests(servers)


@dataclass(frozen=True, slots=True)
class SharedServers:
    """Servers that several test processes use at once: xdist's workers, and colleagues in the same checkout.

    Everyone who uses them holds a shared lock, which the kernel takes back even from a killed process. Who starts
    or stops them holds the other lock alone.
    """

    environ: Mapping[str, str]
    root: Path = field(default=ROOT)

    @contextmanager
    def joined(self, *, keep: bool) -> Iterator[Servers]:
        """Start the servers if nobody has, and stop them on the way out if nobody else is left."""
        with self._opened("users.lock") as users:
            try:
                with self._alone():
                    fcntl.flock(users, fcntl.LOCK_SH)
                    servers = Servers.plan(self.root, self._ports(), self.environ)
                    servers.start()
                yield servers
            finally:
                with self._alone():
                    if not keep and _is_last(users):  # processes are known by their files, whatever their ports
                        Servers.plan(self.root, Ports(), self.environ).stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._opened("starting.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _opened(self, name: str) -> IO[str]:
        self.root.mkdir(parents=True, exist_ok=True)
        return (self.root / name).open("a+")

    def _ports(self) -> Ports:
        """The ports of the servers that run already, else free ones."""
        file = self.root / "ports"
        if file.exists():
            amqp, mongodb = map(int, file.read_text().split())
            planned = Ports(amqp=amqp, mongodb=mongodb)
            if any(server.is_ready() for server in Servers.plan(self.root, planned, self.environ).own):
                return planned
        ports = Ports.free()
        file.write_text(f"{ports.amqp} {ports.mongodb}\n")
        return ports


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_words_of_tests(servers: Servers) -> RealServers:
    rabbit = servers.rabbit
    if rabbit is None:  # somebody else's broker: its one virtual host is all that we may use
        return RealServers(servers.amqp_url, servers.mongodb_url, lambda _: servers.amqp_url, lambda _: None)

    def add_vhost(name: str) -> str:
        rabbit.add_vhost(name)
        return rabbit.vhost_url(name)

    return RealServers(servers.amqp_url, servers.mongodb_url, add_vhost, rabbit.delete_vhost)


def fresh_name() -> str:
    """A name for a database or a virtual host that no other test uses, here or in another process."""
    return f"test_{os.getpid()}_{secrets.token_hex(6)}"
