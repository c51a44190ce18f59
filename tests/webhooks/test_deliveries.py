"""From an event to a vendor's receiver: what is sent, how often, and what is recorded."""

import asyncio
import json
from datetime import timedelta

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from services.webhooks.domain.signing import hex_signature
from services.webhooks.repositories.endpoints import LEASE, EndpointRepository
from shared.clock import utc_now
from tests.eventually import eventually
from tests.webhooks.receiver import Post, Receiver, answering
from tests.webhooks.stage import NOON, SECRET, OutboundStage, sent, sent_message


async def test_an_event_is_delivered_once_to_each_endpoint_that_asked_for_it(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url("/exact"), "wh_1")
    await outbound.subscribe(receiver.url("/all"), "wh_2", events=("*",))
    await outbound.subscribe(receiver.url("/other-event"), "wh_3", events=("message.read",))
    await outbound.subscribe(receiver.url("/other-user"), "wh_4", user_id="usr_2")

    await outbound.bus.publish(sent(1, 2))
    await eventually(lambda: len(receiver.posts) == 4)

    assert sorted((post.path, json.loads(post.body)["event_id"]) for post in receiver.posts) == sorted(
        (path, sent_message(number).id) for path in ("/exact", "/all") for number in (1, 2)
    )


async def test_an_event_heard_twice_or_regrouped_is_delivered_once(outbound: OutboundStage, receiver: Receiver) -> None:
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(1, 2))
    await eventually(lambda: len(receiver.posts) == 2)

    await outbound.bus.publish(sent(2), sent(1, 2, 3))
    await eventually(lambda: len(receiver.posts) == 3)

    ids = [json.loads(post.body)["event_id"] for post in receiver.posts]
    assert sorted(ids) == sorted(sent_message(number).id for number in (1, 2, 3))


async def test_a_delivery_carries_the_documented_headers_over_the_exact_bytes(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    outbound.clock.now = utc_now()
    await outbound.subscribe(receiver.url())

    await outbound.bus.publish(sent(1))
    await eventually(lambda: receiver.posts)

    (post,) = receiver.posts
    assert post.request.method == "POST"
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["User-Agent"] == "WAAPI-Webhooks/test"
    assert post.headers["X-Webhook-Signature"] == hex_signature(post.body, SECRET)
    assert post.headers["webhook-id"] == sent_message(1).id
    assert Webhook(SECRET).verify(post.body, dict(post.headers))["message_id"] == sent_message(1).message_id


async def test_an_attempt_is_recorded_with_what_the_receiver_said(outbound: OutboundStage, receiver: Receiver) -> None:
    receiver.answers["/hook"] = answering(500, "out of order")
    await outbound.subscribe(receiver.url())

    await outbound.bus.publish(sent(1))
    delivery = await outbound.settled(1)

    (attempt,) = delivery["attempts"]
    assert attempt.pop("latency_ms") >= 0
    assert attempt.pop("id")
    assert attempt == {
        "at": NOON,
        "url": receiver.url(),
        "status_code": 500,
        "error": "HTTP 500",
        "response": "out of order",
    }
    assert (delivery["state"], delivery["next_attempt_at"]) == ("pending", NOON + timedelta(seconds=5))


async def test_the_whole_schedule_is_kept_with_the_same_bytes_and_id_and_then_the_delivery_has_failed(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = answering(503)
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(1))
    delivery = await outbound.settled(1)

    while delivery["state"] == "pending":
        outbound.clock.now = delivery["next_attempt_at"] - timedelta(milliseconds=1)
        await outbound.lanes.sweep()  # too early: nothing is due
        outbound.clock.now = delivery["next_attempt_at"]
        await outbound.lanes.sweep()
        delivery = await outbound.settled(delivery["attempts_made"] + 1)

    hours = [(attempt["at"] - NOON).total_seconds() / 3600 for attempt in delivery["attempts"]]
    expected = [0, 5, 305, 2105, 9305, 27305, 63305, 113705, 185705, 272105]
    assert hours == [seconds / 3600 for seconds in expected]
    assert len({(post.body, post.headers["webhook-id"]) for post in receiver.posts}) == 1
    assert len({post.headers["webhook-timestamp"] for post in receiver.posts}) == 10
    assert delivery["state"] == "failed"
    assert "next_attempt_at" not in delivery


async def test_retry_after_is_honoured(outbound: OutboundStage, receiver: Receiver) -> None:
    receiver.answers["/hook"] = answering(429, Retry_After="120")
    await outbound.subscribe(receiver.url())

    await outbound.bus.publish(sent(1))
    delivery = await outbound.settled(1)

    assert delivery["next_attempt_at"] == NOON + timedelta(seconds=120)


async def test_an_endpoint_that_recovers_gets_its_delivery(outbound: OutboundStage, receiver: Receiver) -> None:
    receiver.answers["/hook"] = answering(500)
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(1))
    await outbound.settled(1)

    del receiver.answers["/hook"]
    outbound.clock.pass_by(seconds=5)
    await outbound.lanes.sweep()
    delivery = await outbound.settled(2)

    assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 200]
    assert delivery["state"] == "delivered"


async def test_a_redirect_is_a_failure_and_is_not_followed(outbound: OutboundStage, receiver: Receiver) -> None:
    receiver.answers["/hook"] = answering(307, Location=receiver.url("/elsewhere"))
    await outbound.subscribe(receiver.url())

    await outbound.bus.publish(sent(1))
    delivery = await outbound.settled(1)

    assert (delivery["state"], delivery["attempts"][0]["status_code"]) == ("pending", 307)
    assert receiver.to("/elsewhere") == []


async def test_deliveries_of_a_deleted_subscription_are_dropped(outbound: OutboundStage, receiver: Receiver) -> None:
    await outbound.subscribe(receiver.url("/deleted"), "wh_1")
    await outbound.subscribe(receiver.url("/kept"), "wh_2")
    receiver.answers["/deleted"] = answering(500)
    await outbound.bus.publish(sent(1))
    await eventually(lambda: len(receiver.posts) == 2)
    await outbound.subscriptions.delete("wh_1")  # as when the process dies before it forgets the deliveries

    outbound.clock.pass_by(seconds=5)
    await outbound.lanes.sweep()

    async def dropped() -> bool:
        return [delivery["webhook_id"] for delivery in await outbound.all_deliveries()] == ["wh_2"]

    await eventually(dropped)
    assert len(receiver.to("/deleted")) == 1


async def test_an_endpoint_that_a_dead_process_served_goes_to_another_once_the_lease_is_over(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url())
    await outbound.store(1)
    assert await EndpointRepository(outbound.database).take(["wh_1"], "lanes_of_the_dead", NOON)

    outbound.clock.now = NOON + LEASE - timedelta(milliseconds=1)
    await outbound.settle()
    assert receiver.posts == []
    outbound.clock.now = NOON + LEASE
    await outbound.settle()

    assert [post.headers["webhook-id"] for post in receiver.posts] == [sent_message(1).id]


async def test_a_secret_that_does_not_open_is_a_failed_attempt_and_sends_nothing(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url(), sealed_secret="v1.unknown.AAAA")

    await outbound.bus.publish(sent(1))
    delivery = await outbound.settled(1)

    assert delivery["attempts"][0]["error"] == "the webhook's secret cannot be used"
    assert delivery["state"] == "pending"
    assert receiver.posts == []


async def test_a_hanging_endpoint_has_four_posts_in_flight_and_holds_up_nobody(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hanging"] = receiver.hang
    await outbound.subscribe(receiver.url("/hanging"), "wh_1")
    await outbound.subscribe(receiver.url("/healthy"), "wh_2")

    await outbound.bus.publish(sent(*range(100)))
    await eventually(lambda: len(receiver.to("/healthy")) == 100)

    assert len(receiver.to("/hanging")) == 4
    receiver.released.set()
    await eventually(lambda: len(receiver.to("/hanging")) == 100)


async def test_two_processes_share_a_queue_without_delivering_twice(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    async with OutboundStage.set_up(outbound.database) as other:
        await outbound.subscribe(receiver.url())
        await outbound.store(*range(200))

        await asyncio.gather(outbound.lanes.sweep(), other.lanes.sweep())
        await eventually(lambda: len(receiver.posts) >= 200)

    assert len(receiver.posts) == len({post.headers["webhook-id"] for post in receiver.posts}) == 200


async def test_stopping_lets_attempts_end_and_gives_back_what_was_only_claimed(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = receiver.hang
    async with OutboundStage.set_up(outbound.database) as stopping:
        await stopping.subscribe(receiver.url())
        await stopping.bus.publish(sent(*range(10)))
        await eventually(lambda: len(receiver.posts) == 4)
        receiver.released.set()

    states = [delivery["state"] for delivery in await outbound.all_deliveries()]
    assert states.count("delivered") >= 4
    assert len(receiver.posts) == states.count("delivered")
    if "pending" in states:
        assert await outbound.deliveries.list_webhooks_due(NOON) == ["wh_1"]


async def test_due_webhooks_are_found_without_reading_every_delivery_that_waits(outbound: OutboundStage) -> None:
    await outbound.database["deliveries"].insert_many(
        {
            "_id": f"e{number}:wh_{webhook}",
            "webhook_id": f"wh_{webhook}",
            "next_attempt_at": NOON + timedelta(seconds=number - 100 * (webhook % 2)),
        }
        for webhook in range(10)
        for number in range(1, 101)
    )

    query = {"webhook_id": {"$gt": ""}, "next_attempt_at": {"$lte": NOON}}
    command = {"distinct": "deliveries", "key": "webhook_id", "query": query}
    plan = await outbound.database.command("explain", command, verbosity="executionStats")

    assert await outbound.deliveries.list_webhooks_due(NOON) == ["wh_1", "wh_3", "wh_5", "wh_7", "wh_9"]
    assert plan["executionStats"]["totalKeysExamined"] <= 20
    assert plan["executionStats"]["totalDocsExamined"] == 0


@pytest.mark.parametrize(("status", "state", "attempts"), [(200, "delivered", 2), (500, "pending", 1)])
async def test_an_answer_that_comes_after_the_lease_counts_only_when_it_is_a_success(
    outbound: OutboundStage, receiver: Receiver, status: int, state: str, attempts: int
) -> None:
    async def hang_once(_post: Post) -> web.StreamResponse:
        if len(receiver.posts) > 1:
            return web.Response(status=503)
        await receiver.released.wait()
        return web.Response(status=status)

    receiver.answers["/hook"] = hang_once
    await outbound.subscribe(receiver.url())
    async with OutboundStage.set_up(outbound.database) as slow:
        await slow.store(1)
        await slow.lanes.sweep()
        await eventually(lambda: len(receiver.posts) == 1)
        outbound.clock.now = NOON + LEASE
        await outbound.lanes.sweep()
        await outbound.settled(1)
        receiver.released.set()

    delivery = await outbound.delivery()
    assert (delivery["state"], delivery["attempts_made"]) == (state, attempts)
