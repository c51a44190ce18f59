"""`python -m deploy.local run | stop | stop-all | status | admin-token`: what the Makefile calls."""

import os
import sys
from collections.abc import Callable

from deploy.local.admin_token import admin_token
from deploy.local.environment import CHECKOUT, local_environment
from deploy.local.ports import Ports
from deploy.local.run import run, status, stop_running
from deploy.local.secrets_file import read_variables

ROOT = CHECKOUT / ".local"
EX_USAGE = 64


def main(arguments: list[str]) -> int:
    """Do what the one argument names and return the exit code."""
    # A line in .env stands in for the environment, which wins where both name a variable.
    environ = read_variables(CHECKOUT / ".env") | dict(os.environ)
    commands: dict[str, Callable[[], int]] = {
        "run": lambda: run(ROOT, environ),
        "stop": lambda: stop_running(ROOT),
        "stop-all": lambda: stop_running(ROOT) + stop_running(ROOT / "test"),
        "status": lambda: status(ROOT),
        "admin-token": lambda: _print_admin_token(environ),
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"one of {', '.join(commands)} is needed", file=sys.stderr)
        return EX_USAGE
    return commands[arguments[0]]()


def _print_admin_token(environ: dict[str, str]) -> int:
    print(admin_token(local_environment(ROOT, environ, Ports.from_environ(environ))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
