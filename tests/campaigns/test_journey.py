"""A campaign from its creation to its end, everything going well."""

from shared.contracts.contacts import RecipientRow
from tests.campaigns.neighbours import CAMPAIGN, OPTED_OUT
from tests.campaigns.stage import Stage, phone, rows


async def test_everybody_is_addressed_once_and_the_campaign_completes(stage: Stage) -> None:
    created = await stage.running(range(1, 301))

    await stage.run_out()
    await stage.campaigns.dispatcher.round()

    assert created.status == "RUNNING"
    assert created.credits_reserved == 300
    assert [item.to for item in stage.messaging.items] == [phone(number) for number in range(1, 301)]
    assert len({item.message_id for item in stage.messaging.items}) == 300
    ended = await stage.look()
    assert (ended.status, ended.counters.reached, ended.counters.waiting, ended.counters.pending) == (
        "COMPLETED",
        300,
        300,
        0,
    )
    assert [change.id for change in stage.changes()] == [
        f"campaign.started:{CAMPAIGN}:2",
        f"campaign.completed:{CAMPAIGN}:3",
    ]


async def test_rows_that_cannot_be_sent_to_are_explained_doubles_merged_and_opt_outs_skipped(stage: Stage) -> None:
    await stage.create()
    odd = (
        *rows([1, 2, 1]),
        RecipientRow(row=3, phone="+1"),
        RecipientRow(row=4, phone=OPTED_OUT),
    )

    staged = await stage.add(odd)
    campaign = await stage.finish()

    assert (staged.accepted, staged.duplicates, staged.opted_out) == (3, 1, 1)
    assert [(each.row, each.code) for each in staged.refused] == [(3, "invalid_phone")]
    assert campaign.counters.model_dump() == {
        "total": 3,
        "pending": 2,
        "waiting": 0,
        "delivered": 0,
        "read": 0,
        "failed": 0,
        "skipped": 1,
        "reached": 0,
    }
    assert campaign.credits_reserved == 2
    assert campaign.contacts_created == 3


async def test_no_more_than_two_seconds_of_the_rate_are_outstanding(stage: Stage) -> None:
    await stage.running(range(1, 301))

    first = await stage.dispatch()
    second = await stage.dispatch()
    await stage.accept(first[:60])
    third = await stage.dispatch()

    assert (len(first), len(second), len(third)) == (117, 0, 65)
    assert {len(batch.items) for batch in stage.messaging.batches} <= {50, 17, 15}
