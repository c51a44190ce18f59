"""A small supervisor: keeps programs running, says when one died, and stops them when it is told to.

One thread for each program starts it, waits for its end and starts it again; nothing else ever collects a child, so
a pid that is known here is never somebody else's.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from deploy.local.processes import Program, send, spawn, wait_until

EX_CONFIG = 78  # the program says that its configuration is wrong: starting it again changes nothing
BACK_OFF_SECONDS = (0.2, 0.5, 1, 2, 5, 10)
STEADY_SECONDS = 10  # whoever ran this long starts again without delay next time
KILL_SECONDS = 5


@dataclass(slots=True)
class _Child:
    program: Program
    pid: int | None = None
    starts: int = 0
    failures: int = 0  # in a row, without a steady run between
    gave_up: str | None = None
    once: dict[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


@dataclass(slots=True)
class Supervisor:
    """Runs programs by name. Safe to use from any thread."""

    announce: Callable[[str], None]
    restarts: bool = True
    hurried: threading.Event = field(default_factory=threading.Event)
    _children: dict[str, _Child] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spawn(self, program: Program) -> None:
        """Start a program and keep it running until `stop`. OSError if it cannot be started at all."""
        child = _Child(program)
        child.thread = threading.Thread(target=self._keep_running, args=(child,), name=program.name, daemon=True)
        with self._lock:
            self._children[program.name] = child
        child.thread.start()
        wait_until(lambda: child.starts or child.gave_up, timeout_seconds=10)
        if not child.starts:
            raise OSError(f"{program.name} could not be started: {child.gave_up}")

    def pid(self, name: str) -> int | None:
        """The process that runs under this name now; None between its death and its next start."""
        return self._children[name].pid

    def starts(self, name: str) -> int:
        """How often the program was started; grows by one each time that it comes back."""
        return self._children[name].starts

    def gave_up(self, name: str) -> str | None:
        """Why the program is not started again, or None as long as it is kept running."""
        return self._children[name].gave_up

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to a program; False if it is not running at this moment."""
        return send(self._children[name].program.pid_file, number)

    def once(self, name: str, env: Mapping[str, str]) -> None:
        """Give the program these variables at its next start, and only then."""
        self._children[name].once = dict(env)

    def names(self) -> list[str]:
        """All programs, in the order in which they were started."""
        return list(self._children)

    def stop(self, names: Iterable[str], timeout_seconds: float) -> list[str]:
        """Ask these programs to end, all at once, and kill those that have not in time; returns the killed ones.

        After `hurry` nobody is waited for.
        """
        children = [self._children[name] for name in names if name in self._children]
        with self._lock:
            for child in children:
                child.stopping.set()
        for child in children:
            send(child.program.pid_file, signal.SIGTERM)
            send(child.program.pid_file, signal.SIGCONT)  # a frozen process hears nothing before it goes on
        wait_until(lambda: self.hurried.is_set() or not _running(children), timeout_seconds)
        killed = _running(children)
        for child in killed:
            send(child.program.pid_file, signal.SIGKILL)
        wait_until(lambda: not _running(children), KILL_SECONDS)
        return [child.program.name for child in killed]

    def hurry(self) -> None:
        """Cut every wait of `stop` short."""
        self.hurried.set()

    def _keep_running(self, child: _Child) -> None:
        try:
            while (pid := self._start(child)) and self._shall_start_again(child, pid):
                pass
        except OSError as error:
            child.gave_up = str(error)
        child.program.pid_file.unlink(missing_ok=True)

    def _start(self, child: _Child) -> int | None:
        """Start the program unless it shall stop. Under the lock, so that `stop` misses nobody."""
        with self._lock:
            if child.stopping.is_set():
                return None
            program = replace(child.program, env={**child.program.env, **child.once})
            child.once = {}
            child.pid = spawn(program)
            child.starts += 1
            return child.pid

    def _shall_start_again(self, child: _Child, pid: int) -> bool:
        """Wait for the program's end and the time to start it again; False if that shall not be."""
        began = time.monotonic()
        exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        child.pid = None
        if child.stopping.is_set():
            return False
        ending = _ending(exit_code)
        if not self.restarts or exit_code == EX_CONFIG:
            child.gave_up = ending
            self.announce(f"{child.program.name} {ending} and is not started again; see {child.program.log}")
            return False
        child.failures = 0 if time.monotonic() - began >= STEADY_SECONDS else child.failures + 1
        delay = BACK_OFF_SECONDS[min(child.failures, len(BACK_OFF_SECONDS) - 1)]
        self.announce(f"{child.program.name} {ending}; starting it again in {delay} s; see {child.program.log}")
        return not child.stopping.wait(delay)


def _running(children: Iterable[_Child]) -> list[_Child]:
    return [child for child in children if child.thread is not None and child.thread.is_alive()]


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with code {exit_code}"
