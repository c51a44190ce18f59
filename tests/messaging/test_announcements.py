"""Outcomes whose event could not be published yet: they are announced later, under the same id, and block nothing."""

import asyncio
from dataclasses import replace

import pytest

from services.messaging.domain.states import ANNOUNCE_AFTER
from shared.contracts.messaging import MessagesQueued
from shared.errors import BusUnavailableError
from tests.eventually import eventually
from tests.messaging.meta import cut, refuse
from tests.messaging.stage import Stage, heard, message_id, received, status, text


async def pass_announcing_time(stage: Stage) -> None:
    stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())
    await stage.sweep()


async def test_while_the_broker_is_away_a_sent_message_stays_to_be_announced(stage: Stage) -> None:
    stage.bus.is_away = True

    await stage.messaging.sends.send_messages([received(text())])

    document = await stage.document()
    assert document["state"] == "SENT"
    assert document["wake_at"] == stage.clock() + ANNOUNCE_AFTER
    assert stage.sent() == []


async def test_it_is_announced_once_the_broker_is_back_and_meta_is_not_called_again(stage: Stage) -> None:
    stage.bus.is_away = True
    await stage.messaging.sends.send_messages([received(text())])
    await pass_announcing_time(stage)

    stage.bus.is_away = False
    await pass_announcing_time(stage)
    await pass_announcing_time(stage)

    assert [item.id for item in stage.sent()] == [f"message.sent:{message_id()}"]
    assert "wake_at" not in await stage.document()
    assert len(stage.meta.calls) == 1


async def test_a_failure_is_announced_later_too(stage: Stage) -> None:
    stage.meta.will(refuse(131026))
    stage.bus.is_away = True
    await stage.messaging.sends.send_messages([received(text())])

    stage.bus.is_away = False
    await pass_announcing_time(stage)

    assert [(item.id, item.failure) for item in stage.failed()] == [(f"message.failed:{message_id()}", "meta_131026")]
    assert "wake_at" not in await stage.document()


async def test_a_lifted_outcome_is_announced_later_too(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.messaging.sends.send_messages([received(text())])
    stage.bus.is_away = True
    with pytest.raises(BusUnavailableError):  # the statuses themselves are delivered again
        await stage.messaging.statuses.on_meta_statuses_received([heard(status("sent", f"w1:{message_id()}:1"))])

    stage.bus.is_away = False
    await pass_announcing_time(stage)

    assert [item.id for item in stage.sent()] == [f"message.sent:{message_id()}"]


async def test_while_the_broker_is_away_other_messages_still_get_their_step(stage: Stage) -> None:
    stage.bus.is_away = True
    await stage.messaging.sends.send_messages([received(text(number)) for number in range(1, 6)])
    stage.meta.will(refuse(4))
    await stage.messaging.sends.send_messages([received(text(6))])
    hasty = replace(stage.messaging.sweeper, round_size=5)

    for _ in range(3):
        stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())
        await hasty.sweep()
        await hasty.drain()
    await stage.drain()

    assert await stage.state(6) == "SENT"


async def test_a_sweep_ends_although_the_broker_is_away_and_more_is_due_than_a_round_takes(stage: Stage) -> None:
    stage.bus.is_away = True
    await stage.messaging.sends.send_messages([received(text(number)) for number in range(1, 8)])
    stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())
    hasty = replace(stage.messaging.sweeper, round_size=2)

    await hasty.sweep()

    assert stage.bus.refused_publishes == 1 + 4  # once when they were sent, and once in each round


async def test_while_answers_do_not_get_away_the_next_results_are_recorded_all_the_same(stage: Stage) -> None:
    stage.bus.replies_leave = asyncio.Event()
    first = asyncio.create_task(stage.ask(text(1)))
    await eventually(lambda: stage.is_in("SENT", 1))

    second = asyncio.create_task(stage.ask(text(2)))
    await eventually(lambda: stage.is_in("SENT", 2))
    anybody_was_told = first.done() or second.done()
    stage.bus.replies_leave.set()

    assert not anybody_was_told
    assert {(await first).status, (await second).status} == {"sent"}


async def test_two_sweepers_announce_a_message_under_the_same_id(stage: Stage) -> None:
    stage.bus.is_away = True
    await stage.messaging.sends.send_messages([received(text())])
    stage.bus.is_away = False
    stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())

    await asyncio.gather(stage.sweep(), stage.sweep(await stage.start_another("second")))

    assert {item.id for item in stage.sent()} == {f"message.sent:{message_id()}"}
    assert "wake_at" not in await stage.document()


async def test_a_message_that_meta_takes_later_is_announced_as_waiting_once(stage: Stage) -> None:
    stage.meta.will(refuse(4), refuse(4))
    await stage.messaging.sends.send_messages([received(text())])

    for _ in range(3):
        stage.clock.pass_time(600)
        await stage.sweep()

    queued = [item for event in stage.bus.published if isinstance(event, MessagesQueued) for item in event.items]
    assert [(item.id, item.reason) for item in queued] == [(f"message.queued:{message_id()}", "meta_4")]
    assert [item.message_id for item in stage.sent()] == [message_id()]
