"""Outages of receivers, by a clock that tests move: nothing is lost, nothing is hammered, and order holds."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web

from shared.contracts.messaging import MessagesSent
from shared.contracts.subscriptions import ListDeliveries, UpdateSubscription
from shared.contracts.webhooks import ListSubscriptions
from tests.eventually import eventually
from tests.webhooks.receiver import Post, Receiver, answering
from tests.webhooks.stage import NOON, OutboundStage, sent, sent_message


def sent_in(conversation: int, *numbers: int) -> MessagesSent:
    """Some messages of one conversation."""
    thread = f"{conversation:024x}"
    return MessagesSent(items=tuple(sent_message(n).model_copy(update={"conversation_id": thread}) for n in numbers))


def accepted_by_conversation(receiver: Receiver) -> dict[str, list[str]]:
    """The ids that came to /hook, by conversation, each once."""
    told: defaultdict[str, list[str]] = defaultdict(list)
    for post in receiver.to("/hook"):
        body: dict[str, Any] = orjson.loads(post.body)
        if body["message_id"] not in told[body["conversation_id"]]:
            told[body["conversation_id"]].append(body["message_id"])
    return told


async def status_of(outbound: OutboundStage, webhook_id: str = "wh_1") -> str:
    listed = await outbound.ask(ListSubscriptions(user_id="usr_1"))
    return next(item.status for item in listed.items if item.webhook_id == webhook_id)


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_receiver_that_is_down_for_an_hour_gets_everything_once_it_is_back(
    outbound: OutboundStage, receiver: Receiver, ordered: bool
) -> None:
    receiver.answers["/hook"] = answering(503)
    await outbound.subscribe(receiver.url(), ordered=ordered)
    for minute in range(0, 60, 4):
        await outbound.run_until(NOON + timedelta(minutes=minute), step_seconds=120)
        for conversation in range(3):
            await outbound.bus.publish(sent_in(conversation, 100 * conversation + minute))
        await outbound.settle()

    while_down = len(receiver.posts)
    receiver.posts.clear()
    del receiver.answers["/hook"]
    await outbound.run_until(NOON + timedelta(hours=4), step_seconds=600)

    told = accepted_by_conversation(receiver)
    for conversation in range(3):
        wanted = [sent_message(100 * conversation + minute).message_id for minute in range(0, 60, 4)]
        mine = told[f"{conversation:024x}"]
        assert (mine if ordered else sorted(mine)) == (wanted if ordered else sorted(wanted))
    assert while_down < 30  # the breaker kept 45 events from being tried again and again
    assert len(receiver.posts) == 45


async def test_an_open_breaker_makes_no_attempt_and_takes_none_away(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = answering(500)
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(*range(100)))
    await outbound.settle()
    tried = len(receiver.posts)

    await outbound.run_until(NOON + timedelta(seconds=29), step_seconds=1)
    assert len(receiver.posts) == tried
    await outbound.run_until(NOON + timedelta(seconds=30))
    assert len(receiver.posts) == tried + 1  # the probe
    await outbound.run_until(NOON + timedelta(seconds=89), step_seconds=59)
    assert len(receiver.posts) == tried + 1
    del receiver.answers["/hook"]
    await outbound.run_until(NOON + timedelta(minutes=10))

    made = [delivery["attempts_made"] for delivery in await outbound.all_deliveries()]
    assert tried <= 13  # ten failures in a row, and three that had begun beside them
    assert made.count(1) >= 100 - tried - 1
    assert {delivery["state"] for delivery in await outbound.all_deliveries()} == {"delivered"}


async def test_an_endpoint_that_fails_for_120_hours_is_disabled_and_the_others_are_told(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = answering(500)
    await outbound.subscribe(receiver.url())
    await outbound.subscribe(receiver.url("/notices"), "wh_2", events=("webhook.disabled",))
    for hours in range(0, 120, 10):
        await outbound.run_until(NOON + timedelta(hours=hours), step_seconds=36_000)
        await outbound.bus.publish(sent(hours))
        await outbound.settle()
        assert await status_of(outbound) == "active"

    await outbound.run_until(NOON + timedelta(hours=122), step_seconds=7_200)

    (notice,) = [orjson.loads(post.body) for post in receiver.to("/notices")]
    assert await status_of(outbound) == "disabled"
    assert (notice["event"], notice["webhook_id"], notice["reason"]) == ("webhook.disabled", "wh_1", "failing")
    assert notice["url"] == receiver.url()


async def test_nothing_is_lost_while_disabled_and_all_of_it_comes_on_return(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = answering(410)
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(1))
    await outbound.settle()
    assert await status_of(outbound) == "disabled"

    for day in range(1, 29):
        outbound.clock.now = NOON + timedelta(days=day)
        await outbound.bus.publish(sent(day + 1))
        await outbound.settle()
    assert len(receiver.posts) == 1
    del receiver.answers["/hook"]
    returned = await outbound.ask(UpdateSubscription(webhook_id="wh_1", status="active"))
    await outbound.settle()

    assert (returned.status, returned.disabled_reason) == ("active", None)
    ids = [post.headers["webhook-id"] for post in receiver.posts[1:]]
    assert sorted(ids) == sorted(sent_message(number).id for number in range(1, 30))


async def test_a_paused_webhook_is_told_nothing_until_it_is_resumed(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url())
    await outbound.ask(UpdateSubscription(webhook_id="wh_1", status="paused"))
    await outbound.bus.publish(sent(1, 2))
    await outbound.run_until(NOON + timedelta(hours=1), step_seconds=600)
    assert receiver.posts == []

    await outbound.ask(UpdateSubscription(webhook_id="wh_1", status="active"))
    await outbound.settle()

    assert len(receiver.posts) == 2


async def test_pausing_in_the_middle_keeps_what_has_not_been_started(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = receiver.hang
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(*range(20)))
    await outbound.ask(UpdateSubscription(webhook_id="wh_1", status="paused"))
    await outbound.lanes.sweep()
    receiver.released.set()
    await outbound.settle()

    page = await outbound.ask(ListDeliveries(webhook_id="wh_1", limit=200))
    states = [item.status for item in page.items]
    assert len(receiver.posts) == states.count("delivered") <= 4
    assert states.count("pending") == 20 - len(receiver.posts)


async def test_in_order_a_failing_conversation_waits_alone(outbound: OutboundStage, receiver: Receiver) -> None:
    blocked = sent_message(1).message_id

    async def refuse_one(post: Post) -> web.StreamResponse:
        return web.Response(status=500 if orjson.loads(post.body)["message_id"] == blocked else 200)

    receiver.answers["/hook"] = refuse_one
    await outbound.subscribe(receiver.url(), ordered=True)
    await outbound.bus.publish(sent_in(1, 1, 2, 3), sent_in(2, 11, 12, 13))
    await outbound.settle()

    told = accepted_by_conversation(receiver)
    assert told[f"{1:024x}"] == [blocked]
    assert told[f"{2:024x}"] == [sent_message(number).message_id for number in (11, 12, 13)]

    del receiver.answers["/hook"]
    await outbound.run_until(NOON + timedelta(seconds=5), step_seconds=1)
    assert accepted_by_conversation(receiver)[f"{1:024x}"] == [sent_message(n).message_id for n in (1, 2, 3)]


async def test_in_order_never_two_of_a_conversation_are_under_way(outbound: OutboundStage, receiver: Receiver) -> None:
    under_way: defaultdict[str, int] = defaultdict(int)
    most: list[int] = []

    async def count(post: Post) -> web.StreamResponse:
        conversation = orjson.loads(post.body)["conversation_id"]
        under_way[conversation] += 1
        most.append(under_way[conversation])
        await post.request.read()
        under_way[conversation] -= 1
        return web.Response()

    receiver.answers["/hook"] = count
    await outbound.subscribe(receiver.url(), ordered=True)
    for conversation in range(4):
        await outbound.bus.publish(sent_in(conversation, *range(100 * conversation, 100 * conversation + 20)))
    await outbound.settle()

    assert len(receiver.posts) == 80
    assert set(most) == {1}
    told = accepted_by_conversation(receiver)
    assert told[f"{3:024x}"] == [sent_message(number).message_id for number in range(300, 320)]


async def test_another_url_begins_with_a_clean_record(outbound: OutboundStage, receiver: Receiver) -> None:
    receiver.answers["/hook"] = answering(500)
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(*range(20)))
    await outbound.settle()

    await outbound.ask(UpdateSubscription(webhook_id="wh_1", url=receiver.url("/new")))
    outbound.clock.pass_by(seconds=5)
    await outbound.settle()

    assert len(receiver.to("/new")) == 20


async def test_one_hanging_endpoint_among_many_holds_up_nobody(outbound: OutboundStage, receiver: Receiver) -> None:
    receiver.answers["/0"] = receiver.hang
    for number in range(30):
        await outbound.subscribe(receiver.url(f"/{number}"), f"wh_{number}")
    await outbound.bus.publish(sent(*range(10)))

    await eventually(lambda: len(receiver.posts) == 294)
    assert len(receiver.to("/0")) == 4
    receiver.released.set()
    await outbound.settle()
    assert len(receiver.to("/0")) == 10
