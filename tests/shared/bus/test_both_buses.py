"""What MemoryBus and RabbitBus promise alike: a handler test on the one says what happens on the other."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

import pytest

from shared.bus.context import WorkContext, current_work, working
from shared.bus.memory import MemoryBus
from shared.bus.port import Bus, Received
from shared.bus.rabbit import rabbit_bus
from shared.contracts.base import ErrorReply, ReplyAddress
from shared.contracts.messaging import Credits, GetCredits, MessageOutcome, SendMessage
from shared.contracts.templates import TemplatesChanged
from shared.contracts.webhooks import MetaStatusesReceived
from shared.errors import InsufficientCreditsError, InternalError, NotFoundError, RateLimitedError, ReplyTimeoutError
from tests.eventually import eventually
from tests.shared.bus.samples import CREDITS, GET_CREDITS, OUTCOME, SEND, SENT, TEMPLATES, name_of, statuses


@dataclass(frozen=True, slots=True)
class Wire:
    """One side that asks, and one that answers as messaging."""

    asking: Bus
    answering: Bus
    consuming: Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(params=["memory", pytest.param("rabbit", marks=pytest.mark.rabbit)])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    """The same test on both."""
    if request.param == "memory":
        bus = MemoryBus()
        yield Wire(bus, bus, nullcontext)
        return
    url: str = request.getfixturevalue("rabbit")
    async with rabbit_bus(url, service="gateway") as asking, rabbit_bus(url, service="messaging") as answering:
        yield Wire(asking, answering, answering.consuming)


async def test_a_query_is_answered_by_its_owner(wire: Wire) -> None:
    asked: list[GetCredits] = []

    async def get_credits(query: GetCredits) -> Credits:
        asked.append(query)
        return CREDITS

    wire.answering.on(GetCredits, get_credits)
    async with wire.consuming():
        reply = await wire.asking.request(GET_CREDITS, timeout_seconds=30)

    assert reply == CREDITS
    assert asked == [GET_CREDITS]


async def test_a_refusal_reaches_the_caller_as_it_was_raised(wire: Wire) -> None:
    async def refuse(query: GetCredits) -> Credits:
        raise RateLimitedError(
            "slow down", code="too_fast", details=[{"field": "to", "message": "again"}], retry_after_seconds=7
        )

    wire.answering.on(GetCredits, refuse)
    async with wire.consuming():
        with pytest.raises(RateLimitedError, match="slow down") as caught:
            await wire.asking.request(GET_CREDITS, timeout_seconds=30)

    assert caught.value.code == "too_fast"
    assert caught.value.details == [{"field": "to", "message": "again"}]
    assert caught.value.retry_after_seconds == 7


async def test_a_fault_of_the_owner_reaches_the_caller_without_its_text(wire: Wire) -> None:
    async def stumble(query: GetCredits) -> Credits:
        raise RuntimeError("the secret is swordfish")

    wire.answering.on(GetCredits, stumble)
    async with wire.consuming():
        with pytest.raises(InternalError, match=r"^internal error$"):
            await wire.asking.request(GET_CREDITS, timeout_seconds=30)


async def test_a_handler_that_returns_no_reply_leaves_the_caller_waiting(wire: Wire) -> None:
    async def say_nothing(query: GetCredits) -> None:
        return None

    wire.answering.on(GetCredits, say_nothing)
    async with wire.consuming():
        with pytest.raises(ReplyTimeoutError, match="get_credits"):
            await wire.asking.request(GET_CREDITS, timeout_seconds=1)


async def test_an_event_reaches_its_listener_unchanged(wire: Wire) -> None:
    heard: list[MetaStatusesReceived] = []

    async def listen(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        heard.extend(each.message for each in events)

    wire.answering.on_group(MetaStatusesReceived, listen)
    async with wire.consuming():
        await wire.asking.publish(statuses("wamid.1"), statuses("wamid.2"))
        await eventually(lambda: len(heard) == 2)

    assert heard == [statuses("wamid.1"), statuses("wamid.2")]


async def test_an_event_without_a_listener_is_no_error(wire: Wire) -> None:
    await wire.asking.publish(SENT)


async def test_a_sent_command_arrives_and_nobody_waits_for_it(wire: Wire) -> None:
    received: list[Received[SendMessage]] = []

    async def send(commands: Sequence[Received[SendMessage]]) -> None:
        received.extend(commands)

    wire.answering.on_group(SendMessage, send)
    async with wire.consuming():
        await wire.asking.send(SEND)
        await eventually(lambda: received)

    assert received[0].message == SEND
    assert received[0].context.reply is None
    assert received[0].context.deadline is None
    assert received[0].context.attempt == 0


async def test_a_group_answers_each_caller_itself(wire: Wire) -> None:
    async def send(commands: Sequence[Received[SendMessage]]) -> None:
        for command in commands:
            assert command.context.reply is not None
            await wire.answering.reply(command.context.reply, OUTCOME)

    wire.answering.on_group(SendMessage, send)
    async with wire.consuming():
        outcome = await wire.asking.request(SEND, timeout_seconds=30)

    assert outcome == OUTCOME


async def test_a_group_can_answer_with_an_error(wire: Wire) -> None:
    async def send(commands: Sequence[Received[SendMessage]]) -> None:
        assert commands[0].context.reply is not None
        await wire.answering.reply(commands[0].context.reply, ErrorReply.of(InsufficientCreditsError("none left")))

    wire.answering.on_group(SendMessage, send)
    async with wire.consuming():
        with pytest.raises(InsufficientCreditsError, match="none left"):
            await wire.asking.request(SEND, timeout_seconds=30)


async def test_the_first_of_two_answers_counts(wire: Wire) -> None:
    async def send(commands: Sequence[Received[SendMessage]]) -> None:
        assert commands[0].context.reply is not None
        await wire.answering.reply(commands[0].context.reply, OUTCOME)
        await wire.answering.reply(commands[0].context.reply, ErrorReply.of(NotFoundError("too late")))

    wire.answering.on_group(SendMessage, send)
    async with wire.consuming():
        outcome: MessageOutcome = await wire.asking.request(SEND, timeout_seconds=30)

    assert outcome == OUTCOME


async def test_an_answer_to_a_caller_that_has_gone_is_no_error(wire: Wire) -> None:
    addresses: list[ReplyAddress] = []

    async def send(commands: Sequence[Received[SendMessage]]) -> None:
        addresses.extend(each.context.reply for each in commands if each.context.reply)

    wire.answering.on_group(SendMessage, send)
    async with wire.consuming():
        with pytest.raises(ReplyTimeoutError):
            await wire.asking.request(SEND, timeout_seconds=1)

        await wire.answering.reply(addresses[0], OUTCOME)


async def test_what_a_handler_publishes_belongs_to_the_request_that_caused_it(wire: Wire) -> None:
    heard: list[Received[MetaStatusesReceived]] = []
    contexts: list[WorkContext] = []

    async def get_credits(query: GetCredits) -> Credits:
        contexts.append(current_work())
        await wire.answering.publish(statuses("wamid.1"))
        return CREDITS

    async def listen(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        heard.extend(events)

    wire.answering.on(GetCredits, get_credits)
    wire.answering.on_group(MetaStatusesReceived, listen)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with wire.consuming():
        with working(WorkContext("req_1", user_id="user_1", traceparent=trace)):
            await wire.asking.request(GET_CREDITS, timeout_seconds=30)
        await eventually(lambda: heard)

    assert contexts[0].correlation_id == "req_1"
    assert contexts[0].causation_id is not None
    assert heard[0].context.correlation_id == "req_1"
    assert heard[0].context.causation_id == contexts[0].causation_id
    assert heard[0].context.user_id == "user_1"
    assert heard[0].context.traceparent == trace


async def test_several_listeners_to_different_events_hear_their_own(wire: Wire) -> None:
    heard: list[str] = []

    async def on_statuses(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        heard.extend(name_of(each.message) for each in events)

    async def on_templates(event: TemplatesChanged) -> None:
        heard.append("templates")

    wire.answering.on_group(MetaStatusesReceived, on_statuses)
    wire.answering.on(TemplatesChanged, on_templates)
    async with wire.consuming():
        await wire.asking.publish(TEMPLATES, statuses("wamid.1"), SENT)
        await eventually(lambda: len(heard) == 2)

    assert sorted(heard) == ["templates", "wamid.1"]
