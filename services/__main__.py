"""Run services: `python -m services messaging`, `python -m services messaging agents`, or all with no name."""

import asyncio
import gc
import os
import signal
import sys
from importlib import import_module

import structlog
import uvloop

from shared.crashpoints import arm
from shared.logging import configure_logging
from shared.settings import EX_CONFIG, ConfigurationError, Settings

SERVICES = ("gateway", "messaging", "templates", "campaigns", "agents", "webhooks")

# Python looks for cycles after every 700 new objects; a group of messages makes thousands, and hardly ever a cycle.
_GC_THRESHOLDS = (50_000, 20, 50)

log = structlog.get_logger()


async def run_services(names: list[str]) -> None:
    """Run the named services until SIGTERM or SIGINT; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(_run_one(name, stop), name=name)


async def _run_one(name: str, stop: asyncio.Event) -> None:
    structlog.contextvars.bind_contextvars(service=name)
    await import_module(f"services.{name}.main").run(os.environ, stop)
    log.info("service_stopped")


def main(arguments: list[str]) -> int:
    """Start what the command line names; exit 78 when the configuration does not allow it."""
    names = arguments or list(SERVICES)
    unknown = sorted(set(names) - set(SERVICES))
    if unknown:
        print(f"no such service: {', '.join(unknown)} (there are {', '.join(SERVICES)})", file=sys.stderr)  # noqa: T201
        return EX_CONFIG
    exit_code = 0
    try:
        settings = Settings.from_env(os.environ)
        configure_logging(log_format=settings.log_format, level=settings.log_level)
        arm(os.environ.get("CRASH_AT"))
        gc.set_threshold(*_GC_THRESHOLDS)
        uvloop.run(run_services(names))
    except* ConfigurationError as group:
        for error in group.exceptions:
            print(f"configuration: {error}", file=sys.stderr)  # noqa: T201
        exit_code = EX_CONFIG
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
