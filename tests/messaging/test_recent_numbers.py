"""What the send path keeps of numbers: for half a second, and never past a change that it was told of."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.messaging.recent_numbers import FRESH_SECONDS, RecentNumbers
from services.messaging.repositories.numbers import NumberRepository, SendingNumber
from tests.messaging.stage import NUMBER, Stage


@dataclass(frozen=True, slots=True)
class SlowNumbers(NumberRepository):
    """A repository whose answers come when they are let through, and that counts what it is asked."""

    has_read: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[set[str]] = field(default_factory=list)

    async def list_sending(self, ids: Iterable[str]) -> dict[str, SendingNumber]:
        self.asked.append(set(ids))
        read = await NumberRepository.list_sending(self, self.asked[-1])
        self.has_read.set()
        await self.may_answer.wait()
        return read


async def rate(recent: RecentNumbers) -> int:
    return (await recent.list_sending([NUMBER]))[NUMBER].messages_per_second


async def test_a_number_is_read_once_for_half_a_second(stage: Stage) -> None:
    seconds = [0.0]
    numbers = SlowNumbers(stage.database, stage.clock)
    numbers.may_answer.set()
    recent = RecentNumbers(numbers, lambda: seconds[0])

    await rate(recent)
    await rate(recent)
    asked_at_first = len(numbers.asked)
    seconds[0] += FRESH_SECONDS
    await rate(recent)

    assert (asked_at_first, len(numbers.asked)) == (1, 2)


async def test_what_was_read_before_a_change_is_not_kept_after_it(stage: Stage) -> None:
    numbers = SlowNumbers(stage.database, stage.clock)
    recent = RecentNumbers(numbers)
    reading = asyncio.create_task(rate(recent))
    await numbers.has_read.wait()
    await stage.database["phone_numbers"].update_one({"_id": NUMBER}, {"$set": {"messages_per_second": 7}})
    recent.forget(NUMBER)
    numbers.may_answer.set()
    await reading

    assert await rate(recent) == 7
