"""The short crash run, and the same run's judgement of deliberate bugs. `make crash` runs the long one."""

import subprocess
import sys

import pytest

from deploy.local.environment import CHECKOUT

TIMEOUT_SECONDS = 600

pytestmark = pytest.mark.crash


def crash(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a run in a process of its own, as a developer starts it."""
    command = [sys.executable, "-m", "tests.crash", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    return done.returncode, done.stdout + done.stderr


def test_killed_processes_lose_nothing_and_double_nothing() -> None:
    code, output = crash()

    assert code == 0, output


def test_the_same_test_notices_each_deliberate_bug() -> None:
    code, output = crash("--all-mutants")

    assert code == 0, output
