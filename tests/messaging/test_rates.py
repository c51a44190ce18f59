"""The rate of a number: one pot of tokens for all workers and both lanes. The tokens' clock is the database's."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.messaging.repositories.rates import Lane, RateRepository
from shared.mongo import Database
from tests.eventually import eventually
from tests.messaging.doubles import NOON
from tests.messaging.meta import held, refuse
from tests.messaging.stage import NUMBER, Stage, address, batch, message_id, received, text


@pytest.fixture
def rates(database: Database) -> RateRepository:
    return RateRepository(database)


async def take(rates: RateRepository, wanted: int, *, per_second: float = 80, lane: Lane = "one_to_one") -> int:
    return (await rates.take(NUMBER, wanted, messages_per_second=per_second, lane=lane)).count


async def slow_down(stage: Stage) -> None:
    """One token, and the next one two minutes later: no test lasts that long."""
    await stage.database["phone_numbers"].update_one({"_id": NUMBER}, {"$set": {"messages_per_second": 0.01}})


async def refill(stage: Stage) -> None:
    """An hour passes for the tokens."""
    await stage.database["rates"].update_many({}, [{"$set": {"at": {"$subtract": ["$at", 3_600_000]}}}])


async def test_a_quarter_of_a_second_is_saved_up_of_85_percent_of_metas_figure(rates: RateRepository) -> None:
    assert await take(rates, 100) == 17


async def test_a_number_has_at_least_one_token(rates: RateRepository) -> None:
    assert await take(rates, 5, per_second=1) == 1


async def test_workers_share_a_numbers_tokens(database: Database) -> None:
    workers = [RateRepository(database) for _ in range(8)]

    taken = await asyncio.gather(*(take(worker, 3, per_second=0.01) for worker in workers))

    assert sorted(taken) == [0] * 7 + [1]


async def test_a_campaign_takes_less_than_there_is_and_leaves_the_rest_for_one_to_one(rates: RateRepository) -> None:
    first = await take(rates, 100, lane="campaign")
    for _ in range(10):
        await take(rates, 100, lane="campaign")
    one_to_one = await take(rates, 1)

    assert first == 15  # 90 % of 17
    assert one_to_one == 1


async def test_who_gets_fewer_is_told_when_to_come_back_and_how_far_apart(rates: RateRepository) -> None:
    grant = await rates.take(NUMBER, 18, messages_per_second=80, lane="one_to_one")

    assert grant.count == 17
    assert grant.wait == grant.spacing == timedelta(seconds=1 / 68)


async def test_a_clock_that_is_set_back_takes_no_tokens_away(rates: RateRepository, database: Database) -> None:
    await take(rates, 10)
    await database["rates"].update_many({}, [{"$set": {"at": {"$add": ["$at", 3_600_000]}}}])

    assert await take(rates, 7) == 7


async def test_a_message_beyond_the_rate_waits_and_is_sent_later(stage: Stage) -> None:
    await slow_down(stage)
    group = [received(text(number), address(str(number))) for number in (1, 2, 3)]

    await stage.messaging.sends.send_messages(group)
    states = sorted(await stage.states())
    for _ in range(2):
        await refill(stage)
        stage.clock.pass_time(400)
        await stage.sweep()

    assert states == ["QUEUED", "QUEUED", "SENT"]
    assert await stage.states() == ["SENT"] * 3
    assert [len(stage.answers_to(str(number))) for number in (1, 2, 3)] == [1, 1, 1]


async def test_messages_that_wait_are_due_one_after_the_other(stage: Stage) -> None:
    await slow_down(stage)

    await stage.messaging.sends.send_messages([received(text(number)) for number in range(1, 5)])

    waiting = stage.database["messages"].find({"state": "QUEUED"}).sort("wake_at", 1)
    first, second, third = [document["wake_at"] async for document in waiting]
    assert [round((each - NOON).total_seconds(), 1) for each in (first, second, third)] == [117.6, 235.3, 352.9]


async def test_a_repetition_of_a_sent_message_is_told_so_even_beyond_the_rate(stage: Stage) -> None:
    await slow_down(stage)
    sent = await stage.ask(text())

    again = await stage.ask(text())

    assert again == sent


async def test_what_a_campaign_has_waiting_leaves_the_rate_to_a_person(stage: Stage) -> None:
    await slow_down(stage)
    stage.meta.will(*[refuse(4)] * 3)
    for number in (1, 2, 3):
        await refill(stage)
        await stage.messaging.batches.send_batch(batch([number]))
    await refill(stage)
    await take(stage.messaging.sweeper.rates, 1, per_second=0.01)  # so that the person's message has to wait as well
    await stage.messaging.sends.send_messages([received(text(4))])
    await refill(stage)

    stage.clock.pass_time(400)
    await stage.sweep()

    assert [await stage.state(number) for number in (1, 2, 3, 4)] == ["RETRY_WAIT"] * 3 + ["SENT"]


async def test_more_than_can_be_sent_at_once_waits_for_room_and_all_of_it_is_sent(stage: Stage) -> None:
    for number in range(1, 6):
        stage.meta.will(refuse(4))
        await stage.bus.send(text(number))
    small = replace(stage.messaging.sweeper, group_size=1, groups_at_once=2)

    for _ in range(3):
        stage.clock.pass_time(5)
        await small.sweep()
        await small.drain()

    assert await stage.states() == ["SENT"] * 5
    assert len({call.opaque for call in stage.meta.calls}) == 10


async def test_while_meta_hangs_a_sweep_does_not_wait_for_it(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(refuse(4), refuse(4), held(meta_answers))
    for number in (1, 2):
        await stage.bus.send(text(number))
    small = replace(stage.messaging.sweeper, group_size=1, groups_at_once=1)
    stage.clock.pass_time(5)

    await small.sweep()
    await eventually(lambda: len(stage.meta.calls) == 3)
    stage.clock.pass_time(5)
    await small.sweep()
    states = sorted(await stage.states())
    meta_answers.set()
    await stage.drain()
    stage.clock.pass_time(5)
    await stage.sweep()

    assert states == ["DISPATCHING", "RETRY_WAIT"]
    assert await stage.states() == ["SENT", "SENT"]


async def test_a_batch_of_fifty_at_eighty_a_second_sends_all_of_them(stage: Stage) -> None:
    await stage.database["phone_numbers"].update_one({"_id": NUMBER}, {"$set": {"messages_per_second": 80}})

    await stage.messaging.batches.send_batch(batch(range(1, 51)))
    await stage.drain()

    assert await stage.states() == ["SENT"] * 50
    assert sorted(stage.meta.opaques()) == sorted(f"w1:{message_id(number)}:1" for number in range(1, 51))


async def test_a_batch_that_finds_no_tokens_for_long_is_stored_for_later(stage: Stage) -> None:
    await slow_down(stage)
    impatient = replace(stage.messaging.batches, longest_token_wait_seconds=0)

    await impatient.send_batch(batch([1, 2, 3]))
    states = sorted(await stage.states())
    for _ in range(2):
        await refill(stage)
        stage.clock.pass_time(400)
        await stage.sweep()

    assert states == ["QUEUED", "QUEUED", "SENT"]
    assert await stage.states() == ["SENT"] * 3


async def quiet(database: Database, seconds: float) -> None:
    """So much time passes for the rate."""
    back = {"at": {"$subtract": ["$at", seconds * 1000]}, "slowed_at": {"$subtract": ["$slowed_at", seconds * 1000]}}
    await database["rates"].update_many({}, [{"$set": back}])


async def burst_after(rates: RateRepository, database: Database, seconds: float) -> int:
    await quiet(database, seconds)
    return await take(rates, 100)


async def test_after_metas_refusal_a_number_rests_a_second_and_goes_on_at_half_its_rate(
    rates: RateRepository, database: Database
) -> None:
    await take(rates, 1)

    await rates.slow_down(NUMBER)
    at_once = await rates.take(NUMBER, 100, messages_per_second=80, lane="one_to_one")
    later = await burst_after(rates, database, 2)

    assert (at_once.count, at_once.spacing) == (0, timedelta(seconds=1 / 34))
    assert later == 8  # a quarter of a second of 34


async def test_the_refusals_of_one_second_halve_a_rate_once(rates: RateRepository, database: Database) -> None:
    await take(rates, 1)

    await asyncio.gather(*(rates.slow_down(NUMBER) for _ in range(10)))
    once = await burst_after(rates, database, 2)
    await rates.slow_down(NUMBER)
    twice = await burst_after(rates, database, 2)

    assert (once, twice) == (8, 4)


async def test_a_rate_recovers_by_a_tenth_for_every_five_quiet_seconds(
    rates: RateRepository, database: Database
) -> None:
    await take(rates, 1)
    await rates.slow_down(NUMBER)

    bursts = [await burst_after(rates, database, seconds) for seconds in (5.5, 5, 5, 5, 5, 5)]

    assert bursts == [10, 11, 13, 15, 17, 17]  # a quarter of a second of 0.6, 0.7 … of 68


async def test_a_number_never_comes_to_a_stop(rates: RateRepository, database: Database) -> None:
    await take(rates, 1)
    for _ in range(12):
        await rates.slow_down(NUMBER)
        await quiet(database, 1.5)

    assert await burst_after(rates, database, 2) == 1


async def test_a_refusal_for_speed_slows_the_number_for_every_lane(stage: Stage) -> None:
    stage.meta.will(refuse(130429))
    await stage.bus.send(text(1))
    await stage.drain()

    grants = [
        await stage.messaging.sweeper.rates.take(NUMBER, 1, messages_per_second=1000, lane=lane)
        for lane in ("one_to_one", "campaign")
    ]

    assert [grant.count for grant in grants] == [0, 0]


async def test_another_refusal_slows_nobody_down(stage: Stage) -> None:
    stage.meta.will(refuse(131056))
    await stage.bus.send(text(1))
    await stage.drain()

    grant = await stage.messaging.sweeper.rates.take(NUMBER, 10, messages_per_second=1000, lane="one_to_one")

    assert grant.count == 10


async def test_one_sweeper_at_a_time_takes_tokens_of_a_number_for_what_has_waited(
    rates: RateRepository, database: Database
) -> None:
    async def sweep(worker: str) -> tuple[int, bool]:
        grant = await rates.take(NUMBER, 5, messages_per_second=80, lane="one_to_one", sweeper=worker)
        return grant.count, grant.is_ours

    first, other, again = await sweep("a"), await sweep("b"), await sweep("a")
    new_messages = await take(rates, 1)
    await database["rates"].update_many({}, {"$set": {"swept_until": NOON}})
    heir = await sweep("b")

    assert (first, other, again) == ((5, True), (0, False), (5, True))
    assert new_messages == 1
    assert heir[1] is True
