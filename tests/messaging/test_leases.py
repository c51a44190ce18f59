"""Leases: what is taken over when they end, and what their former owner may still do."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

from services.messaging.domain.messages import OutboundMessage
from services.messaging.repositories.messages import MessageRepository
from tests.eventually import eventually
from tests.messaging.meta import cut, held, refuse
from tests.messaging.stage import Stage, address, code, message_id, received, text

LEASE_SECONDS, CODE_LEASE_SECONDS, WINDOW_SECONDS, CODE_WINDOW_SECONDS = 120, 30, 600, 15
FIRST, SECOND = f"w1:{message_id()}:1", f"w1:{message_id()}:2"


def repository(stage: Stage, worker: str) -> MessageRepository:
    return MessageRepository(stage.database, worker, stage.clock)


async def claimed(stage: Stage, attempt_id: str = "try_old") -> OutboundMessage:
    """A message that a worker has claimed and then does nothing with."""
    message = stage.outbound(text())
    await repository(stage, "frozen").claim_new([message], attempt_id, stage.settings.timing_for("service"))
    return message


async def test_a_claim_is_left_alone_while_its_lease_lasts(stage: Stage) -> None:
    await claimed(stage)

    stage.clock.pass_time(LEASE_SECONDS - 1)
    await stage.sweep()

    assert await stage.state() == "CLAIMED"
    assert stage.meta.calls == []


async def test_a_claim_whose_lease_is_over_is_taken_over_and_its_old_owner_may_not_post(stage: Stage) -> None:
    message = await claimed(stage)
    stage.clock.pass_time(LEASE_SECONDS)

    await stage.sweep()
    intended = await repository(stage, "frozen").intend([message.id], "try_old")

    assert intended == set()
    assert await stage.state() == "SENT"
    assert stage.meta.opaques() == [FIRST]


async def test_an_owner_that_is_late_but_was_not_replaced_may_go_on(stage: Stage) -> None:
    message = await claimed(stage)
    stage.clock.pass_time(LEASE_SECONDS)

    intended = await repository(stage, "frozen").intend([message.id], "try_old")

    assert intended == {message.id}


async def test_an_intent_whose_lease_is_over_is_unknown_and_not_posted(stage: Stage) -> None:
    message = await claimed(stage)
    await repository(stage, "frozen").intend([message.id], "try_old")

    stage.clock.pass_time(LEASE_SECONDS)
    await stage.sweep()

    document = await stage.document()
    assert (document["state"], document["failure"]) == ("UNKNOWN", "worker_lost")
    assert stage.meta.calls == []


async def test_an_acceptance_that_comes_after_its_lease_still_counts(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers))
    asking = asyncio.create_task(stage.ask(text()))
    await eventually(lambda: len(stage.meta.calls) == 1)
    stage.clock.pass_time(LEASE_SECONDS)
    await (await stage.start_another("second")).sweeper.sweep()
    state_before = await stage.state()

    meta_answers.set()

    assert (await asking).wa_message_id == "wamid.1"
    assert (state_before, await stage.state()) == ("UNKNOWN", "SENT")


async def test_an_acceptance_stops_a_repetition_that_another_worker_has_claimed(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers))
    asking = asyncio.create_task(stage.ask(code()))
    await eventually(lambda: len(stage.meta.calls) == 1)
    second = await stage.start_another("second")
    stage.clock.pass_time(CODE_LEASE_SECONDS)
    await second.sweeper.sweep()
    stage.clock.pass_time(CODE_WINDOW_SECONDS)
    timing = stage.settings.timing_for("authentication")
    (repetition,) = await second.sweeper.sweeps.claim_resend([message_id()], "try_again", timing)

    meta_answers.set()
    await asking
    numbers = await second.sweeper.numbers.list_sending(["pn_1"])
    await second.dispatcher.send_claimed(
        [repetition.message], numbers, "try_again", timing, claiming_at=second.dispatcher.monotonic()
    )

    assert stage.meta.opaques() == [FIRST]
    assert await stage.state() == "SENT"


async def test_a_refusal_that_comes_after_the_repetition_was_claimed_is_not_told(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(held(meta_answers, then=refuse(131026)))
    sending = asyncio.create_task(stage.bus.send(code()))
    await eventually(lambda: len(stage.meta.calls) == 1)
    second = await stage.start_another("second")
    for seconds in (CODE_LEASE_SECONDS, CODE_WINDOW_SECONDS):
        stage.clock.pass_time(seconds)
        await stage.sweep(second)

    meta_answers.set()
    await sending

    assert stage.meta.opaques() == [FIRST, SECOND]
    assert await stage.state() == "SENT"
    assert (len(stage.sent()), stage.failed()) == (1, [])


async def test_two_sweepers_at_the_same_time_send_a_message_once(stage: Stage) -> None:
    await claimed(stage)
    second = await stage.start_another("second")
    stage.clock.pass_time(LEASE_SECONDS)

    await asyncio.gather(stage.sweep(), stage.sweep(second))

    assert stage.meta.opaques() == [FIRST]
    assert len(stage.sent()) == 1


async def test_two_deliveries_at_the_same_time_send_a_message_once(stage: Stage) -> None:
    second = await stage.start_another("second")

    await asyncio.gather(
        stage.messaging.sends.send_messages([received(text(), address("one"))]),
        second.sends.send_messages([received(text(), address("two"))]),
    )
    await stage.drain(second)
    await stage.sweep()

    assert stage.meta.opaques() == [FIRST]
    assert len(stage.answers_to("one")) == len(stage.answers_to("two")) == 1


def clock_that_jumps(after: int, seconds: float) -> Iterator[float]:
    """A monotonic clock that shows nought `after` times, and then more."""
    return chain(repeat(0.0, after), repeat(seconds))


async def test_an_intent_that_took_too_long_to_store_is_withdrawn_and_sent_later(stage: Stage) -> None:
    times = clock_that_jumps(1, 5.1)
    slow = replace(stage.messaging.dispatcher, monotonic=lambda: next(times))
    numbers = await stage.messaging.sweeper.numbers.list_sending(["pn_1"])

    await slow.send_new([stage.outbound(text())], numbers, stage.settings.timing_for("service"))
    withdrawn = await stage.document()
    calls_before = len(stage.meta.calls)
    await stage.sweep()

    assert (withdrawn["state"], withdrawn["attempt"], calls_before) == ("QUEUED", 0, 0)
    assert stage.meta.opaques() == [FIRST]
    assert (await stage.document())["attempt"] == 1


async def test_an_intent_that_took_long_but_not_too_long_is_posted(stage: Stage) -> None:
    times = clock_that_jumps(1, 4.9)
    slow = replace(stage.messaging.dispatcher, monotonic=lambda: next(times))
    numbers = await stage.messaging.sweeper.numbers.list_sending(["pn_1"])

    await slow.send_new([stage.outbound(text())], numbers, stage.settings.timing_for("service"))
    await slow.drain()

    assert stage.meta.opaques() == [FIRST]


async def test_a_withdrawn_repetition_keeps_its_number_and_its_declaration(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(code())
    stage.clock.pass_time(CODE_WINDOW_SECONDS)
    timing = stage.settings.timing_for("authentication")
    (repetition,) = await stage.messaging.sweeper.sweeps.claim_resend([message_id()], "try_again", timing)
    times = clock_that_jumps(1, 8)
    slow = replace(stage.messaging.dispatcher, monotonic=lambda: next(times))
    numbers = await stage.messaging.sweeper.numbers.list_sending(["pn_1"])

    await slow.send_claimed([repetition.message], numbers, "try_again", timing, claiming_at=slow.monotonic())
    await stage.sweep()

    assert stage.meta.opaques() == [FIRST, SECOND]
    assert (await stage.document())["resends"] == 1
