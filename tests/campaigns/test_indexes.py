"""Every query that campaigns makes uses an index."""

from datetime import timedelta

from shared.contracts.campaigns import GetPreflight, ListCampaigns, ListRecipients
from tests.campaigns.neighbours import CAMPAIGN, TEMPLATE, USER
from tests.campaigns.stage import phone, rows, stage_on
from tests.explaining import Watched
from tests.messaging.doubles import NOON


async def test_the_life_of_a_campaign_reads_no_collection_as_a_whole(watched: Watched) -> None:
    stage = await stage_on(watched.database)
    ask = stage.bus.request
    later = {"scheduled_at": NOON + timedelta(hours=1), "local_time": True}
    await stage.create("camp_later", **later)
    await stage.add(rows(range(3)), "camp_later")
    await stage.finish("camp_later")
    await stage.create("camp_cancelled")
    await stage.finish("camp_cancelled", auto_start=False)
    await stage.do("cancel", "camp_cancelled")
    await stage.create("camp_abandoned")
    await stage.running(range(1, 301))

    released = await stage.dispatch()
    await stage.accept(released[:50])
    await stage.tell("read", released[:10])
    await stage.fail(released[50:60])
    await stage.fail(released[60:65], unknown=True)
    await stage.do("pause")
    await stage.do("resume")
    await stage.sweep(7200)
    await stage.accept(released[65:])
    await stage.run_out()
    await stage.retry(include_unknown=True)
    await stage.run_out()
    for query in ({}, {"status": "COMPLETED"}):
        page = await ask(ListCampaigns.model_validate({"user_id": USER, "limit": 1} | query), timeout_seconds=30)
        more = ListCampaigns.model_validate({"user_id": USER, "limit": 1, "cursor": page.next_cursor} | query)
        await ask(more, timeout_seconds=30)
    for state in (None, "failed"):
        for cursor in (None, "10"):
            wanted = {"campaign_id": CAMPAIGN, "state": state, "limit": 10, "cursor": cursor}
            await ask(ListRecipients.model_validate(wanted), timeout_seconds=30)
    for recipient in (None, phone(7)):
        await ask(GetPreflight(campaign_id=CAMPAIGN, recipient=recipient), timeout_seconds=30)
    await stage.template_use(TEMPLATE)
    await stage.sweep(90_000)

    assert len(watched.queries.kept) > 30, "too little was asked: this proves little"
    assert await watched.collection_scans() == []
