"""What a refusal, or a Meta that cannot be reached, makes of a message and its caller."""

import asyncio

import pytest

from services.messaging.domain.states import HOLD
from shared.contracts.messaging import MessageOutcome
from tests.eventually import eventually
from tests.messaging.meta import answer, refuse
from tests.messaging.stage import KEYS, NUMBER, TOKEN, Stage, code, message_id, text


async def test_a_definite_refusal_fails_the_message_with_metas_reason(stage: Stage) -> None:
    stage.meta.will(refuse(131026, message="Message undeliverable"))

    outcome = await stage.ask(text())

    assert outcome.status == "failed"
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.message) == (131026, "(#131026) Message undeliverable")
    assert outcome.warnings == ()
    (item,) = stage.failed()
    assert (item.failure, item.outcome_unknown) == ("meta_131026", False)
    document = await stage.document()
    assert document["state"] == "FAILED"
    assert "wake_at" not in document


async def test_a_failed_message_stays_failed_when_its_command_comes_again(stage: Stage) -> None:
    stage.meta.will(refuse(100))
    first = await stage.ask(text())

    second = await stage.ask(text())

    assert second == first
    assert len(stage.meta.calls) == 1


async def test_texts_that_look_like_expressions_are_stored_as_they_are(stage: Stage) -> None:
    stage.meta.will(refuse(100, message="$state is not $$NOW"), refuse(131000, message="$wake_at"))

    await stage.ask(text(1))
    await stage.ask(text(2))

    assert (await stage.document(1))["error"]["message"] == "(#100) $state is not $$NOW"
    assert (await stage.document(2))["error"]["message"] == "(#131000) $wake_at"


@pytest.mark.parametrize("meta_code", [4, 131056, 133004])
async def test_a_refusal_for_now_is_sent_by_the_sweeper_and_its_caller_is_answered_then(
    stage: Stage, meta_code: int
) -> None:
    stage.meta.will(refuse(meta_code))
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: stage.is_in("RETRY_WAIT"))

    await stage.sweep()
    calls_before_it_is_due = len(stage.meta.calls)
    stage.clock.pass_time(31)
    await stage.sweep()

    outcome = await asking
    assert (outcome.status, outcome.wa_message_id) == ("sent", "wamid.2")
    assert calls_before_it_is_due == 1
    assert stage.meta.opaques() == [f"w1:{message_id()}:1", f"w1:{message_id()}:2"]
    assert len(stage.sent()) == 1
    assert {"wake_at", "error", "failure"}.isdisjoint(await stage.document())


async def test_while_meta_refuses_connections_a_message_waits_and_is_sent_later(stage: Stage) -> None:
    await stage.meta.stop()
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: stage.is_in("RETRY_WAIT"))

    await stage.meta.start()
    stage.clock.pass_time(5)
    await stage.sweep()

    assert (await asking).status == "sent"
    assert stage.meta.opaques() == [f"w1:{message_id()}:2"]


async def test_a_message_that_is_refused_for_now_until_its_time_is_over_fails(stage: Stage) -> None:
    stage.meta.will(*[refuse(4)] * 20)
    await stage.bus.send(text())

    for _ in range(13):
        stage.clock.pass_time(300)
        await stage.sweep()

    assert await stage.state() == "FAILED"
    (item,) = stage.failed()
    assert (item.failure, item.outcome_unknown) == ("expired", False)
    assert item.error is not None
    assert item.error.code == 4
    assert len(stage.meta.calls) == 12  # none after the hour


@pytest.mark.parametrize("meta_code", [1, 2, 131000, 131016])
async def test_an_error_that_may_come_after_the_act_is_told_at_once_and_never_sent_again(
    stage: Stage, meta_code: int
) -> None:
    stage.meta.will(refuse(meta_code, 500))

    outcome = await stage.ask(text())
    stage.clock.pass_time(HOLD.window.total_seconds() + 1)
    await stage.sweep()

    assert outcome.status == "failed"
    assert outcome.error is not None
    assert outcome.error.code == meta_code
    assert outcome.warnings == ("outcome_unknown",)
    assert await stage.state() == "UNKNOWN"
    assert len(stage.meta.calls) == 1


async def test_a_repetition_of_such_a_command_is_told_the_same(stage: Stage) -> None:
    stage.meta.will(refuse(131000, 500))
    first = await stage.ask(text())

    second = await stage.ask(text())

    assert second == first
    assert len(stage.meta.calls) == 1


async def test_a_token_that_does_not_open_keeps_its_message_unposted_until_it_does(stage: Stage) -> None:
    numbers = stage.database["phone_numbers"]
    await numbers.update_one({"_id": NUMBER}, {"$set": {"sealed_access_token": "v1.gone.AAAA"}})
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: stage.is_in("QUEUED"))
    attempts_before = (await stage.document())["attempt"]

    sealed = KEYS.seal(TOKEN, owner_id=NUMBER, field="access_token")
    await numbers.update_one({"_id": NUMBER}, {"$set": {"sealed_access_token": sealed}})
    stage.clock.pass_time(61)
    await stage.sweep()

    assert (await asking).status == "sent"
    assert attempts_before == 0
    assert stage.meta.opaques() == [f"w1:{message_id()}:1"]


async def test_a_token_that_does_not_open_leaves_the_other_numbers_of_the_group_alone(stage: Stage) -> None:
    await stage.add_number("pn_2", meta_phone_number_id="107", sealed_access_token="v1.gone.AAAA")

    sent, kept = await asyncio.gather(
        stage.ask(text(1)),
        stage.messaging.dispatcher.send_new(
            [stage.outbound(text(2, phone_number_id="pn_2")), stage.outbound(text(3))],
            await stage.messaging.sends.preparation.list_numbers([NUMBER, "pn_2"]),
            stage.settings.timing_for("service"),
        ),
    )

    await stage.drain()

    assert sent.status == "sent"
    assert set(kept) == {message_id(2), message_id(3)}
    assert [await stage.state(n) for n in (2, 3)] == ["QUEUED", "SENT"]


async def test_messages_of_a_number_that_has_gone_wait_and_end_when_their_time_is_over(stage: Stage) -> None:
    stage.meta.will(refuse(4))
    await stage.bus.send(text())
    await stage.database["phone_numbers"].delete_many({})

    stage.clock.pass_time(10)
    await stage.sweep()
    state_meanwhile = await stage.state()
    stage.clock.pass_time(3600)
    await stage.sweep()
    await stage.sweep()  # announces what the one before decided

    assert state_meanwhile == "RETRY_WAIT"
    assert [item.failure for item in stage.failed()] == ["expired"]


async def test_a_code_that_was_refused_for_good_is_not_repeated(stage: Stage) -> None:
    stage.meta.will(refuse(131026))

    outcome = await stage.ask(code())
    stage.clock.pass_time(60)
    await stage.sweep()

    assert isinstance(outcome, MessageOutcome)
    assert outcome.status == "failed"
    assert len(stage.meta.calls) == 1


async def test_an_answer_without_an_id_is_no_acceptance(stage: Stage) -> None:
    stage.meta.will(answer(200, b'{"messages":[{"id":null}]}'))

    await stage.bus.send(text())

    document = await stage.document()
    assert (document["state"], document["failure"]) == ("UNKNOWN", "accepted_without_id")
    assert "wamid" not in document
