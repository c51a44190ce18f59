"""From a post of Meta's to the events that announce it."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import PyMongoError

from services.webhooks.handlers.inbound import RELAY_AFTER, MetaInbox
from services.webhooks.repositories.inbound import Batch, InboundEvent, InboundRepository
from shared.bus.memory import MemoryBus
from shared.clock import utc_now
from shared.contracts.base import Event
from shared.contracts.inbound import MetaMessagesReceived
from shared.contracts.webhooks import MetaStatusesReceived
from shared.errors import BusUnavailableError, ServiceUnavailableError
from shared.mongo import Database
from tests.eventually import eventually
from tests.servers import fresh_name
from tests.webhooks.stage import InboundStage, meta_post, status

TEMPLATE_CHANGE = {
    "field": "message_template_status_update",
    "value": {
        "event": "PAUSED",
        "message_template_id": 1689556908129835,
        "message_template_name": "order_confirmation",
        "message_template_language": "en_US",
        "reason": None,
    },
}
CUSTOMER_MESSAGE = {
    "field": "messages",
    "value": {
        "metadata": {"phone_number_id": "1065"},
        "messages": [{"from": "1650", "id": "wamid.in", "type": "text", "text": {"body": "hi"}}],
    },
}
HISTORY = {"field": "history", "value": {"history": [{"phase": 0}]}}


class AwayBus(MemoryBus):
    """A bus whose broker does not answer until it is back."""

    def __init__(self) -> None:
        super().__init__()
        self.is_back = False

    async def publish(self, *events: Event) -> None:
        if not self.is_back:
            raise BusUnavailableError("no confirm within five seconds")
        await super().publish(*events)


async def test_a_post_is_announced_and_marked(inbound: InboundStage) -> None:
    await inbound.inbox.take(meta_post(status(1), status(2), changes=(TEMPLATE_CHANGE,)))
    await inbound.inbox.drained()

    (stored,) = await inbound.stored()
    assert [item.wa_message_id for item in inbound.statuses()] == ["wamid.1", "wamid.2"]
    assert [(item.event, item.waba_id) for item in inbound.template_updates()] == [("PAUSED", "1022")]
    assert "is_fully_told" not in stored
    assert await inbound.count_unannounced() == 0


async def test_what_a_customer_writes_does_not_wait_for_its_turn_behind_statuses(inbound: InboundStage) -> None:
    await inbound.inbox.take(meta_post(status(1)))
    await eventually(lambda: len(inbound.bus.published) == 1)  # from here on statuses gather for a while

    await inbound.inbox.take(meta_post(status(2)))
    await inbound.inbox.take(meta_post(changes=(CUSTOMER_MESSAGE,)))
    await inbound.inbox.drained()

    assert [type(event) for event in inbound.bus.published] == [
        MetaStatusesReceived,
        MetaMessagesReceived,
        MetaStatusesReceived,
    ]


async def test_concurrent_posts_share_one_event(inbound: InboundStage) -> None:
    await asyncio.gather(*(inbound.inbox.take(meta_post(status(number))) for number in range(50)))
    await inbound.inbox.drained()

    assert len(inbound.statuses()) == 50
    assert len(inbound.bus.published) < 10


async def test_the_same_bytes_again_are_answered_and_announced_once(inbound: InboundStage) -> None:
    raw = meta_post(status(1))

    await asyncio.gather(inbound.inbox.take(raw), inbound.inbox.take(raw))
    await inbound.inbox.take(raw)
    await inbound.inbox.drained()

    assert len(await inbound.stored()) == 1
    assert len(inbound.statuses()) == 1
    assert await inbound.count_unannounced() == 0


async def test_what_a_customer_writes_is_announced_as_it_was_read(inbound: InboundStage) -> None:
    await inbound.inbox.take(meta_post(changes=(CUSTOMER_MESSAGE,)))
    await inbound.inbox.drained()

    (stored,) = await inbound.stored()
    (event,) = inbound.bus.published
    assert isinstance(event, MetaMessagesReceived)
    assert [(item.wa_message_id, item.sender, item.text) for item in event.items] == [("wamid.in", "1650", "hi")]
    assert "is_fully_told" not in stored
    assert await inbound.count_unannounced() == 0


async def test_what_no_event_tells_of_stays_findable(inbound: InboundStage) -> None:
    await inbound.inbox.take(meta_post(changes=(HISTORY,)))
    await inbound.inbox.drained()

    (stored,) = await inbound.stored()
    assert inbound.bus.published == []
    assert stored["is_fully_told"] is False
    assert b"phase" in bytes(stored["raw"])


async def test_a_post_that_cannot_be_read_is_kept_and_holds_up_nothing(inbound: InboundStage) -> None:
    await asyncio.gather(*(inbound.inbox.take(raw) for raw in (b"{", meta_post(status(1)), b"")))
    await inbound.inbox.drained()

    assert len(inbound.statuses()) == 1
    assert sorted(stored["raw"] for stored in await inbound.stored()) == sorted((b"{", meta_post(status(1)), b""))


async def test_what_a_crash_left_is_announced_by_the_relay(inbound: InboundStage) -> None:
    long_ago = utc_now() - RELAY_AFTER - timedelta(seconds=1)
    left = [InboundEvent.of(meta_post(status(number)), long_ago) for number in range(3)]
    recent = InboundEvent.of(meta_post(status(9)), utc_now())
    await inbound.events.add_once([Batch.of(left[:1]), Batch.of(left[1:]), Batch.of([recent])])

    await inbound.inbox.relay()
    await inbound.inbox.relay()

    assert sorted(item.wa_message_id for item in inbound.statuses()) == ["wamid.0", "wamid.1", "wamid.2"]
    assert await inbound.count_unannounced() == 1


async def test_a_batch_of_which_a_crash_let_no_post_be_stored_is_forgotten(inbound: InboundStage) -> None:
    batch = Batch.of([InboundEvent.of(meta_post(status(1)), utc_now() - RELAY_AFTER * 2)])
    await inbound.events.add_once([batch])
    await inbound.database["inbound_events"].delete_one({"raw": {"$exists": True}})

    await inbound.inbox.relay()

    assert inbound.bus.published == []
    assert await inbound.count_unannounced() == 0


async def test_the_batch_is_stored_before_its_posts(inbound: InboundStage) -> None:
    await inbound.events.add_once([Batch.of([InboundEvent.of(meta_post(status(1)), utc_now())])])

    in_the_order_of_storing = await inbound.database["inbound_events"].find().sort("$natural", 1).to_list()
    assert ["raw" in document for document in in_the_order_of_storing] == [False, True]


async def test_a_status_without_a_readable_time_is_announced_with_the_same_time_by_the_relay(
    inbound: InboundStage,
) -> None:
    received = utc_now() - timedelta(minutes=1)
    await inbound.events.add_once([Batch.of([InboundEvent.of(meta_post(status(1) | {"timestamp": "?"}), received)])])

    await inbound.inbox.relay()

    assert [item.at for item in inbound.statuses()] == [received]


async def test_posts_are_kept_while_the_broker_is_away_and_announced_when_it_is_back(database: Database) -> None:
    bus = AwayBus()
    stage = await InboundStage.set_up(database, bus)
    later = MetaInbox(stage.events, bus, lambda: utc_now() + RELAY_AFTER * 2)
    await stage.inbox.take(meta_post(status(1)))
    await stage.inbox.drained()
    with pytest.raises(BusUnavailableError):
        await later.relay()

    bus.is_back = True
    await later.relay()

    assert [item.wa_message_id for item in stage.statuses()] == ["wamid.1"]
    assert [document["raw"] for document in await stage.stored()] == [meta_post(status(1))]


async def test_a_post_that_cannot_be_stored_is_refused_and_not_announced() -> None:
    client: pymongo.AsyncMongoClient[dict[str, Any]] = pymongo.AsyncMongoClient("mongodb://127.0.0.1:1")
    await client.close()  # from now on every call fails, without a wait
    bus = MemoryBus()
    inbox = MetaInbox(InboundRepository(client["nowhere"]), bus, utc_now)

    with pytest.raises(ServiceUnavailableError) as refused:
        await inbox.take(meta_post(status(1)))
    await inbox.drained()

    assert isinstance(refused.value.__cause__, PyMongoError)
    assert bus.published == []


histories = st.lists(
    st.tuples(st.integers(min_value=1, max_value=4), st.sampled_from(["sent", "delivered", "read", "failed"])),
    min_size=1,
    max_size=8,
    unique=True,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories, st.integers(min_value=1, max_value=3), st.randoms(use_true_random=False))
async def test_posts_doubled_and_shuffled_announce_the_same_set_of_statuses_once_each(
    database: Database, history: list[tuple[int, str]], copies: int, chance: random.Random
) -> None:
    stage = await InboundStage.set_up(database.client[fresh_name()])
    posts = [meta_post(status(number, name)) for number, name in history] * copies
    chance.shuffle(posts)

    await asyncio.gather(*(stage.inbox.take(raw) for raw in posts))
    await stage.inbox.drained()

    announced = Counter((item.wa_message_id, item.status) for item in stage.statuses())
    await stage.database.client.drop_database(stage.database.name)
    assert announced == Counter((f"wamid.{number}", name) for number, name in history)
