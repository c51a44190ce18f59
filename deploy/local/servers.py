"""The broker and the database together: started if ours, left alone if an address was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.mongod import Mongod
from deploy.local.ports import Ports
from deploy.local.processes import Program, find, spawn, stop, wait_until
from deploy.local.rabbit import Rabbit

STOP_SECONDS = 10
START_SECONDS = 60
LAST_LINES = 15


class ServerFailedError(Exception):
    """A server did not come up. The text holds the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers that a stack needs; None where an address from outside is used instead."""

    rabbit: Rabbit | None
    mongod: Mongod | None
    amqp_url: str
    mongodb_url: str

    @classmethod
    def plan(cls, root: Path, ports: Ports, environ: Mapping[str, str]) -> Self:
        """Servers of our own under `root`, except where AMQP_URL or MONGODB_URL names another. Starts nothing."""
        rabbit = None if environ.get("AMQP_URL") else Rabbit(root, ports)
        mongod = None if environ.get("MONGODB_URL") else Mongod(root, ports.mongodb)
        return cls(
            rabbit=rabbit,
            mongod=mongod,
            amqp_url=rabbit.url if rabbit else environ["AMQP_URL"],
            mongodb_url=mongod.url if mongod else environ["MONGODB_URL"],
        )

    @property
    def own(self) -> list[Rabbit | Mongod]:
        """Those that are ours to start and stop, the slower one first."""
        return [server for server in (self.rabbit, self.mongod) if server is not None]

    @property
    def pid_files(self) -> list[Path]:
        """Where the processes of our own servers are written down, in the order of stopping."""
        files = [server.pid_file for server in self.own]
        return files + ([self.rabbit.epmd_pid_file] if self.rabbit else [])

    def start(self, launch: Callable[[Program], object] = spawn) -> None:
        """Start what does not run yet and return when all can be used.

        `launch` starts one program: on its own by default, or under a supervisor. Raises ServerMissingError,
        PortTakenError or ServerFailedError.
        """
        launched = [program for server in self.own for program in _launch(server, launch)]
        for server in self.own:
            if not _comes_up(server, launched) and server.pid_file not in {each.pid_file for each in launched}:
                launched += _launch(server, launch)  # it was found running while it was ending
            if not _comes_up(server, launched):
                raise ServerFailedError(_failure(launched or server.programs()))

    def stop(self) -> None:
        """Stop our own servers and leave their data in place."""
        for pid_files in ([server.pid_file for server in self.own], self.pid_files):
            stop(pid_files, STOP_SECONDS)


def last_lines(log: Path) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return f"(no log at {log})"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])


def _launch(server: Rabbit | Mongod, launch: Callable[[Program], object]) -> list[Program]:
    if find(server.pid_file) is not None:  # left running by an earlier start
        return []
    programs = [program for program in server.programs() if find(program.pid_file) is None]
    if len(programs) == len(server.programs()):
        server.require_free_ports()
    for program in programs:
        launch(program)
    return programs


def _comes_up(server: Rabbit | Mongod, launched: list[Program]) -> bool:
    """Wait until a server can be used or has ended; whether it can."""
    wait_until(lambda: server.is_ready() or find(server.pid_file) is None or bool(_ended(launched)), START_SECONDS)
    return server.is_ready()


def _ended(programs: list[Program]) -> list[Program]:
    return [program for program in programs if find(program.pid_file) is None]


def _failure(programs: list[Program]) -> str:
    guilty = _ended(programs) or programs
    return "\n".join(f"{each.name} did not come up; its log ends:\n{last_lines(each.log)}" for each in guilty)
