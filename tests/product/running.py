"""Bringing the product up for a test: every process real, nothing shared with a product that runs beside it."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TextIO

from deploy.local.calls import answers_ok
from deploy.local.environment import OPERATIONS_BINDS, local_url, python_module
from deploy.local.ports import Ports, free_ports
from deploy.local.processes import Program, wait_until
from deploy.local.progress import Progress
from deploy.local.stack import Stack
from tests.product.api import Api

# Nothing else of the developer's environment: an AMQP_URL or a META_GRAPH_URL there would lead a test elsewhere.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")
READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Product:
    """A running product: its processes to be killed, and its API to be used."""

    stack: Stack
    api: Api
    _ready_urls: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def running(
        cls, root: Path, settings: Mapping[str, str] | None = None, out: TextIO | None = None
    ) -> Iterator[Self]:
        """A product under `root` that is up inside the block, with `settings` as variables of every process."""
        environ = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | dict(settings or {})
        progress = Progress(out) if out else Progress()
        with Stack.running(root, environ, Ports.free(), progress) as stack, Api.opened(stack) as api:
            urls = {name: stack.ready_url(name) for name in OPERATIONS_BINDS}
            yield cls(stack, api, urls)

    @property
    def logs(self) -> list[Path]:
        """Everything that any process has written."""
        return sorted((self.stack.root / "log").glob("*.log"))

    def pid(self, name: str) -> int | None:
        """The process of that name now, or None between its death and its next start."""
        return self.stack.supervisor.pid(name)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal; False if the process was not running."""
        return self.stack.supervisor.kill(name, number)

    def starts(self, name: str) -> int:
        """How often the process was started so far."""
        return self.stack.supervisor.starts(name)

    def is_ready(self, name: str) -> bool:
        """Whether a service (or a replica of one) says that it is ready."""
        return answers_ok(self._ready_urls[name])

    def services(self) -> list[str]:
        """Every service and replica that is kept running."""
        return list(self._ready_urls)

    def wait_until_ready(self, *names: str) -> None:
        """Return when these services, or all, are ready. AssertionError if one is not within a minute."""
        for name in names or self.services():
            assert wait_until(lambda name=name: self.is_ready(name), READY_SECONDS, poll_seconds=0.1), (  # type: ignore[misc]
                f"{name} is not ready; see {self.stack.root / 'log'}"
            )

    def stop(self, *names: str, timeout_seconds: float = 30) -> None:
        """Stop processes, so that they stay down."""
        self.stack.supervisor.stop(names, timeout_seconds)

    def start(self, name: str, module: str = "services", *arguments: str, alias: str | None = None) -> None:
        """Start a stopped service, perhaps by another command line; under an alias as one more replica of it."""
        bind = OPERATIONS_BINDS[name]
        env = dict(self.stack.env)
        if alias:
            env[bind] = f"127.0.0.1:{free_ports(1)[0]}"
        log, pid_file = (
            self.stack.root / "log" / f"{alias or name}.log",
            self.stack.root / "run" / f"{alias or name}.pid",
        )
        argv = python_module(module, *arguments, name)
        self._ready_urls[alias or name] = f"{local_url(env[bind])}/readyz"
        self.stack.supervisor.spawn(Program(alias or name, argv, env, log, pid_file))

    def start_servers(self) -> None:
        """Start the broker or the database again after `stop`."""
        self.stack.servers.start(self.stack.supervisor.spawn)


def stop_in_order_when_told_to() -> None:
    """Let SIGTERM end this program as Ctrl-C does, so that no server that it started outlives it."""
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background jobs begin with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
