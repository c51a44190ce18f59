"""Deaths and doubles of the delivering half: what a process leaves behind, and what comes twice or late."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.webhooks.domain.telling import webhook_disabled
from services.webhooks.repositories.endpoints import LEASE, EndpointRepository
from services.webhooks.repositories.replays import ReplayRepository
from services.webhooks.repositories.template_statuses import TemplateStatusRepository
from shared.contracts.subscriptions import ReplayDeliveries, ResendDelivery, RotateSecret, SendTestEvent
from shared.contracts.templates import Template, TemplatesChanged
from tests.webhooks.receiver import Receiver
from tests.webhooks.stage import KEYS, NOON, OutboundStage, sent, sent_message


def template(status: str, minutes: int, template_id: str = "tpl_1") -> Template:
    """A template as it was some minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    return Template(
        template_id=template_id,
        user_id="usr_1",
        phone_number_id="pn_1",
        waba_id="1022",
        name="order_update",
        language="en_US",
        category="UTILITY",
        status=status,
        components=(),
        created_at=NOON,
        updated_at=at,
    )


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [orjson.loads(post.body) for post in receiver.posts]


async def test_a_lease_that_ran_out_while_its_owner_slept_lets_another_deliver_and_the_owner_start_nothing_more(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = receiver.hang
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(*range(20)))
    async with OutboundStage.set_up(outbound.database, clock=outbound.clock) as other:
        outbound.clock.pass_by(seconds=LEASE.total_seconds())
        receiver.answers.clear()
        receiver.released.set()
        await other.settle()

    states = {delivery["state"] for delivery in await outbound.all_deliveries()}
    assert states == {"delivered"}
    assert 20 <= len(receiver.posts) <= 24  # at most the four that the sleeper had under way came twice


async def test_an_endpoint_is_served_by_one_process_at_a_time(outbound: OutboundStage) -> None:
    endpoints = EndpointRepository(outbound.database)
    await outbound.subscribe("http://127.0.0.1:9/")

    assert len(await endpoints.take(["wh_1"], "one", NOON)) == 1
    assert await endpoints.take(["wh_1"], "two", NOON + LEASE - timedelta(milliseconds=1)) == []
    assert len(await endpoints.take(["wh_1"], "two", NOON + LEASE)) == 1
    assert await endpoints.list_own(["wh_1"], "one", NOON + LEASE) == []


async def test_a_template_is_told_of_only_when_its_status_is_another_one(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url(), events=("template.status_changed",))
    history = [template("PENDING", 0), template("PENDING", 1), template("APPROVED", 2), template("PAUSED", 3)]

    for state in history:
        await outbound.bus.publish(TemplatesChanged(items=(state,)))
    await outbound.bus.publish(TemplatesChanged(items=(history[2], history[0])))  # late, and heard before
    await outbound.bus.publish(TemplatesChanged(items=(template("APPROVED", 9, "tpl_2"),)))  # seen for the first time
    await outbound.settle()

    told = sorted((body["previous_status"], body["status"]) for body in bodies(receiver))
    assert told == [("APPROVED", "PAUSED"), ("PENDING", "APPROVED")]


async def test_a_death_before_a_templates_status_is_remembered_tells_the_change_once(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url(), events=("*",))
    await outbound.bus.publish(TemplatesChanged(items=(template("PENDING", 0),)))
    await outbound.bus.publish(TemplatesChanged(items=(template("APPROVED", 1),)))
    await outbound.database["template_statuses"].update_one({}, {"$set": {"status": "PENDING", "updated_at": NOON}})

    await outbound.bus.publish(TemplatesChanged(items=(template("APPROVED", 1),)))
    await outbound.settle()

    assert len(receiver.posts) == 1
    known = await TemplateStatusRepository(outbound.database).known(["tpl_1"])
    assert known["tpl_1"][0] == "APPROVED"


async def test_a_notice_that_a_dead_process_owed_is_told_once(outbound: OutboundStage, receiver: Receiver) -> None:
    await outbound.subscribe("http://127.0.0.1:9/", "wh_1")
    await outbound.subscribe(receiver.url(), "wh_2", events=("*",))
    await outbound.subscriptions.disable("wh_1", "gone", NOON)
    (owed,) = await outbound.subscriptions.list_notices_due()
    await outbound.outbound.notices.events.tell([webhook_disabled(*owed)], but="wh_1")  # and then it died

    await outbound.settle()

    (notice,) = bodies(receiver)
    assert (notice["event"], notice["webhook_id"], notice["reason"]) == ("webhook.disabled", "wh_1", "gone")
    assert await outbound.subscriptions.list_notices_due() == []


async def test_commands_that_come_twice_are_done_once(outbound: OutboundStage, receiver: Receiver) -> None:
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(1))
    await outbound.settle()
    resend = ResendDelivery(delivery_id=f"{sent_message(1).id}:wh_1", resend_id="again_1")
    test = SendTestEvent(webhook_id="wh_1", test_id="test_1")
    rotate = RotateSecret(
        webhook_id="wh_1", rotation_id="rot_1", sealed_secret=KEYS.seal("whsec_AAAA", owner_id="wh_1", field="secret")
    )

    for _ in range(2):
        await outbound.ask(resend)
        await outbound.settle()
        await outbound.ask(test)
        await outbound.settle()
        await outbound.ask(rotate)

    stored = await outbound.database["subscriptions"].find_one()
    assert len(receiver.posts) == 3
    assert stored is not None
    assert len(stored["former_secrets"]) == 1


async def test_a_replay_that_died_in_the_middle_of_a_step_goes_on_and_delivers_each_once_more(
    outbound: OutboundStage, receiver: Receiver
) -> None:
    await outbound.subscribe(receiver.url())
    await outbound.bus.publish(sent(*range(150)))
    await outbound.settle()
    receiver.posts.clear()
    outbound.clock.pass_by(seconds=1)
    replays, log = ReplayRepository(outbound.database), outbound.outbound.log
    await outbound.ask(
        ReplayDeliveries(webhook_id="wh_1", replay_id="r1", since=NOON - timedelta(1), until=NOON + timedelta(1))
    )
    step = await replays.claim_next(outbound.clock(), timedelta(seconds=1))
    assert step is not None
    behind = await log.delivery_log.list_behind(step.wanted, step.position, 100)
    await log.delivery_log.make_due([each for _, each in behind], "r1", outbound.clock())  # and then it died

    await outbound.run_until(NOON + timedelta(seconds=6), step_seconds=1)

    ids = [post.headers["webhook-id"] for post in receiver.posts]
    assert len(ids) == len(set(ids)) == 150
    assert await replays.claim_next(outbound.clock.now + timedelta(days=1), timedelta(seconds=1)) is None


@pytest.mark.parametrize("collection", ["deliveries", "subscriptions", "replays"])
async def test_what_is_due_is_found_by_an_index(outbound: OutboundStage, collection: str) -> None:
    due = {"$lte": NOON}
    queries: dict[str, list[dict[str, Any]]] = {
        "deliveries": [
            {"webhook_id": "wh_1", "next_attempt_at": due, "_id": {"$nin": ["a"]}},
            {"webhook_id": "wh_1", "thread": "t", "next_attempt_at": {"$exists": True}},
            {"webhook_id": "wh_1", "created_at": due},
            {"webhook_id": "wh_1", "state": "failed"},
        ],
        "subscriptions": [
            {"user_id": {"$in": ["usr_1"]}, "events": {"$in": ["message.sent", "*"]}},
            {"notice_due": True},
        ],
        "replays": [{"next_at": due}],
    }

    for query in queries[collection]:
        plan = await outbound.database.command("explain", {"find": collection, "filter": query})
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"]), query
