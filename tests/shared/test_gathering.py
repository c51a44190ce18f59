"""Work that concurrent callers share."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.bus.context import WorkContext, current_work, working
from shared.gathering import Gathering
from tests.eventually import eventually


class Doubler:
    """Doubles numbers in groups, and can be held up; fails for a group that holds a zero."""

    def __init__(self) -> None:
        self.groups: list[Sequence[int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.groups.append(numbers)
        await self.may_go_on.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [number * 2 for number in numbers]


async def test_a_caller_alone_is_served_at_once() -> None:
    doubler = Doubler()

    assert await Gathering(doubler.double, limit=10).add(4) == 8
    assert doubler.groups == [(4,)]


async def test_callers_share_the_next_group_while_one_is_under_way() -> None:
    doubler = Doubler()
    doubler.may_go_on.clear()
    gathering = Gathering(doubler.double, limit=10)
    first = asyncio.create_task(gathering.add(1))
    await eventually(lambda: doubler.groups)

    others = [asyncio.create_task(gathering.add(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    doubler.may_go_on.set()

    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert doubler.groups == [(1,), (2, 3, 4)]


async def test_a_group_is_never_larger_than_the_limit() -> None:
    doubler = Doubler()
    gathering = Gathering(doubler.double, limit=3)

    await asyncio.gather(*(gathering.add(number) for number in range(1, 8)))

    assert [len(group) for group in doubler.groups] == [3, 3, 1]


async def test_a_failure_reaches_its_own_group_and_no_other() -> None:
    gathering = Gathering(Doubler().double, limit=2)

    results = await asyncio.gather(*(gathering.add(number) for number in (0, 1, 2, 3)), return_exceptions=True)

    assert [type(result) for result in results[:2]] == [ZeroDivisionError, ZeroDivisionError]
    assert results[2:] == [4, 6]


async def test_a_caller_who_gave_up_before_the_start_leaves_the_group() -> None:
    doubler = Doubler()
    doubler.may_go_on.clear()
    gathering = Gathering(doubler.double, limit=10)
    first = asyncio.create_task(gathering.add(1))
    await eventually(lambda: doubler.groups)

    impatient, patient = asyncio.create_task(gathering.add(2)), asyncio.create_task(gathering.add(3))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    doubler.may_go_on.set()

    assert (await first, await patient) == (2, 6)
    assert doubler.groups == [(1,), (3,)]
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_group_belongs_to_none_of_its_callers() -> None:
    async def correlation_ids(items: Sequence[int]) -> Sequence[str]:
        return [current_work().correlation_id for _ in items]

    gathering = Gathering(correlation_ids, limit=10)

    with working(WorkContext("req_of_the_first_caller")):
        assert await gathering.add(1) != "req_of_the_first_caller"


async def test_drained_returns_when_everything_submitted_is_done() -> None:
    doubler = Doubler()
    gathering = Gathering(doubler.double, limit=1)
    for number in (1, 2, 3):
        gathering.submit(number)

    await gathering.drained()

    assert doubler.groups == [(1,), (2,), (3,)]
    assert len(gathering) == 0


async def test_groups_that_keep_a_distance_are_fewer_and_the_first_does_not_wait() -> None:
    doubler = Doubler()
    gathering = Gathering(doubler.double, limit=10, pause_seconds=0.05)

    first = await gathering.add(1)
    others = [gathering.submit(number) for number in (2, 3)]
    await gathering.drained()

    assert first == 2
    assert [other.result() for other in others] == [4, 6]
    assert doubler.groups == [(1,), (2, 3)]
