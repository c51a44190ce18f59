"""What every stream of server-sent events has: its headers, and an end when this process stops."""

import asyncio
from collections.abc import Mapping
from typing import Final

HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


async def pause(seconds: float, closing: asyncio.Event) -> None:
    """Wait so long, or until this process is about to stop."""
    try:
        async with asyncio.timeout(seconds):
            await closing.wait()
    except TimeoutError:
        return
