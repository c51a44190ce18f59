"""Which deliveries go together."""

import asyncio

from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from shared.bus.envelope import Delivery
from shared.bus.inbox import Inbox


def delivery(message_type: str, tag: int, attempt: int = 0) -> Delivery:
    properties = Basic.Properties(message_type=message_type, headers={"wa-attempt": attempt})
    frame = Basic.Deliver(consumer_tag="c", delivery_tag=tag, exchange="", routing_key="")
    return Delivery(DeliveredMessage(frame, ContentHeader(properties=properties), b"{}", None))  # type: ignore[arg-type]


async def take_all(inbox: Inbox, groups: int) -> list[list[int]]:
    async with asyncio.timeout(30):  # fewer groups than expected would be waited for without end
        return [[each.tag for each in await inbox.take()] for _ in range(groups)]


async def test_neighbours_of_one_type_go_together_up_to_the_limit() -> None:
    inbox = Inbox(lambda _: 3, is_busy=lambda: False)
    for tag, message_type in enumerate(["a", "a", "b", "b", "b", "b", "a"], start=1):
        inbox.put(delivery(message_type, tag))

    assert await take_all(inbox, 4) == [[1, 2], [3, 4, 5], [6], [7]]


async def test_what_has_failed_before_goes_alone() -> None:
    inbox = Inbox(lambda _: 10, is_busy=lambda: False)
    for tag, attempt in enumerate([0, 0, 1, 0, 2, 3], start=1):
        inbox.put(delivery("a", tag, attempt))

    assert await take_all(inbox, 5) == [[1, 2], [3], [4], [5], [6]]


async def test_taking_waits_for_the_first_delivery() -> None:
    inbox = Inbox(lambda _: 10, is_busy=lambda: False)
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)

    inbox.put(delivery("a", 1))

    assert [each.tag for each in await taking] == [1]


async def test_while_other_calls_are_busy_a_group_waits_a_moment_for_company() -> None:
    inbox = Inbox(lambda _: 10, is_busy=lambda: True)
    inbox.put(delivery("a", 1))
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)

    inbox.put(delivery("a", 2))

    assert [each.tag for each in await taking] == [1, 2]


async def test_a_message_in_an_idle_system_waits_for_no_company() -> None:
    is_busy = True
    inbox = Inbox(lambda _: 10, is_busy=lambda: is_busy)
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    is_busy = False

    inbox.put(delivery("a", 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert taking.done()


async def test_where_nobody_waits_a_group_waits_for_company_even_in_an_idle_system() -> None:
    inbox = Inbox(lambda _: 10, is_busy=lambda: False, company_seconds=0.05)
    inbox.put(delivery("a", 1))
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)

    inbox.put(delivery("a", 2))

    assert [each.tag for each in await taking] == [1, 2]


async def test_a_group_that_waits_for_company_finds_it_behind_others_which_keep_their_order() -> None:
    inbox = Inbox(lambda _: 3, is_busy=lambda: False, company_seconds=0.01)
    for tag, message_type in enumerate(["a", "b", "a", "b", "a", "a", "b"], start=1):
        inbox.put(delivery(message_type, tag))

    assert await take_all(inbox, 3) == [[1, 3, 5], [2, 4, 7], [6]]
