"""Waiting for what other processes do, by asking again and again."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

POLL_SECONDS = 0.05

Seen = TypeVar("Seen")


def seen(condition: Callable[[], Seen], timeout_seconds: float = 40) -> Seen:
    """Ask again until the answer is truthy, and return it. AssertionError with the last answer when time is over."""
    deadline = time.monotonic() + timeout_seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_seconds} s"
        time.sleep(POLL_SECONDS)
    return answer


async def comes_true(
    condition: Callable[[], object | Awaitable[object]],
    timeout_seconds: float,
    *,
    unless: Callable[[], bool] = lambda: False,
    poll_seconds: float = POLL_SECONDS,
) -> bool:
    """Ask again until the condition holds (True); False once the time is over or `unless` holds.

    Unlike `eventually` it raises nothing: whoever kills processes goes on with either answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while not unless():
        seen = condition()
        if await seen if inspect.isawaitable(seen) else seen:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(poll_seconds)
    return False
