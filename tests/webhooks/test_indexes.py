"""Every query that webhooks makes uses an index, and pages of the log are not sorted."""

from datetime import timedelta
from typing import Any

from shared.contracts.subscriptions import (
    GetSubscription,
    ListDeliveries,
    ReplayDeliveries,
    ResendDelivery,
    UpdateSubscription,
)
from shared.contracts.webhooks import DeleteSubscription, ListSubscriptions
from tests.explaining import Watched
from tests.webhooks.receiver import Receiver, answering
from tests.webhooks.stage import NOON, InboundStage, OutboundStage, meta_post, sent
from tests.webhooks.stage import status as meta_status
from tests.webhooks.test_inbox import CUSTOMER_MESSAGE, TEMPLATE_CHANGE

FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "failed"},
    {"status": "pending"},
    {"event": "message.sent"},
    {"since": NOON, "until": NOON + timedelta(days=1)},
)


async def test_deliveries_read_no_collection_as_a_whole(watched: Watched, receiver: Receiver) -> None:
    async with OutboundStage.set_up(watched.database) as stage:
        receiver.answers["/hook"] = answering(503)
        await stage.subscribe(receiver.url(), ordered=True)
        await stage.subscribe(receiver.url("/other"), "wh_2")
        await stage.bus.publish(sent(*range(1, 6)))
        await stage.settle()
        await stage.run_until(NOON + timedelta(minutes=20))
        del receiver.answers["/hook"]
        await stage.run_until(NOON + timedelta(hours=2), step_seconds=600)
        for wanted in FILTERS:
            page = await stage.ask(ListDeliveries.model_validate({"webhook_id": "wh_2", "limit": 2} | wanted))
            more = {"webhook_id": "wh_2", "limit": 2, "cursor": page.next_cursor}
            await stage.ask(ListDeliveries.model_validate(more | wanted))
        listed = await stage.ask(ListDeliveries(webhook_id="wh_2", limit=1))
        await stage.ask(ResendDelivery(delivery_id=listed.items[0].delivery_id, resend_id="resend_1"))
        for number, events in enumerate(((), ("message.sent",))):
            replay = ReplayDeliveries(
                webhook_id="wh_2", replay_id=f"replay_{number}", since=NOON, until=stage.clock(), events=events
            )
            await stage.ask(replay)
            await stage.run_until(stage.clock() + timedelta(minutes=5))
        await stage.ask(ListSubscriptions(user_id="usr_1"))
        await stage.ask(GetSubscription(webhook_id="wh_1"))
        for status in ("paused", "active"):
            await stage.ask(UpdateSubscription(webhook_id="wh_1", status=status))
            await stage.settle()
        await stage.ask(DeleteSubscription(webhook_id="wh_1"))
        await stage.settle()

        assert len(watched.queries.kept) > 20, "too little was asked: this proves little"
        assert await watched.collection_scans() == []
        assert await watched.sorts_in_memory("deliveries") == []


async def test_what_meta_posts_is_kept_and_relayed_without_reading_everything(watched: Watched) -> None:
    stage = await InboundStage.set_up(watched.database)
    post = meta_post(meta_status(1), meta_status(2, "delivered"), changes=(TEMPLATE_CHANGE, CUSTOMER_MESSAGE))
    for _ in range(2):
        await stage.inbox.take(post)
    await stage.inbox.relay()

    assert await watched.collection_scans() == []
