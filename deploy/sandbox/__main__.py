"""`python -m deploy.sandbox`: run the sandbox until told to stop."""

import logging
import os
import sys

import uvloop
from aiohttp import web

from .app import build
from .settings import Settings, SettingsError

EX_CONFIG = 78  # sysexits.h: something is wrong with the configuration
SHUTDOWN_SECONDS = 1.0


def main() -> int:
    """Start and serve; 78 and one line when the environment does not allow it."""
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return EX_CONFIG
    logging.basicConfig(level=logging.INFO, format="%(asctime)s sandbox %(levelname)s %(message)s")
    print(
        f"sandbox: listening on http://{settings.host}:{settings.port}, webhooks to {settings.webhook_url}", flush=True
    )
    web.run_app(
        build(settings),
        host=settings.host,
        port=settings.port,
        access_log=None,
        print=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        loop=uvloop.new_event_loop(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
