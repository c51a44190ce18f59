"""Many campaigns and tenants share what there is; replicas share it out among themselves."""

from collections import Counter

from services.campaigns.domain.pacing import batch_size_of, portion_of, share_out, window_of
from tests.campaigns.stage import Stage, phone


async def test_a_small_campaign_of_the_same_number_does_not_stand_behind_a_large_one(stage: Stage) -> None:
    await stage.running(range(1, 1001), "camp_large")
    await stage.accept(await stage.dispatch(), "camp_large")
    await stage.running(range(1, 11), "camp_small")

    await stage.dispatch()

    handed_over = Counter(batch.campaign_id for batch in stage.messaging.batches[3:] for _ in batch.items)
    assert handed_over["camp_small"] == 10
    assert handed_over["camp_large"] > 0


async def test_campaigns_of_one_number_share_its_window_evenly(stage: Stage) -> None:
    for name in ("camp_a", "camp_b", "camp_c"):
        await stage.running(range(1, 301), name)

    await stage.dispatch()

    handed_over = Counter(batch.campaign_id for batch in stage.messaging.batches for _ in batch.items)
    assert sorted(handed_over.values()) == [38, 39, 40]


async def test_two_replicas_hand_nobody_over_twice(stage: Stage) -> None:
    await stage.running(range(1, 301))
    second = await stage.another("second")

    for _ in range(20):
        before = len(stage.messaging.items)
        stage.clock.pass_time(1)
        await stage.campaigns.dispatcher.round()
        await second.dispatcher.round()
        await stage.accept(stage.messaging.items[before:])

    assert Counter(item.to for item in stage.messaging.items) == {phone(number): 1 for number in range(1, 301)}
    assert (await stage.look()).status == "COMPLETED"


async def test_a_replica_takes_a_number_over_when_its_holder_is_gone(stage: Stage) -> None:
    await stage.running(range(1, 301))
    await stage.dispatch()
    second = await stage.another("second")
    await stage.accept(stage.messaging.items)
    before = len(stage.messaging.items)

    await second.dispatcher.round()
    meanwhile = len(stage.messaging.items) - before
    stage.clock.pass_time(31)
    await second.dispatcher.round()

    assert meanwhile == 0
    assert len(stage.messaging.items) - before == portion_of(80)


async def test_what_messaging_has_had_for_long_holds_nobody_else_up(stage: Stage) -> None:
    await stage.running(range(1, 301))
    stuck = await stage.dispatch()

    await stage.sweep(181)  # handed over again: it may wait at messaging, or its batch was lost
    await stage.sweep(1)
    more = await stage.dispatch()

    assert [item.message_id for item in stage.messaging.items[len(stuck) : 2 * len(stuck)]] == [
        item.message_id for item in stuck
    ]
    assert more[0].to == phone(118)


def test_a_window_is_two_seconds_of_the_rate_within_bounds() -> None:
    assert [window_of(rate) for rate in (1, 80, 500, 1000, 10_000)] == [20, 122, 765, 1530, 2000]
    assert [batch_size_of(rate) for rate in (1, 80, 500)] == [20, 50, 100]
    assert [portion_of(rate) for rate in (1, 80, 500, 1000, 10_000)] == [10, 50, 100, 191, 250]


def test_what_is_free_is_divided_to_the_last_recipient() -> None:
    assert share_out(10, 3) == [4, 3, 3]
    assert share_out(-5, 2) == [0, 0]
    assert share_out(5, 0) == []
