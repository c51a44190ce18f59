"""Processes are recognised by when they started, not by their number alone."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.processes import Program, find, identity, remember, send, spawn, stop, wait_until


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Program]:
    program = _program(tmp_path, "import time; print('up', flush=True); time.sleep(600)")
    yield program
    stop([program.pid_file], timeout_seconds=0)


def test_a_started_process_is_found_by_its_file(sleeper: Program) -> None:
    pid = spawn(sleeper)

    assert find(sleeper.pid_file) == pid
    assert wait_until(lambda: sleeper.log.read_text() == "up\n", timeout_seconds=10)
    assert os.getsid(pid) == pid


def test_a_file_left_by_an_ended_process_names_nobody(sleeper: Program) -> None:
    spawn(sleeper)

    send(sleeper.pid_file, signal.SIGKILL)

    assert wait_until(lambda: find(sleeper.pid_file) is None, timeout_seconds=10)


def test_another_process_with_the_same_number_is_not_ours(tmp_path: Path) -> None:
    pid_file = tmp_path / "old.pid"
    remember(pid_file, os.getpid())
    assert find(pid_file) == os.getpid()

    started, _, boot = (identity(os.getpid()) or "").partition(" ")
    pid_file.write_text(f"{os.getpid()} {int(started) - 1} {boot}\n")

    assert find(pid_file) is None
    assert not send(pid_file, signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "no number", "0", "99999999 1 x"])
def test_a_damaged_file_names_nobody(tmp_path: Path, content: str) -> None:
    pid_file = tmp_path / "damaged.pid"
    pid_file.write_text(content)

    assert find(pid_file) is None


def test_a_frozen_process_is_stopped_as_well(sleeper: Program) -> None:
    pid = spawn(sleeper)
    os.kill(pid, signal.SIGSTOP)

    stop([sleeper.pid_file], timeout_seconds=10)

    assert identity(pid) is None
    assert not sleeper.pid_file.exists()


def test_who_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    program = _program(tmp_path, deaf)
    pid = spawn(program)
    wait_until(lambda: program.log.read_text() == "up\n", timeout_seconds=10)

    stop([program.pid_file], timeout_seconds=0.1)

    assert identity(pid) is None


def _program(root: Path, code: str) -> Program:
    return Program("sleeper", (sys.executable, "-c", code), {}, root / "log" / "s.log", root / "run" / "s.pid")
