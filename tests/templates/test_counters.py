"""What became of messages: exact counts, however the news is repeated, regrouped, shuffled or cut by a crash."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from shared.bus.port import Received
from shared.contracts.base import Event, MessageContext
from shared.contracts.messaging import (
    FailedMessage,
    MessagesFailed,
    MessagesSent,
    MessageStatusChange,
    MessageStatusesChanged,
    SentMessage,
)
from shared.contracts.template_drafts import TemplateAnalytics
from shared.crashpoints import arm
from shared.mongo import Database
from tests.templates.drafting import create, details, sound
from tests.templates.stage import NOON, MetaStub, Stage, set_stage
from tests.templates.test_submissions import DiedError, die


@pytest.fixture
async def stage(database: Database) -> Stage:
    """The service with template tpl_1."""
    stage = await set_stage(database, MetaStub())
    await create(stage, sound())
    return stage


def _fields(number: int, template_id: str | None) -> dict[str, Any]:
    return {
        "message_id": f"{number:024x}",
        "conversation_id": None,
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "to": "+14155551234",
        "type": "template",
        "source": "campaign",
        "template_id": template_id,
    }


def sent(number: int, template_id: str | None = "tpl_1") -> MessagesSent:
    fields = _fields(number, template_id)
    item = SentMessage(id=f"message.sent:{number}", wa_message_id=f"wamid.{number}", sent_at=NOON, **fields)
    return MessagesSent(items=(item,))


def failed(number: int, *, unknown: bool = False) -> MessagesFailed:
    fields = _fields(number, "tpl_1")
    item = FailedMessage(
        id=f"message.failed:{number}", failure="meta_131026", outcome_unknown=unknown, failed_at=NOON, **fields
    )
    return MessagesFailed(items=(item,))


def told(number: int, status: str) -> MessageStatusesChanged:
    fields = _fields(number, "tpl_1") | {"status": status}
    item = MessageStatusChange(id=f"message.{status}:{number}", wa_message_id=f"wamid.{number}", at=NOON, **fields)
    return MessageStatusesChanged(items=(item,))


def counted(total: int, delivered: int = 0, read: int = 0, failed: int = 0) -> TemplateAnalytics:
    return TemplateAnalytics(total_sends=total, delivered_count=delivered, read_count=read, failed_count=failed)


async def analytics(stage: Stage) -> TemplateAnalytics:
    return (await details(stage)).analytics


async def together(stage: Stage, events: Sequence[Event]) -> None:
    """Have events come in one group, as from the queue."""
    context = MessageContext(id="msg_1", type="any", occurred_at=NOON, correlation_id="req_1")
    group: Any = [Received(event, context) for event in events]
    await stage.service.outcomes.on_outcomes(group)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([sent(1)], counted(1), id="sent"),
        pytest.param([sent(1), told(1, "sent")], counted(1), id="sent, as Meta says as well"),
        pytest.param([sent(1), told(1, "delivered"), told(1, "read")], counted(1, 1, 1), id="read"),
        pytest.param([sent(1), told(1, "read")], counted(1, 1, 1), id="read without having been told delivered"),
        pytest.param([told(1, "played")], counted(1, 1, 1), id="played before it was told sent"),
        pytest.param([sent(1), told(1, "failed")], counted(1, failed=1), id="failed after it was accepted"),
        pytest.param([failed(1)], counted(1, failed=1), id="refused"),
        pytest.param([failed(1), told(1, "failed")], counted(1, failed=1), id="failed, told twice over"),
        pytest.param([failed(1, unknown=True)], counted(0), id="nobody knows"),
        pytest.param([failed(1, unknown=True), sent(1)], counted(1), id="nobody knew"),
        pytest.param([sent(1, None), sent(2, "tpl_other")], counted(0), id="others"),
    ],
)
async def test_each_message_counts_once_for_what_it_reached(
    stage: Stage, events: list[Event], expected: TemplateAnalytics
) -> None:
    await stage.bus.publish(*events)
    await stage.bus.publish(*events)

    assert await analytics(stage) == expected


async def test_any_order_repetition_and_grouping_come_to_the_same(stage: Stage) -> None:
    numbers = range(1, 31)
    events: list[Event] = [sent(number) for number in numbers]
    events += [told(number, "delivered") for number in numbers if number % 2]
    events += [told(number, "read") for number in numbers if number % 3 == 0]
    events += [told(number, "failed") for number in numbers if number % 10 == 4]
    chance = random.Random(3)
    shuffled = [*events, *chance.choices(events, k=40)]
    chance.shuffle(shuffled)

    for start in range(0, len(shuffled), 7):
        await together(stage, shuffled[start : start + 7])

    assert await analytics(stage) == counted(30, 20, 10, 3)


async def test_what_was_counted_before_a_crash_is_not_counted_after_it(stage: Stage) -> None:
    group = [sent(1), told(1, "delivered")]
    arm("templates.counted", die=die)
    with pytest.raises(DiedError):
        await together(stage, group)
    arm(None)

    await together(stage, group)

    assert await analytics(stage) == counted(1, 1)
