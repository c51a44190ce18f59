"""Crash points: silent until armed, and then abrupt."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.crashpoints import KILLED, arm, crash_point
from shared.settings import ConfigurationError

THREE_PASSES = """
import sys
from shared.crashpoints import arm, crash_point
arm(sys.argv[1])
for number in (1, 2, 3):
    crash_point("messaging.posted")
    print(number, flush=True)
"""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm(None)


def three_passes(crash_at: str) -> tuple[int, list[str]]:
    """Exit status and output of a process that passes one crash point three times."""
    done = subprocess.run([sys.executable, "-c", THREE_PASSES, crash_at], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split()


def test_a_process_dies_at_its_first_pass_by_default() -> None:
    status, printed = three_passes("messaging.posted")

    assert (status, printed) == (KILLED, [])


def test_a_process_dies_at_the_pass_that_was_asked_for() -> None:
    status, printed = three_passes("messaging.posted:3")

    assert (status, printed) == (KILLED, ["1", "2"])


def test_a_process_armed_for_another_point_lives() -> None:
    status, printed = three_passes("messaging.claimed")

    assert (status, printed) == (0, ["1", "2", "3"])


def test_nothing_happens_when_nothing_is_armed() -> None:
    arm("templates.synced")
    arm("")

    crash_point("templates.synced")


@pytest.mark.parametrize(
    "text", ["messaging.nowhere", "messaging.posted:0", "messaging.posted:-1", "messaging.posted:x"]
)
def test_a_wrong_crash_point_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CRASH_AT"):
        arm(text)
