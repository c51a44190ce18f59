"""Campaigns' calls leave room for people's messages."""

import asyncio

from services.messaging.room import PEOPLE_STAY_SECONDS, Room
from tests.eventually import eventually
from tests.messaging.meta import held
from tests.messaging.stage import Stage, batch, text


async def test_room_is_handed_out_to_its_end_and_then_in_portions_worth_a_group() -> None:
    room = Room(size=100, portion=40)
    first, second = await room.take(70), await room.take(30)
    third = asyncio.create_task(room.take(100))

    for _ in range(39):
        room.give_back()
    await asyncio.sleep(0)
    waits = not third.done()
    room.give_back()

    assert (first, second, waits) == (70, 30, True)
    assert await third == 40


async def test_beside_people_campaigns_make_do_with_less() -> None:
    now = 10.0
    room = Room(size=100, beside_people=20, portion=40, monotonic=lambda: now)
    room.people_came()
    beside = await room.take(70)

    now += PEOPLE_STAY_SECONDS
    alone = await room.take(70)

    assert (beside, alone) == (20, 70)


async def test_few_need_no_whole_portion() -> None:
    room = Room(size=50, portion=40)
    await room.take(48)

    assert await room.take(2) == 2


async def test_a_campaign_whose_calls_hang_leaves_connections_to_people(stage: Stage) -> None:
    stage.messaging.batches.room.size = stage.messaging.batches.room.portion = 2
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers), held(meta_answers))
    campaign = asyncio.create_task(stage.messaging.batches.send_batch(batch(range(2, 5))))
    await eventually(lambda: len(stage.meta.calls) == 2)

    outcome = await stage.ask(text())
    calls_meanwhile = len(stage.meta.calls)
    meta_answers.set()
    await campaign

    assert (outcome.status, calls_meanwhile) == ("sent", 3)
    await eventually(lambda: len(stage.meta.calls) == 4)
