"""Campaigns that come due, run and end together are tended together, and none of them stands in another's way."""

from datetime import timedelta

from services.campaigns.running import RunningCampaigns
from shared.contracts.campaigns import CampaignsChanged
from shared.errors import ServiceUnavailableError
from tests.campaigns.stage import Stage
from tests.messaging.doubles import NOON

NAMES = [f"camp_{number}" for number in range(1, 6)]
PEOPLE = 3


async def scheduled(stage: Stage) -> None:
    """Several campaigns that are to begin in an hour."""
    for name in NAMES:
        await stage.running(range(1, PEOPLE + 1), name, scheduled_at=NOON + timedelta(hours=1))


async def sent(stage: Stage) -> None:
    """They begin, and everybody is sent to."""
    await stage.sweep(3600)
    await stage.dispatch()
    for batch in stage.messaging.batches:
        await stage.accept(batch.items, batch.campaign_id)
    await stage.dispatch()


async def closed(stage: Stage) -> list[bool]:
    """Whose credits are settled."""
    return [(await stage.stored(name)).closed for name in NAMES]


async def test_each_step_of_many_campaigns_is_told_in_one_message(stage: Stage) -> None:
    await scheduled(stage)

    await sent(stage)
    await stage.sweep(1)

    told = [event for event in stage.bus.published if isinstance(event, CampaignsChanged)]
    assert [[item.id.split(":")[0] for item in event.items] for event in told] == [
        ["campaign.started"] * len(NAMES),
        ["campaign.completed"] * len(NAMES),
    ]
    assert [item.counters["reached"] for item in told[1].items] == [PEOPLE] * len(NAMES)
    assert (stage.messaging.settled, stage.messaging.let_go) == ([NAMES], [NAMES])
    assert await closed(stage) == [True] * len(NAMES)
    assert await stage.database["campaigns"].count_documents({"look_at": {"$exists": True}}) == 0


async def test_one_campaign_whose_credits_cannot_be_settled_keeps_no_other_from_it(stage: Stage) -> None:
    await scheduled(stage)
    await sent(stage)
    stage.messaging.unpaid = {"camp_3"}

    await stage.sweep(1)
    at_first = await closed(stage)
    stage.messaging.unpaid = set()
    await stage.sweep(31)

    assert at_first == [True, True, False, True, True]
    assert await closed(stage) == [True] * len(NAMES)


async def test_what_messaging_did_not_answer_is_done_when_it_is_back(stage: Stage) -> None:
    await scheduled(stage)
    await sent(stage)
    stage.messaging.error = ServiceUnavailableError("away")

    await stage.sweep(1)
    at_first = await closed(stage)
    stage.messaging.error = None
    await stage.sweep(31)

    assert at_first == [False] * len(NAMES)
    assert await closed(stage) == [True] * len(NAMES)


async def test_who_cancels_one_of_many_at_the_moment_of_their_start_is_heard(stage: Stage) -> None:
    await scheduled(stage)
    seen = await stage.campaigns.sweeper.campaigns.list_by_ids(NAMES)
    await stage.do("cancel", "camp_2")

    await stage.campaigns.sweeper.lifecycle.run_scheduled(list(seen.values()))

    assert [(await stage.stored(name)).status for name in NAMES] == [
        "RUNNING",
        "CANCELLED",
        "RUNNING",
        "RUNNING",
        "RUNNING",
    ]


async def test_of_a_campaign_no_more_are_taken_than_its_share(stage: Stage) -> None:
    for name in NAMES:
        await stage.running(range(1, PEOPLE + 1), name)

    taken = await stage.campaigns.dispatcher.rows.take_all_pending({"camp_1": 2, "camp_2": 4}, "bat_1", stage.clock())

    assert {name: len(own) for name, own in taken.items()} == {"camp_1": 2, "camp_2": 3}
    assert await stage.states("camp_1") == {"released": 2, "pending": 1}
    assert await stage.states("camp_3") == {"pending": 3}


async def test_a_campaign_without_anybody_to_be_sent_to_sleeps_until_there_is_news(stage: Stage) -> None:
    await stage.running([1])
    running = RunningCampaigns(stage.campaigns.sweeper.campaigns, lambda: stage.clock().timestamp())
    awake = []

    async def look(seconds: float) -> None:
        stage.clock.pass_time(seconds)
        lanes = await running.lanes()
        assert [each.id for lane in lanes.values() for each in lane] == ["camp_1"]
        awake.append(running.is_awake("camp_1"))

    await look(0)
    running.sleep("camp_1")
    await look(1.5)
    running.hear_of(["camp_1"])
    await look(0)
    await look(0.5)
    running.sleep("camp_1")
    await look(1.5)
    await look(0.5)

    assert awake == [True, False, False, True, False, True]


async def test_news_that_come_while_a_campaign_is_looked_at_are_not_slept_through(stage: Stage) -> None:
    await stage.running([1])
    running = RunningCampaigns(stage.campaigns.sweeper.campaigns, lambda: stage.clock().timestamp())
    await running.lanes()

    running.hear_of(["camp_1"])
    running.sleep("camp_1")
    stage.clock.pass_time(0.5)
    await running.lanes()

    assert running.is_awake("camp_1")
