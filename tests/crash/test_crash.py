"""The short crash run. `make crash` runs the long one."""

import pytest

from tests.crash.started import crash

pytestmark = pytest.mark.crash


def test_killed_processes_lose_nothing_and_double_nothing() -> None:
    code, output = crash()

    assert code == 0, output
