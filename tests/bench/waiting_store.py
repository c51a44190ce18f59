"""A webhooks database as it is on a bad day: thousands of subscriptions, and a million deliveries that wait.

The first of each is written by the service's own repositories; the others are its copies, made inside the database.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne, WriteConcern

from services.webhooks.domain.deliveries import Answer, Attempt, Delivery, judge
from services.webhooks.domain.events import VendorEvent
from services.webhooks.domain.telling import message_sent
from services.webhooks.repositories.deliveries import DeliveryRepository, delivery_id
from services.webhooks.repositories.subscriptions import SubscriptionRepository
from shared.clock import utc_now
from shared.contracts.messaging import SentMessage
from shared.contracts.webhooks import CreateSubscription, Subscription
from shared.mongo import Database, Document
from shared.sealing import KeyRing

WAITS_FOR = timedelta(hours=1)  # at least: nothing comes due while something is measured
SPREAD_MS = 24 * 3_600_000  # how much later the last one is due than the first
SECRET = f"whsec_{base64.b64encode(b'the secret of all of them').decode()}"

_STRIDE = 7_919  # a prime, so that what is due is spread over the whole index
_IN_PASSING = WriteConcern(w=1, j=False)


@dataclass(slots=True)
class WaitingStore:
    """The database of a webhooks process that serves nobody else."""

    database: Database
    keys: KeyRing
    urls: Sequence[str]  # of receivers, in turn
    subscriptions: int
    _due: int = 0  # deliveries that were added so far

    async def fill(self, waiting: int) -> None:
        """Store the subscriptions, and so many deliveries in all that have failed once and are due much later."""
        subscriptions, deliveries = self.database["subscriptions"], self.database["deliveries"]
        first = await SubscriptionRepository(self.database).add_once(self._wanted(), utc_now())
        document: Any = await subscriptions.find_one({"_id": first.webhook_id})
        copies = [document | self._subscription(number) for number in range(1, self.subscriptions)]
        await subscriptions.with_options(write_concern=_IN_PASSING).insert_many(copies, ordered=False)
        if waiting:
            failed = await self._failed_once(first)
            await subscriptions.aggregate(_copied(failed, waiting // self.subscriptions))
            assert await deliveries.estimated_document_count() == waiting
        await DeliveryRepository(self.database).ensure_indexes()  # last: built at once they take a third of the time

    async def add_due(self, moments: Sequence[datetime]) -> None:
        """Store a delivery for each moment, due then, each of another subscription until all have had one."""
        first = await SubscriptionRepository(self.database).find(_webhook(0))
        assert first is not None, "the store was not filled"
        wanted, due = [], []
        for moment in moments:
            self._due += 1
            number = self._due * _STRIDE % self.subscriptions
            subscription = first.model_copy(update={"webhook_id": _webhook(number), "user_id": _user(number)})
            event = _event(subscription.user_id, moment)
            wanted.append((event, subscription))
            identifier = delivery_id(event.event_id, subscription.webhook_id)
            due.append(UpdateOne({"_id": identifier}, {"$set": {"next_attempt_at": moment}}))
        # At once, and only then due: to store them one by one may take longer than until the first is due.
        await DeliveryRepository(self.database).add_once(wanted, utc_now() + WAITS_FOR)
        await self.database["deliveries"].bulk_write(due, ordered=False)

    async def rested(self) -> bool:
        """Whether no subscription is served."""
        return not await self.database["subscriptions"].count_documents({"lane": {"$exists": True}}, limit=1)

    def _wanted(self) -> CreateSubscription:
        fields = self._subscription(0)
        return CreateSubscription(webhook_id=fields.pop("_id"), events=("message.sent",), **fields)

    def _subscription(self, number: int) -> Document:
        webhook_id = _webhook(number)
        return {
            "_id": webhook_id,
            "user_id": _user(number),
            "url": self.urls[number % len(self.urls)],
            "sealed_secret": self.keys.seal(SECRET, owner_id=webhook_id, field="secret"),
        }

    async def _failed_once(self, subscription: Subscription) -> Document:
        """A delivery whose first attempt nobody answered, as the service writes it down."""
        repository, now = DeliveryRepository(self.database), utc_now()
        event = _event(subscription.user_id, now)
        await repository.add_once([(event, subscription)], now)
        identifier = delivery_id(event.event_id, subscription.webhook_id)
        delivery = Delivery(identifier, event.event_id, subscription.webhook_id, event.body, 0, now)
        answer = Answer(None, 3, error="ClientConnectorError: connection refused")
        verdict = judge(answer, attempts_made=1, now=now, jitter=1.0)
        await repository.record([Attempt("0" * 12, delivery, now, subscription.url, answer, verdict)])
        document: Any = await self.database["deliveries"].find_one({"_id": identifier})
        return dict(document)


def _copied(original: Document, of_each: int) -> list[Document]:
    """From subscriptions to a collection of so many deliveries of each: nothing of it travels to us and back."""
    plain = {key: {"$literal": value} for key, value in original.items()}
    later = {"$toLong": {"$multiply": [{"$rand": {}}, SPREAD_MS]}}
    own = {
        "_id": {"$concat": ["message.sent:", {"$toString": "$number"}, ":", "$webhook_id"]},
        "webhook_id": "$webhook_id",
        "user_id": "$user_id",
        "next_attempt_at": {"$add": [utc_now() + WAITS_FOR, later]},
    }
    return [
        {"$project": {"webhook_id": "$_id", "user_id": 1, "number": {"$range": [0, of_each]}}},
        {"$unwind": "$number"},
        {"$project": plain | own},
        {"$out": "deliveries"},
    ]


def _event(user_id: str, moment: datetime) -> VendorEvent:
    """`message.sent` of a message of that moment, which the receiver reads in the body."""
    message_id = secrets.token_hex(12)
    message = SentMessage(
        id=f"message.sent:{message_id}",
        message_id=message_id,
        wa_message_id=f"wamid.{message_id}",
        conversation_id=message_id,
        user_id=user_id,
        phone_number_id="pn_bench",
        to="+14155550123",
        type="template",
        source="campaign",
        sent_at=moment,
    )
    return message_sent(message)


def _webhook(number: int) -> str:
    return f"wh_waiting{number:05d}"


def _user(number: int) -> str:
    return f"usr_waiting{number:05d}"
