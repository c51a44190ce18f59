"""`make run`, `make stop` and `make status`: the product in the foreground of one terminal."""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deploy.local.calls import NoAnswerError
from deploy.local.demo import RECIPIENT, Demo, DemoError, DemoSeeder
from deploy.local.mongod import ServerMissingError
from deploy.local.ports import Ports, PortTakenError
from deploy.local.processes import find, remember, send, stop, wait_until
from deploy.local.progress import Progress
from deploy.local.servers import ServerFailedError
from deploy.local.stack import NotReadyError, Stack

RUNNING_STOPS_SECONDS = 35
LEFTOVER_STOPS_SECONDS = 10
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What can be said in a few words to the person at the terminal; anything else is a defect and shows its traceback.
EXPECTED_ERRORS = (
    *(PortTakenError, ServerMissingError, ServerFailedError, NotReadyError),
    *(DemoError, NoAnswerError, ValueError, OSError),
)


class StopRequested(BaseException):
    """Somebody pressed Ctrl-C: raised in the main thread by the first signal, wherever it is at that moment."""


def run(root: Path, environ: Mapping[str, str]) -> int:
    """Bring everything up, seed the demo, stay until a signal, stop everything. Returns the exit code."""
    progress = Progress()
    run_file = root / "run" / "run.pid"
    with _lock(root) as is_ours:
        if not is_ours:
            progress.say(f"already running from this checkout as process {find(run_file)}; `make stop` ends it")
            return 1
        remember(run_file, os.getpid())
        try:
            _stop_leftovers(root, progress)
            stack = Stack.plan(root, environ, Ports.from_environ(environ), progress)
            return _run_until_told_to_stop(stack, environ)
        except EXPECTED_ERRORS as error:
            progress.say(str(error))
            return 1
        finally:
            run_file.unlink(missing_ok=True)


def stop_running(root: Path) -> int:
    """Stop a running product, and what a killed one has left. Returns the exit code."""
    progress = Progress()
    run_file = root / "run" / "run.pid"
    if send(run_file, signal.SIGTERM):
        with progress.step(f"stopping process {find(run_file) or ''}"):
            wait_until(lambda: find(run_file) is None, RUNNING_STOPS_SECONDS)
    _stop_leftovers(root, progress)
    if find(run_file) is not None:
        progress.say(f"process {find(run_file)} does not stop")
        return 1
    return 0


def status(root: Path) -> int:
    """Show every process that was started from this directory. Returns the exit code."""
    progress = Progress()
    for pid_file in sorted((root / "run").glob("*.pid")):
        pid = find(pid_file)
        progress.say(f"  {pid_file.stem:<12} {f'process {pid}' if pid else 'ended'}")
    progress.say("running" if find(root / "run" / "run.pid") else "not running")
    return 0


@contextmanager
def _lock(root: Path) -> Iterator[bool]:
    """Whether nobody else runs here; taken back by the kernel even from a killed process."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _run_until_told_to_stop(stack: Stack, environ: Mapping[str, str]) -> int:
    _listen_for_signals(stack)
    try:
        stack.start()
        _show(stack, _seed(stack, environ))
        threading.Event().wait()
    except StopRequested:
        return 0
    finally:
        _stop(stack)
    return 0


def _stop(stack: Stack) -> None:
    with stack.progress.step("stopping everything; data stays in place"):
        try:
            stack.stop()
        except StopRequested:  # the first signal came while we were stopping for another reason
            stack.stop()


def _listen_for_signals(stack: Stack) -> None:
    """The first signal stops the product, the second one stops waiting for those that take long."""
    seen: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) == 1:
            raise StopRequested
        stack.supervisor.hurry()

    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)


def _seed(stack: Stack, environ: Mapping[str, str]) -> Demo:
    file = stack.root / "demo.json"
    with stack.progress.step("seeding the demo tenant"):
        demo = DemoSeeder.on(stack, file, templates_may_fail=bool(environ.get("META_GRAPH_URL"))).seed()
        demo.write(file)
    return demo


def _show(stack: Stack, demo: Demo) -> None:
    gateway, public, sandbox = map(stack.url, ("GATEWAY_PRIVATE_BIND", "GATEWAY_PUBLIC_BIND", "SANDBOX_BIND"))
    stack.progress.say(f"""
Ready.
  dashboard API, /admin   {gateway}  (this machine only; described at {gateway}/docs)
  external send API       {public}
  sandbox, plays Meta     {sandbox}
  the recipient's phone   {sandbox}/phone/{RECIPIENT.lstrip("+")}
  logs                    {stack.root / "log"}
  demo tenant             {stack.root / "demo.json"}

Send a message:
  curl -X POST {gateway}/api/external/send-message/{demo.encoded_phone_id} \\
    -H 'Authorization: Bearer {demo.api_token}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"to":"{RECIPIENT}","type":"text","text":"Hello!"}}'

Ctrl-C stops everything; data stays.""")


def _stop_leftovers(root: Path, progress: Progress) -> None:
    """End what a killed run left behind, in the order of a proper stop."""
    files = {file.stem: file for file in (root / "run").glob("*.pid") if file.stem != "run" and find(file)}
    if not files:
        return
    last = ("sandbox", "rabbitmq", "mongod", "epmd")
    services = [file for name, file in files.items() if name not in last]
    with progress.step(f"stopping what was left running ({len(files)} processes)"):
        for group in (services, *([files[name]] for name in last if name in files)):
            stop(group, LEFTOVER_STOPS_SECONDS)
