"""Cancellations: ours are obeyed, those that a library makes up are losses."""

import asyncio
import socket

import pytest
from yarl import URL

from shared.bus.connection import AMQP_FAILURES, Connection, cancelled_only_by_us, end


async def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    with pytest.raises(AMQP_FAILURES, match="the connection was lost"), cancelled_only_by_us():
        raise asyncio.CancelledError


async def test_a_cancellation_of_ours_goes_through() -> None:
    async def wait() -> None:
        with cancelled_only_by_us():
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_is_still_a_time_limit() -> None:
    with pytest.raises(TimeoutError), cancelled_only_by_us():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


async def test_a_task_that_swallows_its_first_cancellation_is_ended_all_the_same() -> None:
    swallowed = asyncio.Event()

    async def be_stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(be_stubborn())
    await asyncio.sleep(0)
    await end({task})

    assert swallowed.is_set()
    assert task.cancelled()


async def test_a_connection_that_could_not_be_opened_counts_as_closed() -> None:
    """Else the garbage collector starts to close it, wherever that happens to run."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # nobody listens there once this block ends
    connection = Connection(URL(f"amqp://127.0.0.1:{port}/"))

    with pytest.raises(OSError, match="Connect"):
        await connection.connect()

    assert connection.is_closed
