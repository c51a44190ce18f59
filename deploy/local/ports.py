"""The ports of one stack: the defaults, free ones for tests, and who holds a port that is taken."""

import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Self

from deploy.local.processes import wait_until

LINGER_SECONDS = 2  # a killed server's port is held until the last of its threads is gone
LISTENING = "0A"  # the state column of /proc/net/tcp
HIGHEST_AMQP_PORT = 45_000
# Below the range from which the system draws the ports of outgoing connections: a server that is killed and
# started again must find its port still free.
FREE_PORTS = range(12_000, 32_000)
FREE_AMQP_PORTS = range(6_000, 12_000)


class PortTakenError(Exception):
    """A port that we need is held by somebody else. The text names the port, the holder and the variable to set."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of one stack, all on 127.0.0.1."""

    mongodb: int = 27117
    amqp: int = 5772
    gateway_private: int = 4000
    gateway_public: int = 4001
    webhooks: int = 4002
    messaging_ops: int = 4003
    templates_ops: int = 4004
    campaigns_ops: int = 4005
    agents_ops: int = 4006
    webhooks_ops: int = 4007
    sandbox: int = 4010

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """The defaults, with LOCAL_MONGODB_PORT and LOCAL_AMQP_PORT applied. ValueError names a bad variable."""
        return cls(
            mongodb=_number(environ, "LOCAL_MONGODB_PORT", cls().mongodb, 65_535),
            amqp=_number(environ, "LOCAL_AMQP_PORT", cls().amqp, HIGHEST_AMQP_PORT),
        )

    @classmethod
    def free(cls) -> Self:
        """Ports that nobody holds now, so that many stacks run beside each other."""
        amqp = _free_amqp_port()
        names = [field.name for field in fields(cls) if field.name != "amqp"]
        return cls(amqp=amqp, **dict(zip(names, free_ports(len(names)), strict=True)))

    @property
    def amqp_distribution(self) -> int:
        """Where the broker's node talks to its tools. The distance is RabbitMQ's own habit (5672 and 25672)."""
        return self.amqp + 20_000

    @property
    def amqp_epmd(self) -> int:
        """Where the broker's name service listens; our own, so that a system one is neither used nor disturbed."""
        return self.amqp + 10_000


def free_ports(count: int) -> list[int]:
    """Different ports that nobody holds at this moment."""
    drawn = random.sample(FREE_PORTS, len(FREE_PORTS))
    return list(islice(filter(is_free, drawn), count))


def require_free(port: int, variable: str) -> None:
    """Raise PortTakenError if somebody listens on the port already."""
    if wait_until(lambda: is_free(port), LINGER_SECONDS):
        return
    holder = port_holder(port) or "another program"
    raise PortTakenError(f"port {port} is in use by {holder}; set {variable} to another port")


def is_free(port: int) -> bool:
    """Whether we could listen on the port now."""
    with socket.socket() as attempt:
        # As servers do: connections that linger after a restart are no obstacle.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_holder(port: int) -> str | None:
    """The process that listens on the port, as "pid 123 (its command)", or None if it cannot be told."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & set(_open_files(process)):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            return f"pid {process.name} ({command[:80]})"
    return None


def _listening_inodes(port: int) -> list[str]:
    rows = [
        line.split()
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    return [row[9] for row in rows if row[3] == LISTENING and row[1].endswith(f":{port:04X}")]


def _open_files(process: Path) -> Iterator[str]:
    try:
        for link in (process / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed while we look
                yield str(link.readlink())
    except OSError:  # not ours to look at, or just ended
        return


def _number(environ: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= highest):
        raise ValueError(f"{name} must be a port between 1024 and {highest}, not {text!r}")
    return int(text)


def _free_amqp_port() -> int:
    """A free port whose two companions are free as well."""
    for port in random.sample(FREE_AMQP_PORTS, len(FREE_AMQP_PORTS)):
        ports = Ports(amqp=port)
        if all(map(is_free, (port, ports.amqp_distribution, ports.amqp_epmd))):
            return port
    raise PortTakenError("no free port for a broker was found")
