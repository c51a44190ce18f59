"""Work that comes round again: it outlives its failures and ends with its block."""

import asyncio

import pytest

from shared.periodic import repeating
from tests.eventually import eventually


async def test_work_is_repeated_while_the_block_lasts_and_no_longer() -> None:
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1

    async with repeating("sweeper", work, seconds=0.001):
        await eventually(lambda: rounds >= 3)
    at_the_end = rounds
    async with repeating("another", work, seconds=60):
        await asyncio.sleep(0)

    assert rounds == at_the_end


async def test_a_round_that_fails_is_followed_by_another() -> None:
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise RuntimeError("the database is away")

    async with repeating("sweeper", work, seconds=0.001):
        await eventually(lambda: rounds >= 5)


async def test_rounds_do_not_overlap() -> None:
    running, most, rounds = 0, 0, 0

    async def work() -> None:
        nonlocal running, most, rounds
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        rounds += 1

    async with repeating("sweeper", work, seconds=0.001):
        await eventually(lambda: rounds >= 3)

    assert most == 1


async def test_a_round_under_way_is_cut_short_at_the_end() -> None:
    begun, ended = asyncio.Event(), False

    async def work() -> None:
        nonlocal ended
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    async with repeating("sweeper", work, seconds=0.001):
        await begun.wait()

    assert ended


async def test_an_error_of_the_block_itself_gets_out() -> None:
    async def work() -> None:
        return None

    with pytest.raises(KeyError):
        async with repeating("sweeper", work, seconds=60):
            raise KeyError


async def test_a_loop_whose_driver_turned_the_cancellation_into_an_error_ends_all_the_same() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("Lock is not acquired") from None  # as PyMongo's condition variable has been seen to do

    async with asyncio.timeout(10):
        async with repeating("sweeper", work, seconds=0.001):
            await begun.wait()
