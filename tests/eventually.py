"""Waiting in tests without sleeping: a condition is asked again until it holds."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

Seen = TypeVar("Seen")
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 30  # far more than anything needs: only a failing test waits for its end


@overload
async def eventually(condition: Callable[[], Awaitable[Seen]], timeout_seconds: float = PATIENCE_SECONDS) -> Seen: ...


@overload
async def eventually(condition: Callable[[], Seen], timeout_seconds: float = PATIENCE_SECONDS) -> Seen: ...


async def eventually(
    condition: Callable[[], Seen | Awaitable[Seen]], timeout_seconds: float = PATIENCE_SECONDS
) -> Seen:
    """Ask again until the answer is truthy, and return it.

    A condition that raises AssertionError is not met yet; when the time is over its error is raised, so that a
    failing test says what it saw. Any other error ends the wait at once.
    """
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        try:
            seen = await _answer(condition)
            if seen:
                return seen
            unmet = AssertionError(f"still {seen!r} after {timeout_seconds} s")
        except AssertionError as error:
            unmet = error
        if asyncio.get_running_loop().time() >= deadline:
            raise unmet
        await asyncio.sleep(POLL_SECONDS)


async def _answer(condition: Callable[[], Seen | Awaitable[Seen]]) -> Seen:
    seen = condition()
    return await seen if inspect.isawaitable(seen) else seen
