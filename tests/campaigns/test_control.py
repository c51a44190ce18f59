"""Pause, resume, cancel, retry, schedule: what people do, and what is still sent afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from services.campaigns.domain.campaigns import StoredCampaign
from services.campaigns.lifecycle import Lifecycle
from shared.contracts.campaigns import ControlCampaign
from shared.errors import ConflictError, InsufficientCreditsError, ServiceUnavailableError
from tests.campaigns.neighbours import CAMPAIGN, TEMPLATE
from tests.campaigns.stage import Stage, phone, rows
from tests.messaging.doubles import NOON


async def test_after_the_answer_to_pause_nobody_is_handed_over_and_messaging_holds(stage: Stage) -> None:
    await stage.running(range(1, 301))
    before = await stage.dispatch()
    await stage.accept(before)

    paused = await stage.do("pause")
    after = await stage.dispatch()

    assert paused.status == "PAUSED"
    assert stage.messaging.held[CAMPAIGN] == (True, False)
    assert after == []


async def test_resume_goes_on_with_the_very_next_recipient(stage: Stage) -> None:
    await stage.running(range(1, 301))
    await stage.accept(await stage.dispatch())
    await stage.do("pause")

    await stage.do("resume")
    next_ones = await stage.dispatch()

    assert stage.messaging.held[CAMPAIGN] == (False, False)
    assert next_ones[0].to == phone(118)
    await stage.accept(next_ones)
    await stage.run_out()
    assert len({item.to for item in stage.messaging.items}) == len(stage.messaging.items) == 300


async def test_a_pause_that_messaging_has_not_heard_of_is_not_answered_but_made_good(stage: Stage) -> None:
    await stage.running([1])
    stage.messaging.error = ServiceUnavailableError("away")

    with pytest.raises(ServiceUnavailableError):
        await stage.do("pause")
    handed_over = await stage.dispatch()
    stage.messaging.error = None
    await stage.sweep(60)

    assert handed_over == []
    assert stage.messaging.held[CAMPAIGN] == (True, False)


async def test_nothing_is_handed_over_before_messaging_has_heard_of_a_resume(stage: Stage) -> None:
    await stage.running([1])
    await stage.do("pause")
    stage.messaging.error = ServiceUnavailableError("away")
    with pytest.raises(ServiceUnavailableError):
        await stage.do("resume")

    too_early = await stage.dispatch()
    stage.messaging.error = None
    await stage.sweep(60)
    in_time = await stage.dispatch()

    assert (too_early, len(in_time)) == ([], 1)


async def test_an_action_that_is_delivered_again_does_not_undo_a_later_one(stage: Stage) -> None:
    await stage.running([1])
    await stage.do("pause")
    resume = ControlCampaign(campaign_id=CAMPAIGN, action="resume", action_id="act_1")
    await stage.bus.request(resume, timeout_seconds=30)
    await stage.do("pause")

    again = await stage.bus.request(resume, timeout_seconds=30)

    assert again.status == "PAUSED"


async def test_cancel_skips_who_was_not_sent_to_and_gives_their_credits_back(stage: Stage) -> None:
    await stage.running(range(1, 201))
    items = await stage.dispatch()
    await stage.accept(items[:100])

    cancelled = await stage.do("cancel")
    await stage.fail(items[100:], None, "cancelled")
    await stage.sweep(6)
    ended = await stage.look()

    assert (cancelled.status, stage.messaging.held[CAMPAIGN]) == ("CANCELLED", (True, True))
    assert (ended.counters.reached, ended.counters.skipped, ended.counters.pending) == (100, 100, 0)
    assert stage.messaging.free == 1_000_000 - 100
    assert stage.messaging.holders == set()


async def test_cancelled_recipients_whose_batch_was_lost_are_handed_over_again_to_end(stage: Stage) -> None:
    await stage.running([1, 2])
    lost = await stage.dispatch()
    await stage.do("cancel")

    await stage.sweep(200)
    again = stage.messaging.items[len(lost) :]

    assert [item.message_id for item in again] == [item.message_id for item in lost]


async def test_only_those_who_failed_are_tried_again_with_new_messages_and_credits_of_their_own(stage: Stage) -> None:
    await stage.running(range(1, 101))
    first = await stage.dispatch()
    await stage.fail(first[:3])
    await stage.fail(first[3:5], unknown=True)
    await stage.accept(first[5:])
    await stage.dispatch()

    retried = await stage.retry()
    second = await stage.dispatch()
    await stage.accept(second)
    await stage.dispatch()
    ended = await stage.look()

    assert retried.status == "RUNNING"
    assert [item.to for item in second] == [phone(1), phone(2), phone(3)]
    assert {item.message_id for item in second}.isdisjoint({item.message_id for item in first})
    assert stage.messaging.reserved == {(CAMPAIGN, 0): 100, (CAMPAIGN, 1): 3}
    assert (ended.status, ended.counters.reached, ended.counters.failed) == ("COMPLETED", 98, 2)


async def test_a_retry_may_be_narrowed_to_classes_and_widened_to_unknown_outcomes(stage: Stage) -> None:
    await stage.running(range(1, 11))
    items = await stage.dispatch()
    await stage.fail(items[:1], 131026)
    await stage.fail(items[1:2], 131053)
    await stage.fail(items[2:3], unknown=True)
    await stage.accept(items[3:])
    await stage.dispatch()

    await stage.retry(error_classes=("media",))
    narrowed = await stage.dispatch()
    await stage.accept(narrowed)
    await stage.dispatch()
    await stage.retry(include_unknown=True)
    widened = await stage.dispatch()

    assert [item.to for item in narrowed] == [phone(2)]
    assert [item.to for item in widened] == [phone(1), phone(3)]


async def test_a_retry_without_credits_or_failures_changes_nothing(stage: Stage) -> None:
    await stage.running([1, 2])
    items = await stage.dispatch()
    await stage.accept(items)
    await stage.dispatch()

    with pytest.raises(ConflictError, match="No recipient has failed"):
        await stage.retry()
    await stage.tell("failed", items[:1], 131026)
    stage.messaging.free = 0
    with pytest.raises(InsufficientCreditsError):
        await stage.retry()
    after = await stage.look()

    assert (after.status, after.counters.failed) == ("COMPLETED", 1)


async def test_a_news_of_an_earlier_round_moves_nothing(stage: Stage) -> None:
    await stage.running([1])
    first = await stage.dispatch()
    await stage.fail(first)
    await stage.dispatch()
    await stage.retry()

    await stage.tell("delivered", first)

    assert (await stage.look()).counters.pending == 1


async def test_a_scheduled_campaign_waits_for_its_time(stage: Stage) -> None:
    created = await stage.running([1], scheduled_at=NOON + timedelta(hours=2))

    await stage.sweep(3600)
    early = await stage.dispatch()
    await stage.sweep(3601)
    in_time = await stage.dispatch()

    assert (created.status, created.credits_reserved, early) == ("SCHEDULED", 1, [])
    assert len(in_time) == 1
    assert (await stage.look()).started_at is not None


async def test_at_local_time_each_zone_has_its_own_hour(stage: Stage) -> None:
    await stage.create(scheduled_at=NOON + timedelta(days=1, hours=-2), local_time=True)  # 10:00 on the clock
    germany, india = rows([1])[0], rows([2])[0].model_copy(update={"row": 1, "phone": "+919876543210"})
    await stage.add((germany, india))
    await stage.finish()

    await stage.sweep(16.6 * 3600)  # 04:36 UTC: past ten in Calcutta, not in Berlin
    asia = await stage.dispatch()
    await stage.sweep(4.5 * 3600)  # 09:06 UTC
    europe = await stage.dispatch()

    assert ([item.to for item in asia], [item.to for item in europe]) == (["+919876543210"], [phone(1)])


async def test_in_quiet_hours_nobody_is_written_to(stage: Stage) -> None:
    await stage.running([1], quiet_hours={"start": "12:00", "end": "14:30"})  # 13:00 in Berlin

    at_night = await stage.dispatch()
    stage.clock.pass_time(1.6 * 3600)
    in_the_morning = await stage.dispatch()

    assert (at_night, len(in_the_morning)) == ([], 1)


async def test_who_was_not_sent_to_by_the_deadline_is_skipped(stage: Stage) -> None:
    await stage.running(range(1, 201), deadline=NOON + timedelta(hours=1))
    items = await stage.dispatch()
    await stage.accept(items)

    stage.clock.pass_time(3601)
    late = await stage.dispatch()
    await stage.sweep()
    await stage.dispatch()
    ended = await stage.look()

    assert late == []
    assert (ended.status, ended.counters.reached, ended.counters.skipped) == ("COMPLETED", 117, 83)


async def test_a_template_is_in_use_until_its_campaigns_are_over(stage: Stage) -> None:
    await stage.create()
    await stage.add(rows([1]))
    being_created = await stage.template_use(TEMPLATE)
    await stage.finish(auto_start=False)
    draft = await stage.template_use(TEMPLATE)
    await stage.do("cancel")

    assert (being_created, draft, await stage.template_use(TEMPLATE)) == (False, True, False)


async def test_a_retry_whose_process_died_when_it_was_done_is_not_done_again_for_the_same_action(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.running([1, 2])
    await stage.fail(await stage.dispatch())
    await stage.dispatch()
    right = Lifecycle.to

    async def die(self: Lifecycle, *given: Any, **more: Any) -> StoredCampaign:
        await right(self, *given, **more)
        raise ConflictError("the process is gone")

    with monkeypatch.context() as dying:
        dying.setattr(Lifecycle, "to", die)
        with pytest.raises(ConflictError):
            await stage.retry(action_id="act_1")
    await stage.sweep(5)
    again = await stage.dispatch()
    await stage.fail(again)
    await stage.dispatch()
    assert len(again) == 2
    assert (await stage.look()).status == "COMPLETED"

    await stage.retry(action_id="act_1")  # whoever asked has had no answer

    assert (await stage.look()).status == "COMPLETED"
    assert await stage.dispatch() == []
