"""How queues are consumed: groups, limits, and an end without loss."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from shared.bus.port import Received
from shared.contracts.base import Done
from shared.contracts.messaging import Credits, GetCredits
from shared.contracts.webhooks import DeleteSubscription, MetaStatusesReceived
from tests.eventually import eventually
from tests.shared.bus.broker_eye import BrokerEye
from tests.shared.bus.conftest import IMPATIENT, OpenBus
from tests.shared.bus.samples import CREDITS, GET_CREDITS, name_of, statuses


def delete(name: str) -> DeleteSubscription:
    return DeleteSubscription(webhook_id=name)


async def test_what_waits_is_handled_in_groups_in_order_and_each_message_once(
    open_bus: OpenBus, broker: BrokerEye
) -> None:
    groups: list[list[str]] = []
    messaging = await open_bus("messaging")

    async def store(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        groups.append([name_of(each.message) for each in events])

    names = [f"wamid.{number}" for number in range(100)]
    messaging.on_group(MetaStatusesReceived, store)
    for name in names:
        await messaging.publish(statuses(name))
    async with messaging.consuming():
        await eventually(lambda: sum(map(len, groups)) == 100)

    assert [name for group in groups for name in group] == names
    assert max(map(len, groups)) <= 20
    assert len(groups) < 100
    await broker.require_empty("messaging.statuses.v1")


async def test_no_more_calls_run_at_a_time_than_the_queue_allows(open_bus: OpenBus) -> None:
    running, most, handled = 0, 0, 0
    side_by_side = asyncio.Event()
    messaging = await open_bus("messaging")

    async def store(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        nonlocal running, most, handled
        running += 1
        most = max(most, running)
        if running == 2:
            side_by_side.set()
        await side_by_side.wait()
        await asyncio.sleep(0.02)  # a third would begin meanwhile
        running -= 1
        handled += len(events)

    messaging.on_group(MetaStatusesReceived, store)
    await messaging.publish(*(statuses(str(number)) for number in range(200)))
    async with messaging.consuming():
        await eventually(lambda: handled == 200)

    assert most == 2


async def test_a_slow_call_does_not_hold_up_the_others(open_bus: OpenBus, broker: BrokerEye) -> None:
    let_go = asyncio.Event()
    handled: list[str] = []
    webhooks = await open_bus("webhooks")

    async def delete_subscription(command: DeleteSubscription) -> Done:
        if command.webhook_id == "slow":
            await let_go.wait()
        handled.append(command.webhook_id)
        return Done()

    webhooks.on(DeleteSubscription, delete_subscription)
    async with webhooks.consuming():
        for name in ("slow", *(f"quick_{number}" for number in range(50))):  # more than the queue's prefetch
            await webhooks.send(delete(name))
        await eventually(lambda: len(handled) == 50)
        let_go.set()
        await eventually(lambda: handled[-1] == "slow")

    await broker.require_empty("webhooks.commands.v1")


async def test_calls_under_way_are_finished_before_consuming_ends(open_bus: OpenBus, broker: BrokerEye) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()
    handled: list[str] = []
    webhooks = await open_bus("webhooks")

    async def delete_subscription(command: DeleteSubscription) -> Done:
        begun.set()
        await let_go.wait()
        handled.append(command.webhook_id)
        return Done()

    async def send_another_and_let_go() -> None:
        await webhooks.send(delete("second"))
        let_go.set()

    webhooks.on(DeleteSubscription, delete_subscription)
    async with webhooks.consuming():
        await webhooks.send(delete("first"))
        await begun.wait()
        meanwhile = asyncio.create_task(send_another_and_let_go())
    await meanwhile

    assert handled == ["first"]
    assert b"second" in (await broker.next_in("webhooks.commands.v1")).body
    await broker.require_empty("webhooks.commands.v1")


async def test_what_is_kept_in_hand_goes_back_at_once_when_the_service_stops(
    open_bus: OpenBus, broker: BrokerEye
) -> None:
    begun = asyncio.Event()
    patience = replace(IMPATIENT, hold=6000, longest_pause=600, shortest_pause=600, drain=600)
    webhooks = await open_bus("webhooks", transient=(ConnectionError,), patience=patience)

    async def find_the_database_away(command: DeleteSubscription) -> Done:
        begun.set()
        raise ConnectionError

    webhooks.on(DeleteSubscription, find_the_database_away)
    async with asyncio.timeout(20):
        async with webhooks.consuming():
            await webhooks.send(delete("first"))
            await begun.wait()

    assert b"first" in (await broker.next_in("webhooks.commands.v1")).body


async def test_what_is_not_finished_in_time_is_delivered_again(open_bus: OpenBus) -> None:
    begun, cut_short, handled = asyncio.Event(), False, asyncio.Event()
    webhooks, successor = await open_bus("webhooks"), await open_bus("webhooks")

    async def never_end(command: DeleteSubscription) -> Done:
        nonlocal cut_short
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_short = True
            raise
        return Done()

    async def delete_subscription(command: DeleteSubscription) -> Done:
        handled.set()
        return Done()

    webhooks.on(DeleteSubscription, never_end)
    successor.on(DeleteSubscription, delete_subscription)
    async with webhooks.consuming():
        await webhooks.send(delete("first"))
        await begun.wait()
    assert cut_short

    async with successor.consuming():
        await asyncio.wait_for(handled.wait(), 10)


async def test_consuming_can_begin_again(open_bus: OpenBus) -> None:
    messaging = await open_bus("messaging")

    async def get_credits(query: GetCredits) -> Credits:
        return CREDITS

    messaging.on(GetCredits, get_credits)
    async with messaging.consuming():
        pass
    async with messaging.consuming():
        assert await messaging.request(GET_CREDITS, timeout_seconds=30) == CREDITS


async def test_a_service_without_handlers_consumes_nothing(open_bus: OpenBus) -> None:
    gateway = await open_bus("gateway")

    async with gateway.consuming():
        await gateway.check()


async def test_a_queue_that_was_deleted_comes_back_and_is_consumed(open_bus: OpenBus, broker: BrokerEye) -> None:
    heard: list[str] = []
    messaging = await open_bus("messaging")

    async def store(events: Sequence[Received[MetaStatusesReceived]]) -> None:
        heard.extend(name_of(each.message) for each in events)

    async def heard_something() -> bool:
        await messaging.publish(statuses("again"))
        return bool(heard)

    messaging.on_group(MetaStatusesReceived, store)
    async with messaging.consuming():
        await broker.drop("messaging.statuses.v1")
        assert await eventually(heard_something)
