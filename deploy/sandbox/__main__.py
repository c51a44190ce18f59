"""`python -m deploy.sandbox`: run the sandbox until told to stop."""

import logging
import os
import sys

import uvloop
from aiohttp import web

from .app import build
from .settings import Settings, SettingsError

EX_CONFIG = 78  # sysexits.h: something is wrong with the configuration
EX_UNAVAILABLE = 69
SHUTDOWN_SECONDS = 1.0


def main() -> int:
    """Start and serve; 78 when the environment does not allow it, 69 when the port is taken, each with one line."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return EX_CONFIG
    logging.basicConfig(level=logging.INFO, format="%(asctime)s sandbox %(levelname)s %(message)s")
    started = f"sandbox: listening on http://{settings.host}:{settings.port}, webhooks to {settings.webhook_url}"
    try:
        web.run_app(
            build(settings),
            host=settings.host,
            port=settings.port,
            access_log=None,
            print=lambda _: print(started, flush=True),  # called once the port is bound
            shutdown_timeout=SHUTDOWN_SECONDS,
            loop=uvloop.new_event_loop(),
        )
    except OSError as error:
        print(f"sandbox: cannot listen on {settings.host}:{settings.port}: {error.strerror}", file=sys.stderr)
        return EX_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
