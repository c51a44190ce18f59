"""The whole product as processes under one directory: servers, sandbox and services, started and stopped in order."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.calls import answers_ok
from deploy.local.environment import OPERATIONS_BINDS, SERVICES, bind_port, local_environment, local_url, python_module
from deploy.local.ports import Ports, require_free
from deploy.local.processes import Program, wait_until
from deploy.local.progress import Progress
from deploy.local.servers import Servers, last_lines
from deploy.local.supervisor import Supervisor

READY_SECONDS = 60
HOPELESS_STARTS = 3  # who dies this often while we wait does not come up by waiting longer
# Together under 30 s: services finish what they have in hand, the rest has little to do.
STOP_SERVICES_SECONDS = 17
STOP_SANDBOX_SECONDS = 2
STOP_SERVERS_SECONDS = 6
SERVER_NAMES = ("rabbitmq", "mongod")
BINDS = ("SANDBOX_BIND", "GATEWAY_PRIVATE_BIND", "GATEWAY_PUBLIC_BIND", "WEBHOOKS_BIND", *OPERATIONS_BINDS.values())


class NotReadyError(Exception):
    """Something did not come up. The text names it and holds the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One running product. Every process is under the supervisor, by the names `rabbitmq`, `epmd`, `mongod`,
    `sandbox` and those of the services, and comes back on its directory and port when it is killed."""

    root: Path
    env: Mapping[str, str]
    servers: Servers
    supervisor: Supervisor
    progress: Progress

    @classmethod
    def plan(cls, root: Path, environ: Mapping[str, str], ports: Ports, progress: Progress | None = None) -> Self:
        """A stack under `root`; the same root again is the same stack with its data. Starts nothing."""
        progress = progress or Progress()
        return cls(
            root=root,
            env=local_environment(root, environ, ports),
            servers=Servers.plan(root, ports, environ),
            supervisor=Supervisor(progress.say),
            progress=progress,
        )

    @classmethod
    @contextmanager
    def running(cls, root: Path, environ: Mapping[str, str], ports: Ports, progress: Progress) -> Iterator[Self]:
        """A stack that is up inside the block and stopped after it, whatever happens."""
        stack = cls.plan(root, environ, ports, progress)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()

    def start(self) -> None:
        """Bring everything up and return when all of it is ready.

        Raises ServerMissingError, PortTakenError, ServerFailedError or NotReadyError; what was started by then
        runs until `stop`.
        """
        for variable in dict.fromkeys(BINDS):
            require_free(bind_port(self.env[variable]), variable)
        with self.progress.step(f"starting {' and '.join(self._server_titles())}"):
            self.start_sandbox()  # beside the servers, which take longer
            self.servers.start(self.supervisor.spawn)
        with self.progress.step("starting the sandbox"):
            self.wait_until_ready("sandbox")
        with self.progress.step(f"starting the {len(SERVICES)} services"):
            for name in SERVICES:
                self.start_service(name)
            for name in SERVICES:
                self.wait_until_ready(name)

    def start_sandbox(self) -> None:
        """Start the stand-in for Meta."""
        self.supervisor.spawn(self._program("sandbox", python_module("deploy.sandbox"), {}))

    def start_service(self, name: str, *, alias: str | None = None, env: Mapping[str, str] | None = None) -> None:
        """Start a service; under another name and with binds of its own it is one more replica."""
        self.supervisor.spawn(self._program(alias or name, python_module("services", name), env or {}))

    def stop(self) -> None:
        """Stop services, then the sandbox, then broker and database. Data stays."""
        names = self.supervisor.names()
        services = [name for name in names if name not in (*SERVER_NAMES, "sandbox", "epmd")]
        self.supervisor.stop(services, STOP_SERVICES_SECONDS)
        self.supervisor.stop(["sandbox"], STOP_SANDBOX_SECONDS)
        self.supervisor.stop(SERVER_NAMES, STOP_SERVERS_SECONDS)
        self.supervisor.stop(["epmd"], STOP_SANDBOX_SECONDS)

    def url(self, bind: str) -> str:
        """The base address of a listener, by the variable that says where it listens."""
        return local_url(self.env[bind])

    def ready_url(self, name: str) -> str:
        """Where a service, or the sandbox, says whether it is ready."""
        if name == "sandbox":
            return f"{self.url('SANDBOX_BIND')}/healthz"
        return f"{self.url(OPERATIONS_BINDS[name])}/readyz"

    def is_ready(self, name: str) -> bool:
        """Whether a service, or the sandbox, says now that it is ready."""
        return answers_ok(self.ready_url(name))

    def wait_until_ready(self, name: str, timeout_seconds: float = READY_SECONDS) -> None:
        """Return when the service says that it is ready; NotReadyError if it does not."""
        hopeless = self.supervisor.starts(name) + HOPELESS_STARTS

        def is_settled() -> bool:
            gave_up = self.supervisor.gave_up(name) is not None
            return gave_up or self.supervisor.starts(name) >= hopeless or self.is_ready(name)

        wait_until(is_settled, timeout_seconds, poll_seconds=0.1)
        if not self.is_ready(name):
            log = self._log(name)
            raise NotReadyError(f"{name} did not become ready; {log} ends:\n{last_lines(log)}")

    def _program(self, name: str, argv: tuple[str, ...], env: Mapping[str, str]) -> Program:
        return Program(name, argv, {**self.env, **env}, self._log(name), self.root / "run" / f"{name}.pid")

    def _log(self, name: str) -> Path:
        return self.root / "log" / f"{name}.log"

    def _server_titles(self) -> list[str]:
        titles = {"rabbit": "RabbitMQ", "mongod": "MongoDB"}
        return [title for name, title in titles.items() if getattr(self.servers, name) is not None] or ["the sandbox"]
