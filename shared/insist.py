"""Repeating a database step that is harmless to repeat, while the database changes its primary or comes back."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from shared.mongo import TRANSIENT_ERRORS

ResultT = TypeVar("ResultT")

_PATIENCE_SECONDS = 60.0


async def insist(step: Callable[[], Awaitable[ResultT]], *, patience_seconds: float = _PATIENCE_SECONDS) -> ResultT:
    """Run an idempotent step until it is answered; the last error is raised when patience has run out.

    The driver itself repeats single writes, but not updates of many documents.
    """
    async for attempt in stamina.retry_context(
        on=TRANSIENT_ERRORS, attempts=None, timeout=patience_seconds, wait_initial=0.1, wait_jitter=0.1, wait_max=2.0
    ):
        with attempt:
            return await step()
    raise AssertionError("retry_context ends by returning or raising")
