"""What becomes of messages moves rows and counters, and stops a campaign whose next messages would fail alike."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.campaigns.domain.counters import counters_of
from services.campaigns.domain.error_classes import classify
from services.campaigns.domain.states import AFTER_STATUS, FAILURES, OPEN
from services.campaigns.repositories.outcomes import OutcomeRepository
from shared.contracts.messaging import BatchMessage
from shared.contracts.templates import TemplatesChanged
from tests.campaigns.neighbours import CAMPAIGN
from tests.campaigns.stage import Stage, phone

DAY = 24 * 3600


async def test_the_dashboard_api_s_own_sample_comes_out(stage: Stage) -> None:
    await stage.running(range(1, 101))
    items = await stage.dispatch()
    await stage.accept(items)
    await stage.tell("delivered", items[:95])
    await stage.tell("read", items[:72])
    await stage.tell("failed", items[95:], 131026)
    await stage.dispatch()

    campaign = await stage.look()

    assert campaign.status == "COMPLETED"
    assert campaign.counters.model_dump() == {
        "total": 100,
        "pending": 0,
        "waiting": 0,
        "delivered": 95,
        "read": 72,
        "failed": 5,
        "skipped": 0,
        "reached": 100,
    }


async def test_any_order_and_any_number_of_outcomes_end_the_same(stage: Stage) -> None:
    await stage.running([1])
    items = await stage.dispatch()

    for status in ("read", "sent", "delivered", "failed", "read"):
        await stage.tell(status, items, 131026 if status == "failed" else None)
    await stage.accept(items)
    await stage.accept(items)

    assert await stage.states() == {"read": 1}


async def test_an_unknown_outcome_counts_as_failed_until_a_status_lifts_it(stage: Stage) -> None:
    await stage.running([1, 2])
    items = await stage.dispatch()
    await stage.fail(items, unknown=True)
    failed = await stage.look()

    await stage.tell("delivered", items[:1])
    lifted = await stage.look()

    assert [each.error_class for each in failed.error_classes] == ["outcome_unknown"]
    assert (failed.counters.failed, lifted.counters.failed, lifted.counters.delivered) == (2, 1, 1)


async def test_failures_are_explained_in_words_with_the_remedy(stage: Stage) -> None:
    await stage.running(range(1, 11))
    items = await stage.dispatch()
    await stage.fail(items[:2], 131026)
    await stage.fail(items[2:3], 131053)

    classes = (await stage.look()).error_classes

    assert [(each.error_class, each.code, each.count) for each in classes] == [
        ("undeliverable", 131026, 2),
        ("media", 131053, 1),
    ]
    assert "not on WhatsApp" in classes[0].meaning
    assert classes[0].remedy.startswith("Check the phone number")


async def test_who_met_the_marketing_cap_is_parked_and_sent_to_a_day_later_twice_at_most(stage: Stage) -> None:
    await stage.running([1, 2])
    first = await stage.dispatch()
    await stage.accept(first)
    await stage.tell("failed", first[:1], 131049)
    await stage.sweep(DAY - 10)
    too_early = await stage.dispatch()
    await stage.sweep(20)
    second = await stage.dispatch()
    await stage.fail(second, 131049)
    await stage.sweep(DAY)
    third = await stage.dispatch()
    await stage.fail(third, 131049)
    await stage.dispatch()

    assert (too_early, [item.to for item in second], [item.to for item in third]) == ([], [phone(1)], [])
    assert len({item.message_id for item in stage.messaging.items}) == 3
    assert (await stage.look()).counters.failed == 1


async def test_a_parked_recipient_is_pending_and_keeps_its_credit(stage: Stage) -> None:
    await stage.running([1, 2])
    items = await stage.dispatch()
    await stage.fail(items[:1], 131049)
    await stage.accept(items[1:])
    await stage.sweep(6)

    campaign = await stage.look()

    assert (campaign.status, campaign.counters.pending) == ("RUNNING", 1)
    assert stage.messaging.free == 1_000_000 - 2


async def test_a_paused_template_stops_its_campaigns_and_they_go_on_when_it_is_approved_again(stage: Stage) -> None:
    await stage.running(range(1, 301))
    items = await stage.dispatch()
    await stage.fail(items[:1], 132015)
    paused = await stage.look()

    await stage.bus.publish(TemplatesChanged(items=(stage.templates.template("APPROVED"),)))
    resumed = await stage.look()

    assert paused.status == "PAUSED"
    assert "paused the template" in (paused.paused_reason or "")
    assert (resumed.status, resumed.paused_reason) == ("RUNNING", None)


async def test_a_campaign_that_a_person_paused_stays_so_when_its_template_is_approved(stage: Stage) -> None:
    await stage.running([1])
    await stage.do("pause")

    await stage.bus.publish(TemplatesChanged(items=(stage.templates.template("APPROVED"),)))

    assert (await stage.look()).status == "PAUSED"


async def test_a_template_that_is_gone_ends_its_campaigns(stage: Stage) -> None:
    await stage.running(range(1, 301))
    items = await stage.dispatch()
    await stage.accept(items)

    await stage.bus.publish(TemplatesChanged(items=(stage.templates.template("DISABLED"),)))
    await stage.sweep(6)
    failed = await stage.look()

    assert (failed.status, failed.counters.skipped, failed.counters.reached) == ("FAILED", 183, 117)
    assert stage.changes()[-1].id.startswith(f"campaign.failed:{CAMPAIGN}:")


async def test_a_revoked_token_and_a_payment_problem_stop_the_campaign_with_the_reason(stage: Stage) -> None:
    reasons = []
    for code in (190, 131042):
        await stage.running([code, code + 1], f"camp_{code}")
        items = await stage.dispatch()
        failed = [item for item in items if item.recipient_id]
        await stage.fail_of(f"camp_{code}", failed[:1], code)
        campaign = await stage.look(f"camp_{code}")
        reasons.append((campaign.status, (campaign.paused_reason or "")[:30]))

    assert reasons == [("PAUSED", "Meta does not accept the phone"), ("PAUSED", "Meta cannot charge the WhatsAp")]


async def test_too_many_failures_among_the_latest_stop_the_campaign(stage: Stage) -> None:
    await stage.running(range(1, 301))
    items = await stage.dispatch()
    await stage.accept(items[:50])
    await stage.fail(items[50:99])
    still = await stage.look()
    await stage.fail(items[99:110])

    stopped = await stage.look()

    assert (still.status, stopped.status) == ("RUNNING", "PAUSED")
    assert "Too many" in (stopped.paused_reason or "")


async def test_what_meta_assesses_first_is_pending_until_a_status_tells(stage: Stage) -> None:
    await stage.running([1, 2, 3])
    items = await stage.dispatch()
    await stage.accept(items, held=True)
    held = await stage.look()
    await stage.tell("delivered", items[:1])
    await stage.tell("failed", items[1:2], 131026)
    await stage.dispatch()
    told = await stage.look()
    await stage.sweep(49 * 3600)
    await stage.dispatch()
    ended = await stage.look()

    assert (held.counters.pending, held.counters.reached) == (3, 0)
    assert (told.status, told.counters.pending, told.counters.delivered, told.counters.failed) == ("RUNNING", 1, 1, 1)
    assert (ended.status, ended.counters.waiting) == ("COMPLETED", 1)


async def test_what_messaging_could_not_post_in_time_takes_its_turn_again(stage: Stage) -> None:
    await stage.running([1])
    first = await stage.dispatch()
    await stage.fail(first, None, "expired")
    stage.clock.pass_time(1)

    second = await stage.dispatch()

    assert [item.to for item in second] == [phone(1)]
    assert second[0].message_id != first[0].message_id


async def test_who_opted_out_is_skipped_although_the_broker_did_not_say_that_it_has_the_batch(stage: Stage) -> None:
    await stage.running([1, 2])
    items = await stage.dispatch()
    await stage.campaigns.dispatcher.rows.put_back([item.recipient_id for item in items])

    await stage.fail(items[:1], None, "opted_out")

    assert await stage.states() == {"skipped": 1, "pending": 1}


async def test_who_opted_out_meanwhile_is_skipped(stage: Stage) -> None:
    await stage.running([1, 2])
    items = await stage.dispatch()

    await stage.fail(items[:1], None, "opted_out")

    assert await stage.states() == {"skipped": 1, "released": 1}


def test_every_code_has_a_class_and_what_is_not_known_is_a_refusal() -> None:
    assert classify(131049).follow == "park"
    assert classify(132016).follow == "fail"
    assert classify(131050).follow == "suppress"
    assert classify(999_999).name == "refused"
    assert classify(None, "header.1: must not be empty").name == "invalid_value"


@given(
    st.dictionaries(
        st.sampled_from(
            [*OPEN, "sent", "delivered", "read", "failed", "bounced", "skipped", "refused"],
        ),
        st.integers(0, 10**6),
    )
)
def test_identities_hold_for_any_count_of_rows(counts: dict[str, int]) -> None:
    counters = counters_of(counts)

    parts = counters.pending + counters.waiting + counters.delivered + counters.failed + counters.skipped
    assert parts == counters.total
    assert counters.reached == counters.waiting + counters.delivered + counts.get("bounced", 0)
    assert counters.read <= counters.delivered


EVENTS = st.lists(
    st.tuples(st.sampled_from(["accept", "fail", "unknown", "sent", "delivered", "read", "failed"]), st.integers(0, 4)),
    max_size=14,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
async def test_identities_hold_after_every_outcome_in_any_order(stage: Stage, events: list[tuple[str, int]]) -> None:
    for name in ("campaigns", "recipients"):
        await stage.database[name].delete_many({})
    stage.messaging.reserved.clear()
    stage.messaging.batches.clear()
    stage.clock.pass_time(10)  # until nobody remembers the campaign of this name that was there before
    await stage.running(range(1, 6))
    items = await stage.dispatch()
    ranks = dict.fromkeys(range(5), 0)

    for what, who in events:
        ranks[who] = max(ranks[who], _rank(what))
        await _happen(stage, what, [items[who]])
        counters = (await stage.look()).counters
        parts = counters.pending + counters.waiting + counters.delivered + counters.failed + counters.skipped
        assert parts == counters.total == 5

    states = [await stage.row(number) for number in range(1, 6)]
    assert [state["rank"] for state in states] == list(ranks.values())


def _rank(what: str) -> int:
    return {"fail": 1, "unknown": 1, "accept": 2, "sent": 2, "failed": 3, "delivered": 4, "read": 5}[what]


async def _happen(stage: Stage, what: str, items: list[BatchMessage]) -> None:
    if what == "accept":
        await stage.accept(items)
    elif what in {"fail", "unknown"}:
        await stage.fail(items, 131026 if what == "fail" else None, unknown=what == "unknown")
    else:
        await stage.tell(what, items, 131026 if what == "failed" else None)


def test_every_status_of_metas_leads_to_a_state() -> None:
    assert {AFTER_STATUS[status] for status in ("sent", "delivered", "read", "played")} == {"sent", "delivered", "read"}
    assert AFTER_STATUS["failed"] in FAILURES


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen by who parks", "seen by the sweeper"])
async def test_nobody_stays_parked_in_a_campaign_that_came_to_its_end_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, is_seen: bool
) -> None:
    await stage.running([1])
    (item,) = await stage.dispatch()
    await stage.accept([item])
    right = OutcomeRepository.park

    async def park(self: OutcomeRepository, *given: Any) -> list[tuple[str, str]]:
        if is_seen:  # the campaign was read, and comes to its end before this
            await stage.dispatch()
        return await right(self, *given)

    with monkeypatch.context() as late:
        late.setattr(OutcomeRepository, "park", park)
        await stage.tell("failed", [item], 131049)
    if not is_seen:  # as if it had ended after who parks looked once more
        await stage.database["campaigns"].update_one({}, {"$set": {"status": "COMPLETED", "look_at": stage.clock()}})
        await stage.sweep()

    assert (await stage.look()).status == "COMPLETED"
    assert dict(await stage.states()) == {"failed": 1}
