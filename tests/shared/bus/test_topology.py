"""The topology: complete, consistent, and as the broker understands it."""

import pytest

from shared.bus.topology import (
    COMMANDS,
    EVENTS,
    QUERIES,
    QUEUES,
    RETRY_SECONDS,
    exchange_for,
    queues_of,
    retry_exchange,
)
from shared.contracts.base import MESSAGE_TYPES, Command, Done, Message, Query, Request
from shared.contracts.messaging import GetCredits, MessagesSent, SendMessage
from tests.shared.bus.broker_eye import BrokerEye
from tests.shared.bus.conftest import OpenBus


def test_every_command_and_query_has_exactly_one_queue() -> None:
    homes = {
        name: [queue.name for queue in QUEUES if message in queue.messages]
        for name, message in MESSAGE_TYPES.items()
        if issubclass(message, Request)
    }

    assert {name: queues for name, queues in homes.items() if len(queues) != 1} == {}


def test_a_request_lives_in_a_queue_of_the_service_that_its_name_begins_with() -> None:
    strays = [
        (message.message_type, queue.name)
        for queue in QUEUES
        for message in queue.messages
        if issubclass(message, Request) and message.message_type.partition(".")[0] != queue.service
    ]

    assert strays == []


def test_queue_names_are_of_their_service_and_versioned() -> None:
    assert [queue.name for queue in QUEUES if not queue.name.startswith(f"{queue.service}.")] == []
    assert [queue.name for queue in QUEUES if not queue.name.endswith(".v1")] == []
    assert len({queue.name for queue in QUEUES}) == len(QUEUES)


def test_what_must_not_be_lost_shares_no_queue_with_queries() -> None:
    mixed = [queue.name for queue in QUEUES if len({issubclass(message, Query) for message in queue.messages}) > 1]

    assert mixed == []


def test_a_group_is_never_larger_than_what_a_consumer_may_hold() -> None:
    assert [queue.name for queue in QUEUES if queue.group_limit > queue.prefetch] == []


@pytest.mark.parametrize(
    ("message", "exchange"), [(SendMessage, COMMANDS), (GetCredits, QUERIES), (MessagesSent, EVENTS)]
)
def test_requests_and_events_go_to_exchanges_of_their_own(message: type[Message], exchange: str) -> None:
    assert exchange_for(message) == exchange


def test_a_message_of_no_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="neither a command, a query nor an event"):
        exchange_for(Message)


def test_retry_tiers_are_named_by_their_time() -> None:
    assert [retry_exchange(seconds) for seconds in RETRY_SECONDS] == [
        "wa.retry.1s",
        "wa.retry.5s",
        "wa.retry.30s",
        "wa.retry.5m",
        "wa.retry.30m",
    ]


def test_a_service_without_queues_has_none() -> None:
    assert queues_of("gateway") == ()


async def test_every_service_declares_everything(open_bus: OpenBus, broker: BrokerEye) -> None:
    await open_bus("gateway")

    for queue in QUEUES:
        assert await broker.count(queue.name) == 0
        assert await broker.count(queue.dead_letters) == 0
    for seconds in RETRY_SECONDS:
        assert await broker.count(retry_exchange(seconds)) == 0


def test_commands_and_queries_are_different_things() -> None:
    assert not issubclass(Command, Query)
    assert not issubclass(Done, Message)
