"""The supervisor keeps programs running and stops them when it is told to."""

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.processes import Program, wait_until
from deploy.local.supervisor import Supervisor

# Writes its name when it is up and when it is asked to end, as a service's log would.
POLITE = """
import os, signal, sys, time
def say(word):
    with open(sys.argv[1], "a") as diary: diary.write(f"{sys.argv[2]} {word}\\n")
def end(*_):
    say("ends"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
say("up" + os.environ.get("WORD", ""))
while True: time.sleep(600)
"""
SLOW = POLITE.replace('say("ends"); sys.exit(0)', 'say("hears")')


@dataclass(frozen=True, slots=True)
class Stage:
    """A supervisor, what it announced, and the diary that its programs write."""

    root: Path
    said: list[str]
    supervisor: Supervisor

    def program(self, name: str, code: str = POLITE) -> Program:
        argv = (sys.executable, "-c", code, str(self.root / "diary"), name)
        return Program(name, argv, {}, self.root / f"{name}.log", self.root / f"{name}.pid")

    def start(self, name: str, code: str = POLITE) -> None:
        self.supervisor.spawn(self.program(name, code))
        self.wait_for(f"{name} up")

    def diary(self) -> list[str]:
        file = self.root / "diary"
        return file.read_text().splitlines() if file.exists() else []

    def wait_for(self, line: str, times: int = 1) -> None:
        assert wait_until(lambda: self.diary().count(line) >= times, timeout_seconds=20), self.diary()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    yield Stage(tmp_path, said, supervisor)
    supervisor.stop(supervisor.names(), timeout_seconds=0)


def test_a_program_that_dies_is_started_again_and_it_is_said(stage: Stage) -> None:
    stage.start("one")
    first = stage.supervisor.pid("one")

    stage.supervisor.kill("one", signal.SIGKILL)
    stage.wait_for("one up", times=2)

    assert stage.supervisor.pid("one") not in (first, None)
    assert stage.supervisor.starts("one") == 2
    assert "one was ended by SIGKILL; starting it again" in stage.said[0]


def test_a_wrong_configuration_is_not_tried_again(stage: Stage) -> None:
    stage.supervisor.spawn(stage.program("wrong", "import sys; sys.exit(78)"))

    assert wait_until(lambda: stage.supervisor.gave_up("wrong"), timeout_seconds=20)
    assert stage.supervisor.starts("wrong") == 1
    assert "wrong ended with code 78 and is not started again" in stage.said[0]


def test_variables_for_one_start_are_gone_at_the_next(stage: Stage) -> None:
    stage.start("one")
    stage.supervisor.once("one", {"WORD": "-armed"})

    stage.supervisor.kill("one", signal.SIGKILL)
    stage.wait_for("one up-armed")
    stage.supervisor.kill("one", signal.SIGKILL)
    stage.wait_for("one up", times=2)

    assert stage.diary() == ["one up", "one up-armed", "one up"]


def test_groups_are_stopped_one_after_the_other(stage: Stage) -> None:
    for name in ("database", "service-1", "service-2"):
        stage.start(name)

    stage.supervisor.stop(["service-1", "service-2"], timeout_seconds=20)
    stage.supervisor.stop(["database"], timeout_seconds=20)

    assert set(stage.diary()[3:5]) == {"service-1 ends", "service-2 ends"}
    assert stage.diary()[5:] == ["database ends"]
    assert stage.said == []


def test_a_stopped_program_does_not_come_back(stage: Stage) -> None:
    stage.start("one")

    killed = stage.supervisor.stop(["one"], timeout_seconds=20)

    assert killed == []
    assert stage.supervisor.pid("one") is None
    assert stage.supervisor.starts("one") == 1
    assert not stage.program("one").pid_file.exists()


def test_who_does_not_end_in_time_is_killed(stage: Stage) -> None:
    stage.start("slow", SLOW)

    killed = stage.supervisor.stop(["slow"], timeout_seconds=0.2)

    assert killed == ["slow"]
    assert stage.supervisor.pid("slow") is None


def test_a_frozen_program_is_stopped_in_order(stage: Stage) -> None:
    stage.start("one")
    stage.supervisor.kill("one", signal.SIGSTOP)

    killed = stage.supervisor.stop(["one"], timeout_seconds=20)

    assert killed == []
    assert stage.diary() == ["one up", "one ends"]


def test_a_program_that_is_not_there_is_an_error_at_once(stage: Stage) -> None:
    missing = Program("missing", ("/nowhere/at-all",), {}, stage.root / "m.log", stage.root / "m.pid")

    with pytest.raises(OSError, match="missing could not be started"):
        stage.supervisor.spawn(missing)
