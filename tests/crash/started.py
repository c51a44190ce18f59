"""A crash run in a process of its own, as a developer starts it."""

import subprocess
import sys

from deploy.local.environment import CHECKOUT

TIMEOUT_SECONDS = 600


def crash(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `python -m tests.crash` with these arguments."""
    command = [sys.executable, "-m", "tests.crash", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    return done.returncode, done.stdout + done.stderr
