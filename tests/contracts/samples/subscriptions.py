"""Examples of what vendor webhooks are managed with."""

from datetime import timedelta

from shared.contracts import subscriptions
from shared.contracts.base import Message
from tests.contracts.samples.basics import NOON, NUMBER_ID, USER_ID

EXAMPLES: tuple[Message, ...] = (
    subscriptions.GetSubscription(webhook_id="wh_1"),
    subscriptions.UpdateSubscription(
        webhook_id="wh_1",
        url="https://shop.example.com/hooks/waapi",
        events=("message.sent", "message.failed"),
        description="",
        phone_number_ids=(NUMBER_ID,),
        channels=("whatsapp",),
        sources=("campaign",),
        header_names=("X-Shop",),
        sealed_headers="v1.k1.c2VhbGVk",
        ordered=True,
        status="paused",
    ),
    subscriptions.RotateSecret(webhook_id="wh_1", rotation_id="rot_1", sealed_secret="v1.k1.c2VhbGVk"),
    subscriptions.SendTestEvent(webhook_id="wh_1", test_id="test_1", event="message.sent"),
    subscriptions.ListDeliveries(
        webhook_id="wh_1", status="failed", event="message.sent", since=NOON, until=NOON, cursor="c", limit=10
    ),
    subscriptions.ResendDelivery(delivery_id="message.sent:65f0:wh_1", resend_id="resend_1"),
    subscriptions.ReplayDeliveries(
        webhook_id="wh_1", replay_id="replay_1", since=NOON - timedelta(hours=1), until=NOON, events=("message.sent",)
    ),
    subscriptions.ListEventTypes(),
    subscriptions.HearEvents(listener_id="listener_1", user_id=USER_ID, after=7),
)
