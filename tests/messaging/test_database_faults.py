"""The database does not answer, once: the step is repeated, and neither a result nor a message is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError

from services.messaging.dispatch import Dispatcher
from services.messaging.domain.states import ANNOUNCE_AFTER
from services.messaging.recording import Recorder
from services.messaging.repositories.messages import MessageRepository
from tests.eventually import eventually
from tests.messaging.meta import Act, accept, held, refuse
from tests.messaging.stage import NUMBER, Stage, message_id, text

CLAIM, INTENT, ACCEPTANCE, MARK = ("insert_many", 1), ("update_many", 1), ("update_many", 2), ("update_many", 3)
REFUSAL, POSTPONEMENT = ("find_one_and_update", 1), ("update_one", 1)


@dataclass
class Fault:
    """The n-th call of an operation fails; `carried_out` says whether only its answer is lost."""

    operation: str
    turn: int
    carried_out: bool = False
    error: Callable[[], Exception] = lambda: AutoReconnect("connection closed")

    def strikes(self, operation: str) -> bool:
        """Whether this call is the one."""
        self.turn -= operation == self.operation
        return operation == self.operation and self.turn == 0


@dataclass
class FaultyCollection:
    """A collection with one fault."""

    collection: Any
    fault: Fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.collection, name)
        if name != self.fault.operation:
            return method

        async def call(*args: Any, **options: Any) -> Any:
            if not self.fault.strikes(name):
                return await method(*args, **options)
            if self.fault.carried_out:
                await method(*args, **options)
            raise self.fault.error()

        return call


@dataclass(frozen=True, slots=True)
class FaultyMessages(MessageRepository):
    """The messages of a database with one fault."""

    fault: Fault = field(default_factory=lambda: Fault("", 0))

    @property
    def _messages(self) -> Any:
        return FaultyCollection(self.database["messages"], self.fault)


def dispatcher(stage: Stage, fault: Fault) -> Dispatcher:
    """The stage's dispatcher on a database with one fault."""
    messages = FaultyMessages(stage.database, "first", stage.clock, fault)
    announcer = replace(stage.messaging.sweeper.announcer, messages=messages)
    return replace(
        stage.messaging.dispatcher,
        messages=messages,
        recorder=Recorder(messages, announcer, stage.messaging.dispatcher.recorder.consequences),
    )


async def send(stage: Stage, fault: Fault, *numbers: int) -> set[str]:
    """Send texts through the faulty database."""
    sending = dispatcher(stage, fault)
    access = await stage.messaging.sweeper.numbers.list_sending([NUMBER])
    group = [stage.outbound(text(number)) for number in numbers or (1,)]
    claimed = await sending.send_new(group, access, stage.settings.timing_for("service"))
    await sending.drain()
    return set(claimed)


@pytest.mark.parametrize("carried_out", [True, False], ids=["answer lost", "not carried out"])
@pytest.mark.parametrize(
    ("step", "act", "state"),
    [
        (CLAIM, accept, "SENT"),
        (INTENT, accept, "SENT"),
        (ACCEPTANCE, accept, "SENT"),
        (REFUSAL, refuse(131026), "FAILED"),
        (POSTPONEMENT, refuse(130429), "RETRY_WAIT"),
        (POSTPONEMENT, refuse(131000), "UNKNOWN"),
    ],
    ids=["claim", "intent", "acceptance", "refusal", "postponement", "unknown"],
)
async def test_a_step_that_gets_no_answer_is_repeated(
    stage: Stage, step: tuple[str, int], act: Act, state: str, carried_out: bool
) -> None:
    stage.meta.will(act)
    fault = Fault(*step, carried_out=carried_out)

    claimed = await send(stage, fault)

    assert fault.turn <= 0
    assert claimed == {message_id()}
    assert await stage.state() == state
    assert stage.meta.opaques() == [f"w1:{message_id()}:1"]
    assert len(stage.sent()) == (state == "SENT")
    assert len(stage.failed()) == (state == "FAILED")


async def test_a_postponement_whose_answer_is_lost_is_counted_once(stage: Stage) -> None:
    stage.meta.will(refuse(130429))

    await send(stage, Fault(*POSTPONEMENT, carried_out=True))

    assert (await stage.document())["tries"] == 1


async def test_an_event_that_cannot_be_marked_as_announced_is_announced_again_under_the_same_id(stage: Stage) -> None:
    await send(stage, Fault(*MARK))

    stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())
    await stage.sweep()

    assert [item.id for item in stage.sent()] == [f"message.sent:{message_id()}"] * 2
    assert "wake_at" not in await stage.document()


async def test_a_result_that_cannot_be_recorded_takes_no_other_with_it(stage: Stage) -> None:
    meta_answers = asyncio.Event()
    stage.meta.will(refuse(131026), held(meta_answers), held(meta_answers))
    fault = Fault(*REFUSAL, error=lambda: ValueError("a fault of ours"))

    sending = asyncio.create_task(send(stage, fault, 1, 2, 3))
    await eventually(lambda: len(stage.meta.calls) == 3)
    meta_answers.set()
    await sending

    assert sorted(await stage.states()) == ["DISPATCHING", "SENT", "SENT"]
    assert len(stage.sent()) == 2


async def test_a_write_that_the_majority_may_not_keep_is_repeated(stage: Stage) -> None:
    doubtful = {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "waiting for replication timed out"}]}

    claimed = await send(stage, Fault(*CLAIM, carried_out=True, error=lambda: BulkWriteError(doubtful)))

    assert claimed == {message_id()}
    assert await stage.state() == "SENT"
    assert len(stage.meta.calls) == 1
