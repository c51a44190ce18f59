"""Starting programs that outlive their starter, and recognising them again by their pid files."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.02
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Python ignores SIGPIPE, and a shell in the background ignores SIGINT: neither may be passed on to a server.
RESTORED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run: what, with which environment, and where it leaves its log and its pid."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    pid_file: Path


def spawn(program: Program) -> int:
    """Start a program in a session of its own, output appended to its log, and return its pid.

    A session of its own keeps the terminal's Ctrl-C away from it: whoever started it stops it, in order.
    """
    program.log.parent.mkdir(parents=True, exist_ok=True)
    program.pid_file.parent.mkdir(parents=True, exist_ok=True)
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        program.argv[0],
        program.argv,
        program.env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(program.log), append, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=RESTORED_SIGNALS,
    )
    remember(program.pid_file, pid)
    return pid


def remember(pid_file: Path, pid: int) -> None:
    """Write down a process so that `find` recognises exactly this one and no later owner of its number."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    partial = pid_file.with_suffix(".partial")
    partial.write_text(f"{pid} {identity(pid) or 'gone'}\n")
    partial.replace(pid_file)


def find(pid_file: Path) -> int | None:
    """The pid of the process that the file was written for, or None if that process has ended."""
    try:
        pid_text, _, known = pid_file.read_text().strip().partition(" ")
        pid = int(pid_text)
    except (FileNotFoundError, ValueError):
        return None
    return pid if known == identity(pid) else None


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same pid: when it started, and in which boot; None if ended."""
    try:
        # The name in the second field may hold spaces and parentheses: count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX":  # ended, only not yet collected by its parent
        return None
    return f"{fields[19]} {BOOT_ID.read_text().strip()}"


def stop(pid_files: list[Path], timeout_seconds: float) -> None:
    """Ask the processes to end, all at once; kill those that have not after the time given. Removes the files."""
    for pid_file in pid_files:
        send(pid_file, signal.SIGTERM)
        send(pid_file, signal.SIGCONT)  # a frozen process hears nothing before it goes on
    if not wait_until(lambda: not any(map(find, pid_files)), timeout_seconds):
        for pid_file in pid_files:
            send(pid_file, signal.SIGKILL)
        wait_until(lambda: not any(map(find, pid_files)), timeout_seconds=10)
    for pid_file in pid_files:
        _collect(pid_file)
        pid_file.unlink(missing_ok=True)


def send(pid_file: Path, number: signal.Signals) -> bool:
    """Send a signal to the process that the file names; False if it has ended."""
    pid = find(pid_file)
    if pid is None:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # ended between the two lines
        return False
    return True


def wait_until(condition: Callable[[], object], timeout_seconds: float, *, poll_seconds: float = POLL_SECONDS) -> bool:
    """Ask again and again until the condition holds (True) or the time is over (False)."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_seconds)
    return True


def _collect(pid_file: Path) -> None:
    """Take an ended child out of the process table, if it was ours."""
    try:
        os.waitpid(int(pid_file.read_text().split()[0]), 0)
    except (FileNotFoundError, ChildProcessError, ValueError, IndexError):
        return
