"""A worker dies at each point of the protocol; another one finishes what it left, and Meta is not called too often."""

import gc
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from services.messaging.main import Messaging
from shared.contracts.messaging import MessageOutcome, SendMessage
from shared.contracts.webhooks import MetaStatus
from shared.crashpoints import arm
from tests.messaging.meta import cut, refuse
from tests.messaging.stage import Stage, address, batch, code, heard, message_id, received, status, text

LEASE_SECONDS, CODE_LEASE_SECONDS, WINDOW_SECONDS = 120, 30, 600
POINTS = ("claimed", "intended", "posted", "recorded", "published")


class Died(BaseException):
    """The process is gone: no handler of ordinary errors sees it."""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm(None)
    # The dead leave tasks whose ends nobody asked for. They are told of here: amid the parsing of a source, as pytest
    # does for a report, the traceback would be parsed as well, and Python 3.11 gets both wrong.
    gc.collect()


def die_at(point: str) -> None:
    def die(exit_status: int) -> NoReturn:
        raise Died

    arm(f"messaging.{point}", die=die)


async def crash(stage: Stage, command: SendMessage, point: str) -> None:
    """The first worker takes a command of "caller"'s and dies on the way."""
    die_at(point)
    with pytest.raises(Died):
        await stage.messaging.sends.send_messages([received(command, address("caller"))])


async def hear_at(messaging: Messaging, *statuses: MetaStatus) -> None:
    """Statuses come in at one instance."""
    await messaging.statuses.on_meta_statuses_received([heard(*statuses)])


async def hear_of_every_call(stage: Stage, messaging: Messaging) -> None:
    """Meta tells of everything that reached it."""
    await hear_at(messaging, *(status("sent", call.opaque, call.wamid) for call in stage.meta.calls))


async def let_time_pass(stage: Stage, messaging: Messaging) -> None:
    """Sweep after each lease and window, until nothing is left that time could change."""
    for seconds in (LEASE_SECONDS, WINDOW_SECONDS, 5) * 2:
        stage.clock.pass_time(seconds)
        await stage.sweep(messaging)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("command", [text, code], ids=["text", "code"])
async def test_whatever_the_point_meta_is_called_once_and_once_more_for_each_declared_repetition(
    stage: Stage, command: Callable[[], SendMessage], point: str
) -> None:
    await crash(stage, command(), point)
    second = await stage.start_another("second")

    await let_time_pass(stage, second)
    await hear_of_every_call(stage, second)

    document = await stage.document()
    assert len(stage.meta.calls) <= 1 + document.get("resends", 0)
    assert document.get("resends", 0) <= (1 if command is code else 0)
    assert document["state"] == ("SENT" if stage.meta.calls else "UNKNOWN")
    assert "wake_at" not in document
    assert {item.id for item in stage.sent()} == ({f"message.sent:{message_id()}"} if stage.meta.calls else set())


@pytest.mark.parametrize(
    ("point", "calls", "told"),
    [
        ("claimed", 1, "sent"),  # by the second worker
        ("intended", 0, None),  # nobody can tell that nothing left
        ("posted", 1, "sent"),  # by the status
        ("recorded", 1, "sent"),  # by the redelivery
        ("published", 1, "sent"),  # by the first worker
    ],
)
async def test_a_held_message_is_called_at_most_once_and_its_caller_hears_what_can_be_known(
    stage: Stage, point: str, calls: int, told: str | None
) -> None:
    await crash(stage, text(), point)
    second = await stage.start_another("second")

    await second.sends.send_messages([received(text(), address("caller"))])  # it was not acknowledged
    stage.clock.pass_time(LEASE_SECONDS + 1)
    await stage.sweep(second)
    await hear_of_every_call(stage, second)

    answers = [answer for answer in stage.answers_to("caller") if isinstance(answer, MessageOutcome)]
    assert len(stage.meta.calls) == calls
    assert {answer.status for answer in answers} == ({told} if told else set())


async def test_after_a_lost_intent_a_held_message_is_reported_as_unknown_and_never_called(stage: Stage) -> None:
    await crash(stage, text(), "intended")
    second = await stage.start_another("second")

    await let_time_pass(stage, second)

    assert stage.meta.calls == []
    assert [(item.failure, item.outcome_unknown) for item in stage.failed()] == [("outcome_unknown", True)]


async def test_after_a_lost_intent_a_code_is_sent_within_its_lease_and_window(stage: Stage) -> None:
    await crash(stage, code(), "intended")
    second = await stage.start_another("second")

    stage.clock.pass_time(CODE_LEASE_SECONDS)
    await stage.sweep(second)
    stage.clock.pass_time(15)
    await stage.sweep(second)

    assert stage.meta.opaques() == [f"w1:{message_id()}:2"]
    assert [answer.status for answer in stage.answers_to("caller") if isinstance(answer, MessageOutcome)] == ["sent"]


async def test_a_sweeper_that_dies_after_its_intent_leaves_nothing_that_is_called_twice(stage: Stage) -> None:
    stage.meta.will(refuse(4))
    await stage.bus.send(text())
    stage.clock.pass_time(5)
    die_at("intended")
    await stage.sweep()
    second = await stage.start_another("second")

    await let_time_pass(stage, second)

    assert await stage.state() == "UNKNOWN"
    assert len(stage.meta.calls) == 1
    assert [item.outcome_unknown for item in stage.failed()] == [True]


async def test_a_sweeper_that_dies_at_the_end_of_its_round_has_lost_nothing(stage: Stage) -> None:
    stage.meta.will(refuse(4))
    await stage.bus.send(text())
    stage.clock.pass_time(5)
    die_at("swept")

    with pytest.raises(Died):
        await stage.sweep()
    await stage.drain()

    assert await stage.state() == "SENT"
    assert len(stage.sent()) == 1


async def test_a_repetition_whose_worker_dies_is_not_declared_twice(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(code())
    stage.clock.pass_time(16)
    die_at("intended")
    await stage.sweep()
    second = await stage.start_another("second")

    await let_time_pass(stage, second)

    document = await stage.document()
    assert (document["state"], document["resends"], document["attempt"]) == ("UNKNOWN", 1, 2)
    assert len(stage.meta.calls) == 1
    assert [item.outcome_unknown for item in stage.failed()] == [True]


async def test_statuses_that_were_applied_by_a_worker_that_died_are_announced_by_the_next(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())
    delivered = status("delivered", f"w1:{message_id()}:1", "wamid.X")
    die_at("statuses_applied")
    with pytest.raises(Died):
        await stage.hear(delivered)
    second = await stage.start_another("second")

    await hear_at(second, delivered)

    assert await stage.state() == "SENT"
    assert [item.id for item in stage.sent()] == [f"message.sent:{message_id()}"]
    assert [item.id for item in stage.changes()] == [f"message.delivered:{message_id()}"]


async def test_applied_statuses_that_never_come_again_still_settle_an_unknown_outcome(stage: Stage) -> None:
    stage.meta.will(cut)
    await stage.bus.send(text())
    die_at("statuses_applied")
    with pytest.raises(Died):
        await stage.hear(status("delivered", f"w1:{message_id()}:1", "wamid.X"))

    await stage.sweep(await stage.start_another("second"))

    assert await stage.state() == "SENT"
    assert len(stage.sent()) == 1


@pytest.mark.parametrize("point", POINTS)
async def test_a_batch_whose_worker_died_is_finished_and_calls_nobody_twice(stage: Stage, point: str) -> None:
    die_at(point)
    with pytest.raises(Died):
        await stage.messaging.batches.send_batch(batch(range(1, 11)))
    second = await stage.start_another("second")

    await second.batches.send_batch(batch(range(1, 11)))  # it was not acknowledged
    await let_time_pass(stage, second)
    await hear_of_every_call(stage, second)

    opaques = stage.meta.opaques()
    called = {call.opaque.split(":")[1] for call in stage.meta.calls}
    assert len(opaques) == len(set(opaques)) == len(called)
    assert {item.message_id for item in stage.sent()} == called
    assert sorted(await stage.states()) == ["SENT"] * len(called) + ["UNKNOWN"] * (10 - len(called))
    if point != "intended":  # there nobody can tell that nothing left
        assert len(called) == 10
