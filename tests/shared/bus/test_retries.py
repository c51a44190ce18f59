"""What becomes of messages that cannot be handled now, or ever."""

from collections.abc import Sequence
from dataclasses import replace

import aio_pika
import pytest

from shared.bus.port import Received
from shared.contracts.base import Done
from shared.contracts.messaging import SendMessage
from shared.contracts.templates import TemplatesChanged
from shared.contracts.webhooks import DeleteSubscription, MetaStatusesReceived
from shared.errors import NotFoundError, UpstreamUnavailableError
from tests.eventually import eventually
from tests.shared.bus.broker_eye import BrokerEye
from tests.shared.bus.conftest import IMPATIENT, OpenBus
from tests.shared.bus.samples import DELETE, OUTCOME, SEND, TEMPLATES, name_of, statuses


class DatabaseAwayError(Exception):
    """Stands for what a driver raises."""


@pytest.mark.parametrize("error", [RuntimeError("a fault of ours"), UpstreamUnavailableError("nobody there")])
async def test_a_failing_event_is_tried_again_and_then_kept_among_the_dead_letters(
    open_bus: OpenBus, broker: BrokerEye, error: Exception
) -> None:
    tries: list[TemplatesChanged] = []
    messaging = await open_bus("messaging")

    async def fail(event: TemplatesChanged) -> None:
        tries.append(event)
        raise error

    messaging.on(TemplatesChanged, fail)
    async with messaging.consuming():
        await messaging.publish(TEMPLATES)
        dead = await broker.next_in("messaging.templates.v1.dlq")

    assert tries == [TEMPLATES, TEMPLATES]
    await broker.require_empty("messaging.templates.v1")
    assert dead.type == "templates.templates_changed.v1"
    assert dead.headers["wa-attempt"] == 1
    assert TemplatesChanged.model_validate_json(dead.body) == TEMPLATES


async def test_a_refusal_that_nobody_waits_for_is_the_end_of_it(open_bus: OpenBus, broker: BrokerEye) -> None:
    handled: list[str] = []
    webhooks = await open_bus("webhooks")

    async def refuse(command: DeleteSubscription) -> Done:
        handled.append(command.webhook_id)
        raise NotFoundError("no such webhook")

    webhooks.on(DeleteSubscription, refuse)
    async with webhooks.consuming():
        await webhooks.send(DELETE)
        await eventually(lambda: handled)

    await broker.require_empty("webhooks.commands.v1")
    await broker.require_empty("webhooks.commands.v1.dlq")
    await broker.require_empty("wa.retry.1s")


async def test_while_the_database_is_away_a_message_is_kept_in_hand(open_bus: OpenBus, broker: BrokerEye) -> None:
    attempts: list[int] = []
    patience = replace(IMPATIENT, postpone=1800)  # by that way it would not come back in time
    messaging = await open_bus("messaging", transient=(DatabaseAwayError,), patience=patience)

    async def fail_twice(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        attempts.append(events[0].context.attempt)
        if len(attempts) < 3:
            raise DatabaseAwayError

    messaging.on_group(MetaStatusesReceived, fail_twice)
    async with messaging.consuming():
        await messaging.publish(statuses("wamid.1"))
        await eventually(lambda: len(attempts) == 3)

    assert attempts == [0, 0, 0]
    await broker.require_empty("wa.retry.30m")
    await broker.require_empty("messaging.statuses.v1")


async def test_a_database_that_stays_away_costs_no_attempt(open_bus: OpenBus, broker: BrokerEye) -> None:
    is_away = True
    attempts: list[int] = []
    messaging = await open_bus("messaging", transient=(DatabaseAwayError,))

    async def store(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        if is_away:
            raise DatabaseAwayError
        attempts.append(events[0].context.attempt)

    messaging.on_group(MetaStatusesReceived, store)
    async with messaging.consuming():
        await messaging.publish(statuses("wamid.1"))
        assert await eventually(lambda: broker.count("wa.retry.1s"))
        is_away = False
        await eventually(lambda: attempts)

    assert attempts == [0]


async def test_who_waits_for_an_answer_is_known_after_a_retry(open_bus: OpenBus) -> None:
    contexts: list[Received[SendMessage]] = []
    gateway, messaging = await open_bus("gateway"), await open_bus("messaging")

    async def fail_once(commands: Sequence[Received[SendMessage]]) -> None:
        contexts.extend(commands)
        if len(contexts) == 1:
            raise RuntimeError("a fault of ours")
        assert commands[0].context.reply is not None
        await messaging.reply(commands[0].context.reply, OUTCOME)

    messaging.on_group(SendMessage, fail_once)
    async with messaging.consuming():
        outcome = await gateway.request(SEND, timeout_seconds=10)

    first, second = (each.context for each in contexts)
    assert outcome == OUTCOME
    assert second == first.model_copy(update={"attempt": 1})


async def test_one_bad_message_takes_no_others_to_the_dead_letters(open_bus: OpenBus, broker: BrokerEye) -> None:
    handled: set[str] = set()
    messaging = await open_bus("messaging")

    async def store(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        names = {name_of(each.message) for each in events}
        if "bad" in names:
            raise RuntimeError("a fault of ours")
        handled.update(names)

    names = [f"good {number}" for number in range(50)]
    messaging.on_group(MetaStatusesReceived, store)
    await messaging.publish(*map(statuses, [*names[:25], "bad", *names[25:]]))
    async with messaging.consuming():
        await eventually(lambda: len(handled) == 50)
        dead = await broker.next_in("messaging.statuses.v1.dlq")

    assert name_of(MetaStatusesReceived.model_validate_json(dead.body)) == "bad"
    await broker.require_empty("messaging.statuses.v1.dlq")


async def test_one_refused_message_of_a_group_does_not_settle_the_others(open_bus: OpenBus, broker: BrokerEye) -> None:
    handled: set[str] = set()
    messaging = await open_bus("messaging")

    async def store(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        names = {name_of(each.message) for each in events}
        if "unknown" in names:
            raise NotFoundError("no such message")
        handled.update(names)

    messaging.on_group(MetaStatusesReceived, store)
    await messaging.publish(statuses("unknown"), *(statuses(f"known {number}") for number in range(10)))
    async with messaging.consuming():
        await eventually(lambda: len(handled) == 10)

    await broker.require_empty("messaging.statuses.v1.dlq")


ENVELOPE = {
    "message_id": "msg_1",
    "type": "webhooks.meta_statuses_received.v1",
    "headers": {"wa-occurred-at": "2026-03-05T10:30:00.000Z", "wa-correlation-id": "req_1"},
}


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (b"\xff not json", {}),
        (b'{"items": 7}', {}),
        (b'{"items": [], "surprise": true}', {}),
        (b'{"items": []}', {"type": "nobody.knows_this.v1"}),
        (b'{"items": []}', {"type": None}),
        (b'{"items": []}', {"headers": {}}),
        (b'{"items": []}', {"headers": {"wa-occurred-at": "noon", "wa-correlation-id": "req_1"}}),
        (b'{"items": []}', {"message_id": None}),
    ],
)
async def test_what_cannot_be_understood_goes_to_the_dead_letters_on_first_sight(
    open_bus: OpenBus, broker: BrokerEye, body: bytes, changes: dict[str, object]
) -> None:
    heard: list[str] = []
    messaging = await open_bus("messaging")

    async def listen(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        heard.extend(name_of(each.message) for each in events)

    messaging.on_group(MetaStatusesReceived, listen)
    async with messaging.consuming():
        await broker.put("messaging.statuses.v1", body, **{**ENVELOPE, **changes})
        await messaging.publish(statuses("after it"))
        dead = await broker.next_in("messaging.statuses.v1.dlq")
        await eventually(lambda: heard == ["after it"])

    assert dead.body == body
    await broker.require_empty("messaging.statuses.v1.dlq")


async def test_who_waits_for_what_cannot_be_understood_is_told(open_bus: OpenBus, broker: BrokerEye) -> None:
    answers: list[aio_pika.abc.AbstractIncomingMessage] = []
    messaging = await open_bus("messaging")

    async def send(commands: Sequence[Received[SendMessage]]) -> None:
        raise AssertionError("this must not be called")

    async def on_answer(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        answers.append(message)

    replies = await broker.channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
    await replies.consume(on_answer, no_ack=True)
    messaging.on_group(SendMessage, send)
    async with messaging.consuming():
        await broker.put(
            "messaging.send.v1",
            b"{}",
            message_id="msg_1",
            type="messaging.send_message.v1",
            reply_to="amq.rabbitmq.reply-to",
            correlation_id="msg_1",
            headers={
                "wa-occurred-at": "2026-03-05T10:30:00.000Z",
                "wa-correlation-id": "req_1",
                "wa-deadline": "2999-01-01T00:00:00.000Z",
            },
        )
        await eventually(lambda: answers)

    assert (answers[0].type, answers[0].correlation_id) == ("error", "msg_1")
    assert b'"InvalidInputError"' in answers[0].body
