"""The crash run's judgement of deliberate bugs: each turns it red."""

import pytest

from tests.crash.started import crash

pytestmark = pytest.mark.crash


def test_a_crash_run_notices_each_deliberate_bug() -> None:
    code, output = crash("--all-mutants")

    assert code == 0, output
