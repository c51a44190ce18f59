"""Waiting for what may not come: unlike `eventually`, to go on with the answer either way."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.05


async def comes_true(
    condition: Callable[[], object | Awaitable[object]],
    timeout_seconds: float,
    *,
    unless: Callable[[], bool] = lambda: False,
    poll_seconds: float = POLL_SECONDS,
) -> bool:
    """Ask again until the condition holds (True); False once the time is over or `unless` holds."""
    deadline = time.monotonic() + timeout_seconds
    while not unless():
        seen = condition()
        if await seen if inspect.isawaitable(seen) else seen:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(poll_seconds)
    return False
