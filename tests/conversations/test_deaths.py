"""Messaging dies before any step of taking messages in; whether they come again or not, the end is the same."""

from contextlib import suppress
from typing import Any, cast

import pytest

from services.messaging.conversing import Conversing, conversing
from shared.bus.memory import MemoryBus
from shared.contracts.base import Event, Request
from shared.contracts.inbound import MetaMessage
from shared.mongo import Database
from tests.agents.dying import Died, DyingDatabase, Steps
from tests.conversations.stage import AGENT, Stage, delivered, meta_message, tap
from tests.messaging.stage import NUMBER

MOST_STEPS = 60  # more than it takes; the test asserts that it got to the end


class DyingBus(MemoryBus):
    """What goes out is a step, and reaches the living bus."""

    def __init__(self, living: MemoryBus, steps: Steps) -> None:
        super().__init__()
        self._living, self._steps = living, steps

    async def publish(self, *events: Event) -> None:
        self._steps.take()
        await self._living.publish(*events)

    async def send(self, command: Request[Any]) -> None:
        self._steps.take()
        await self._living.send(command)


async def mortal(stage: Stage, steps: Steps) -> Conversing:
    """A second instance, which takes nothing by itself."""
    database = cast("Database", DyingDatabase(stage.database, steps))
    parts, living = stage.whole.messaging, stage.conversing
    return await conversing(
        database,
        DyingBus(stage.bus, steps),
        stage.clock,
        messages=parts.dispatcher.messages,
        announcer=parts.sweeper.announcer,
        book=living.preferences.book,
        copies=living.windows.copies,
        receipts=living.conversations.receipts,
        media_client=living.media.client,
        stream=living.handling.stream,
    )


def history(sender: str) -> list[MetaMessage]:
    """A question, a tap and a STOP of one customer."""
    who = {"sender": sender}
    return [
        meta_message(1, wa_message_id=f"{sender}.1", **who),
        tap(2, wa_message_id=f"{sender}.2", **who),
        meta_message(3, wa_message_id=f"{sender}.3", text="STOP", **who),
    ]


@pytest.mark.parametrize("comes_again", [True, False], ids=["it comes again", "it was acknowledged"])
async def test_a_group_is_told_counted_and_confirmed_once_wherever_it_dies(stage: Stage, comes_again: bool) -> None:
    await stage.add_sent()
    steps = Steps()
    instance = await mortal(stage, steps)
    for step in range(1, MOST_STEPS):
        sender = f"91987650{step:04d}"
        stage.bus.published.clear()
        steps.taken, steps.dies_before = 0, step
        group = [delivered(*history(sender))]
        died = True
        with suppress(Died):
            await instance.received.on_meta_messages_received(group)
            died = False
        if comes_again:
            await stage.conversing.received.on_meta_messages_received(group)
        stage.clock.pass_time(30)
        await stage.follow_up()

        thread = await stage.database["conversations"].find_one({"recipient": f"+{sender}"})
        if thread is None:  # it died before anything was stored, and the broker still has it
            assert not comes_again
            continue
        assert thread["sequence"] == 3
        assert len({item.id for item in stage.received()}) == 3
        assert {item.agent_id for item in stage.received()} <= {AGENT, None}
        assert len({click.click_id for click in stage.clicks()}) == 1
        assert len([call for call in stage.whole.meta.calls if call.body["to"] == f"+{sender}"]) == 1
        assert await stage.database["inbound_messages"].find_one({"wake_at": {"$exists": True}}) is None
        if not died:
            break

    assert not died
    assert thread is not None
    assert thread["phone_number_id"] == NUMBER
