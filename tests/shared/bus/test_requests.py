"""Requests over RabbitMQ: replies from anywhere, and what a caller hears when nobody can answer."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from shared.bus.port import Received
from shared.bus.rabbit import rabbit_bus
from shared.clock import utc_now
from shared.contracts.base import Done, ReplyAddress
from shared.contracts.messaging import Credits, GetCredits, SendMessage
from shared.contracts.webhooks import DeleteSubscription, ListSubscriptions, Subscriptions
from shared.errors import (
    BusUnavailableError,
    InternalError,
    ReplyTimeoutError,
    ServiceUnavailableError,
    UpstreamUnavailableError,
)
from tests.eventually import eventually
from tests.shared.bus.broker_eye import BrokerEye
from tests.shared.bus.conftest import OpenBus
from tests.shared.bus.samples import CREDITS, DELETE, GET_CREDITS, OUTCOME, SEND

TO_REACH_THE_BROKER_SECONDS = 1  # on a busy machine, and then nobody answers


class DatabaseAwayError(Exception):
    """Stands for what a driver raises."""


def an_hour_ago() -> datetime:
    return utc_now() - timedelta(hours=1)


async def test_a_command_whose_queue_is_missing_is_refused(open_bus: OpenBus, broker: BrokerEye) -> None:
    gateway = await open_bus("gateway")
    await broker.drop("webhooks.commands.v1")

    with pytest.raises(BusUnavailableError, match="delete_subscription"):
        await gateway.send(DELETE)
    with pytest.raises(BusUnavailableError, match="delete_subscription"):
        await gateway.request(DELETE, timeout_seconds=30)


async def test_any_process_can_answer_after_the_worker_that_stored_the_address_is_gone(
    rabbit: str, open_bus: OpenBus
) -> None:
    stored: list[str] = []
    gateway, other = await open_bus("gateway"), await open_bus("messaging")
    async with rabbit_bus(rabbit, service="messaging") as worker:

        async def store(commands: Sequence[Received[SendMessage]]) -> None:
            stored.extend(each.context.reply.model_dump_json() for each in commands if each.context.reply)

        worker.on_group(SendMessage, store)
        async with worker.consuming():
            request = asyncio.create_task(gateway.request(SEND, timeout_seconds=10))
            await eventually(lambda: stored)

    await other.reply(ReplyAddress.model_validate_json(stored[0]), OUTCOME)

    assert await request == OUTCOME


async def test_many_requests_at_a_time_each_get_their_own_reply(open_bus: OpenBus) -> None:
    gateway, messaging = await open_bus("gateway"), await open_bus("messaging")

    async def count_up(query: GetCredits) -> Credits:
        return Credits(remaining_credits=int(query.user_id), total_used=0, total_granted=0)

    messaging.on(GetCredits, count_up)
    async with messaging.consuming():
        replies = await asyncio.gather(
            *(gateway.request(GetCredits(user_id=str(number)), timeout_seconds=10) for number in range(100))
        )

    assert [reply.remaining_credits for reply in replies] == list(range(100))


@pytest.mark.parametrize("error", [DatabaseAwayError(), UpstreamUnavailableError("Meta does not answer")])
async def test_nothing_is_retried_behind_a_waiting_callers_back(open_bus: OpenBus, error: Exception) -> None:
    calls: list[GetCredits] = []
    gateway, messaging = await open_bus("gateway"), await open_bus("messaging", transient=(DatabaseAwayError,))

    async def fail(query: GetCredits) -> Credits:
        calls.append(query)
        if query == GET_CREDITS:
            raise error
        return CREDITS

    messaging.on(GetCredits, fail)
    async with messaging.consuming():
        with pytest.raises((ServiceUnavailableError, UpstreamUnavailableError)):
            await gateway.request(GET_CREDITS, timeout_seconds=30)
        await gateway.request(GetCredits(user_id="later"), timeout_seconds=30)

    assert [call.user_id for call in calls] == ["user_1", "later"]


async def test_a_reply_that_cannot_be_sent_is_a_fault_of_the_handler(open_bus: OpenBus) -> None:
    gateway, messaging = await open_bus("gateway"), await open_bus("messaging")

    async def return_nonsense(query: GetCredits) -> Credits:
        return {"remaining_credits": 1}  # type: ignore[return-value]

    messaging.on(GetCredits, return_nonsense)
    async with messaging.consuming():
        with pytest.raises(InternalError):
            await gateway.request(GET_CREDITS, timeout_seconds=30)


async def test_a_reply_of_another_shape_than_asked_for_is_an_internal_error(open_bus: OpenBus) -> None:
    gateway, messaging = await open_bus("gateway"), await open_bus("messaging")

    async def answer_something_else(query: GetCredits) -> Done:
        return Done()

    messaging.on(GetCredits, answer_something_else)
    async with messaging.consuming():
        with pytest.raises(InternalError, match="get_credits"):
            await gateway.request(GET_CREDITS, timeout_seconds=30)


async def test_a_stale_query_is_dropped_and_a_stale_command_is_done(open_bus: OpenBus, broker: BrokerEye) -> None:
    handled: list[object] = []
    late, webhooks = await open_bus("gateway", now=an_hour_ago), await open_bus("webhooks")

    async def list_subscriptions(query: ListSubscriptions) -> Subscriptions:
        handled.append(query)
        return Subscriptions(items=())

    async def delete_subscription(command: DeleteSubscription) -> Done:
        handled.append(command)
        return Done()

    webhooks.on(ListSubscriptions, list_subscriptions)
    webhooks.on(DeleteSubscription, delete_subscription)
    async with webhooks.consuming():
        with pytest.raises(ReplyTimeoutError):
            await late.request(ListSubscriptions(user_id="user_1"), timeout_seconds=TO_REACH_THE_BROKER_SECONDS)
        with pytest.raises(ReplyTimeoutError):
            await late.request(DELETE, timeout_seconds=TO_REACH_THE_BROKER_SECONDS)
        await eventually(lambda: handled)

    assert handled == [DELETE]
    await broker.require_empty("webhooks.commands.v1")


async def test_a_caller_that_is_too_late_to_hear_a_fault_gets_no_say_in_its_retry(open_bus: OpenBus) -> None:
    handled: list[DeleteSubscription] = []
    late, webhooks = await open_bus("gateway", now=an_hour_ago), await open_bus("webhooks")

    async def fail_once(command: DeleteSubscription) -> Done:
        handled.append(command)
        if len(handled) == 1:
            raise UpstreamUnavailableError("nobody there")
        return Done()

    webhooks.on(DeleteSubscription, fail_once)
    async with webhooks.consuming():
        with pytest.raises(ReplyTimeoutError):
            await late.request(DELETE, timeout_seconds=TO_REACH_THE_BROKER_SECONDS)
        await eventually(lambda: len(handled) == 2)


async def test_a_handler_for_a_message_that_its_service_never_gets_is_refused(open_bus: OpenBus) -> None:
    gateway, webhooks = await open_bus("gateway"), await open_bus("webhooks")

    async def delete_subscription(command: DeleteSubscription) -> Done:
        return Done()

    webhooks.on(DeleteSubscription, delete_subscription)

    with pytest.raises(ValueError, match="no queue of gateway"):
        gateway.on(DeleteSubscription, delete_subscription)
    with pytest.raises(ValueError, match="has a handler already"):
        webhooks.on(DeleteSubscription, delete_subscription)
