"""Chromium for tests: the system's own, driven by Playwright without a window."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 30_000  # as for clicks: a page on a busy machine is slow, not wrong

_FLAGS = (
    "--disable-background-networking",  # it would look for updates and lists
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",  # a container's /dev/shm may be too small
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Chromium for as long as a block lasts. Fails where there is none: a skipped test proves nothing."""
    flags = _flags()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield started
        finally:
            await started.close()


def _flags() -> list[str]:
    if not CHROMIUM.exists():
        raise FileNotFoundError(f"there is no {CHROMIUM}: `make test` installs it, or apt-get install chromium")
    no_sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium's sandbox needs a user other than root
    return [*_FLAGS, *no_sandbox]
