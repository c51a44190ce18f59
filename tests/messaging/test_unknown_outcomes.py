"""Answers that were lost: a status of Meta's settles them, or their class's policy does."""

import asyncio

import pytest

from services.messaging.domain.states import ANNOUNCE_AFTER, HOLD, RESEND
from tests.eventually import eventually
from tests.messaging.meta import answer, cut, hang, held, refuse
from tests.messaging.stage import Stage, code, message_id, stage_on, status, text

FIRST, SECOND = f"w1:{message_id()}:1", f"w1:{message_id()}:2"
HOLD_SECONDS, RESEND_SECONDS = HOLD.window.total_seconds(), RESEND.window.total_seconds()


async def sweep_after(stage: Stage, seconds: float) -> None:
    """Pass time and sweep; an outcome that is decided on now is announced a moment later."""
    stage.clock.pass_time(seconds)
    await stage.sweep()
    stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())
    await stage.sweep()


@pytest.mark.parametrize("name", ["sent", "delivered", "read"])
async def test_a_status_lifts_a_lost_answer_and_its_caller_is_told(stage: Stage, name: str) -> None:
    stage.meta.will(cut)
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: stage.is_in("UNKNOWN"))

    await stage.hear(status(name, FIRST, "wamid.X"))

    outcome = await asking
    assert (outcome.status, outcome.wa_message_id) == ("sent", "wamid.X")
    assert [item.wa_message_id for item in stage.sent()] == ["wamid.X"]
    document = await stage.document()
    assert (document["state"], document["wamid"]) == ("SENT", "wamid.X")
    assert {"wake_at", "failure", "reply"}.isdisjoint(document)
    assert len(stage.meta.calls) == 1


async def test_silence_a_gateways_page_and_an_answer_without_id_are_all_lifted_alike(stage: Stage) -> None:
    stage.meta.will(answer(502, b"<html>", "text/html"), answer(200, b"{}"), cut)
    for number in (1, 2, 3):
        await stage.bus.send(text(number))

    await stage.hear(*(status("sent", f"w1:{message_id(n)}:1", f"wamid.X{n}") for n in (1, 2, 3)))

    assert await stage.states() == ["SENT"] * 3
    assert sorted(item.wa_message_id for item in stage.sent()) == ["wamid.X1", "wamid.X2", "wamid.X3"]


async def test_a_call_that_hangs_is_given_up_and_unknown(stage: Stage) -> None:
    async with stage_on(stage.database, send_timeout_seconds=1) as hasty:  # enough to reach Meta
        hasty.meta.will(hang)

        await hasty.bus.send(text())

        assert await hasty.state() == "UNKNOWN"
        assert len(hasty.meta.calls) == 1


async def test_a_status_that_comes_before_a_lost_answer_lifts_it_in_the_next_sweep(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers, then=cut))
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: len(stage.meta.calls) == 1)

    await stage.hear(status("sent", FIRST, "wamid.X"))
    meta_answers.set()
    await eventually(lambda: stage.is_in("UNKNOWN"))
    await stage.sweep()

    assert (await asking).wa_message_id == "wamid.X"
    assert len(stage.sent()) == 1


async def test_a_status_that_comes_before_the_acceptance_changes_nothing_about_it(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers))
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: len(stage.meta.calls) == 1)

    await stage.hear(status("delivered", FIRST))
    meta_answers.set()

    assert (await asking).wa_message_id == "wamid.1"
    assert len(stage.sent()) == 1
    assert [item.status for item in stage.changes()] == ["delivered"]


async def test_a_failed_status_lifts_a_lost_answer_to_failed_with_metas_reason(stage: Stage) -> None:
    stage.meta.will(cut)
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: stage.is_in("UNKNOWN"))

    await stage.hear(status("failed", FIRST))

    outcome = await asking
    assert outcome.status == "failed"
    assert outcome.error is not None
    assert outcome.error.code == 131026
    (item,) = stage.failed()
    assert (item.failure, item.outcome_unknown) == ("failed_at_meta", False)
    assert stage.sent() == []


async def test_without_a_status_a_held_message_is_reported_once_its_window_is_over(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())

    await sweep_after(stage, HOLD_SECONDS - 1 - ANNOUNCE_AFTER.total_seconds())
    announced_within_the_window = list(stage.failed())
    await sweep_after(stage, 1)
    await sweep_after(stage, HOLD_SECONDS)

    assert announced_within_the_window == []
    (item,) = stage.failed()
    assert (item.failure, item.outcome_unknown) == ("outcome_unknown", True)
    assert await stage.state() == "UNKNOWN"
    assert "wake_at" not in await stage.document()
    assert len(stage.meta.calls) == 1


async def test_who_asks_again_after_the_report_is_told_at_once_that_the_outcome_is_open(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())
    await sweep_after(stage, HOLD_SECONDS)

    outcome = await stage.ask(text())

    assert (outcome.status, outcome.message_id) == ("queued", message_id())
    assert len(stage.meta.calls) == 1


async def test_a_late_status_lifts_what_was_reported_already(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())
    await sweep_after(stage, HOLD_SECONDS)

    stage.clock.pass_time(3600)
    await stage.hear(status("delivered", FIRST, "wamid.X"))

    assert await stage.state() == "SENT"
    assert [item.id for item in stage.sent()] == [f"message.sent:{message_id()}"]
    assert "wake_at" not in await stage.document()


async def test_a_code_is_sent_again_once_after_its_window_and_says_so(stage: Stage) -> None:
    stage.meta.will(cut)
    asking = asyncio.create_task(stage.ask(code()))
    await eventually(lambda: stage.is_in("UNKNOWN"))

    await sweep_after(stage, RESEND_SECONDS - 6)
    calls_within_the_window = len(stage.meta.calls)
    await sweep_after(stage, 1)

    assert calls_within_the_window == 1
    assert (await asking).wa_message_id == "wamid.2"
    assert stage.meta.opaques() == [FIRST, SECOND]
    document = await stage.document()
    assert (document["state"], document["attempt"], document["resends"]) == ("SENT", 2, 1)
    assert len(stage.sent()) == 1


async def test_a_code_that_meta_may_have_sent_is_told_so_at_once_and_sent_again_all_the_same(stage: Stage) -> None:
    stage.meta.will(refuse(131000, 500))

    outcome = await stage.ask(code())
    await sweep_after(stage, RESEND_SECONDS)

    assert (outcome.status, outcome.warnings) == ("failed", ("outcome_unknown",))
    assert stage.meta.opaques() == [FIRST, SECOND]
    assert await stage.state() == "SENT"
    assert {"error", "wake_at"}.isdisjoint(await stage.document())


async def test_a_code_whose_repetition_is_lost_too_is_not_sent_a_third_time(stage: Stage) -> None:
    stage.meta.will(cut, cut)
    await stage.bus.send(code())

    for _ in range(3):
        await sweep_after(stage, RESEND_SECONDS)

    assert stage.meta.opaques() == [FIRST, SECOND]
    assert [item.outcome_unknown for item in stage.failed()] == [True]
    assert "wake_at" not in await stage.document()


@pytest.mark.parametrize("name", ["sent", "failed"])
async def test_a_code_that_a_status_came_for_is_never_sent_again(stage: Stage, name: str) -> None:
    stage.meta.will(cut)
    await stage.bus.send(code())

    await stage.hear(status(name, FIRST, "wamid.X"))
    await sweep_after(stage, RESEND_SECONDS)

    assert stage.meta.opaques() == [FIRST]


async def test_a_status_for_the_first_attempt_stops_a_repetition_that_waits(stage: Stage) -> None:
    stage.meta.will(cut, refuse(133004))  # back in half a minute
    await stage.bus.send(code())
    await sweep_after(stage, RESEND_SECONDS)
    state_before = await stage.state()

    await stage.hear(status("sent", FIRST, "wamid.X"))
    await sweep_after(stage, 60)

    assert state_before == "RETRY_WAIT"
    assert await stage.state() == "SENT"
    assert stage.meta.opaques() == [FIRST, SECOND]
    assert [item.wa_message_id for item in stage.sent()] == ["wamid.X"]


async def test_a_repetition_that_is_refused_leaves_the_first_attempts_outcome_open(stage: Stage) -> None:
    stage.meta.will(cut, refuse(131026))
    asking = asyncio.create_task(stage.ask(code()))
    await eventually(lambda: stage.is_in("UNKNOWN"))

    await sweep_after(stage, RESEND_SECONDS)

    outcome = await asking
    assert (outcome.status, outcome.warnings) == ("failed", ("outcome_unknown",))
    assert await stage.state() == "UNKNOWN"
    await stage.hear(status("delivered", FIRST, "wamid.X"))
    assert await stage.state() == "SENT"


async def test_a_repetition_that_expires_while_it_waits_is_unknown_and_not_failed(stage: Stage) -> None:
    stage.meta.will(cut, *[refuse(4)] * 20)
    await stage.bus.send(code())

    for _ in range(15):
        await sweep_after(stage, 40)

    (item,) = stage.failed()
    assert item.outcome_unknown
    assert await stage.state() == "UNKNOWN"
    assert "wake_at" not in await stage.document()


async def test_a_code_that_is_too_late_for_its_repetition_is_reported_and_not_looked_at_for_ever(stage: Stage) -> None:
    stage.clock.pass_time(9 * 60 + 50)
    stage.meta.will(cut)
    await stage.bus.send(code())

    await sweep_after(stage, RESEND_SECONDS)

    assert stage.meta.opaques() == [FIRST]
    assert [item.outcome_unknown for item in stage.failed()] == [True]
    assert "wake_at" not in await stage.document()


async def test_a_held_message_is_never_sent_again_whatever_time_passes(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())

    for _ in range(30):
        await sweep_after(stage, 180)

    assert stage.meta.opaques() == [FIRST]


async def test_who_asks_again_while_the_outcome_is_unknown_is_told_when_it_is_known(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(stage.has_caller)

    await stage.hear(status("sent", FIRST, "wamid.X"))

    assert (await asking).wa_message_id == "wamid.X"
    assert {"wake_at", "callers"}.isdisjoint(await stage.document())
