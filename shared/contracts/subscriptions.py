"""How vendor webhooks are managed after their creation, and what their owners may look at."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Command, Contract, Identifier, Item, Query, Reply
from shared.contracts.conversations import Channel
from shared.contracts.messaging import MessageSource
from shared.contracts.webhooks import Subscription

DeliveryStatus = Literal["pending", "delivered", "failed"]


class GetSubscription(Query[Subscription]):
    """One vendor webhook. Raises NotFoundError."""

    message_type: ClassVar[str] = "webhooks.get_subscription.v1"
    reply_type: ClassVar[type[Reply]] = Subscription

    webhook_id: Identifier


class UpdateSubscription(Command[Subscription]):
    """Change a vendor webhook; None leaves a field as it is. Idempotent: it sets values.

    `paused` keeps events until `active`, which also brings a disabled webhook back. Raises NotFoundError, and
    InvalidInputError for a URL we may not call or an event name that does not exist.
    """

    message_type: ClassVar[str] = "webhooks.update_subscription.v1"
    reply_type: ClassVar[type[Reply]] = Subscription

    webhook_id: Identifier
    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None  # "" takes it away
    phone_number_ids: tuple[Identifier, ...] | None = None
    channels: tuple[Channel, ...] | None = None
    sources: tuple[MessageSource, ...] | None = None
    header_names: tuple[str, ...] | None = None
    sealed_headers: str | None = None  # given whenever `header_names` are
    ordered: bool | None = None
    status: Literal["active", "paused"] | None = None


class RotateSecret(Command[Subscription]):
    """Give a webhook a new secret; for 24 hours the former one signs beside it. Idempotent by `rotation_id`.

    The secret is sealed as in CreateSubscription. Raises NotFoundError.
    """

    message_type: ClassVar[str] = "webhooks.rotate_secret.v1"
    reply_type: ClassVar[type[Reply]] = Subscription

    webhook_id: Identifier
    rotation_id: Identifier
    sealed_secret: str


class DeliveryAttempt(Contract):
    """One posting to a vendor. Without a `status_code` nobody answered, and `error` says why."""

    at: AwareDatetime
    url: str | None
    status_code: int | None
    latency_ms: int
    error: str | None
    response: str | None  # at most the first 20 kB


class DeliveryRecord(Reply):
    """One event on its way to one vendor webhook. `request` is the body of every attempt."""

    delivery_id: Identifier
    webhook_id: Identifier
    event_id: str
    event: str
    status: DeliveryStatus
    request: str
    attempts: tuple[DeliveryAttempt, ...]
    next_attempt_at: AwareDatetime | None
    created_at: AwareDatetime


class DeliveryRecords(Reply):
    """Newest first; `next_cursor` leads to the rest, None when there is none."""

    items: tuple[DeliveryRecord, ...]
    next_cursor: str | None


class ListDeliveries(Query[DeliveryRecords]):
    """A webhook's deliveries of the last thirty days. Raises NotFoundError, InvalidInputError for a strange cursor."""

    message_type: ClassVar[str] = "webhooks.list_deliveries.v1"
    reply_type: ClassVar[type[Reply]] = DeliveryRecords

    webhook_id: Identifier
    status: DeliveryStatus | None = None
    event: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=200)


class SendTestEvent(Command[DeliveryRecord]):
    """Deliver the example of an event. Idempotent by `test_id`.

    Without `event` it is one that the webhook hears. Raises NotFoundError, InvalidInputError for an unknown event, and
    ConflictError when the webhook is not active.
    """

    message_type: ClassVar[str] = "webhooks.send_test_event.v1"
    reply_type: ClassVar[type[Reply]] = DeliveryRecord

    webhook_id: Identifier
    test_id: Identifier
    event: str | None = None


class ResendDelivery(Command[DeliveryRecord]):
    """Deliver once more now: the same event id and bytes, a new timestamp. Idempotent by `resend_id`.

    Raises NotFoundError, and ConflictError when the webhook is not active.
    """

    message_type: ClassVar[str] = "webhooks.resend_delivery.v1"
    reply_type: ClassVar[type[Reply]] = DeliveryRecord

    delivery_id: Identifier
    resend_id: Identifier


class Replay(Reply):
    """A replay that was started: how many deliveries it covers, at most so many a second."""

    replay_id: Identifier
    webhook_id: Identifier
    deliveries: int
    per_second: int


class ReplayDeliveries(Command[Replay]):
    """Deliver again what a webhook was or should have been told in a range of time. Idempotent by `replay_id`.

    Event ids and bytes stay, timestamps are new. Raises NotFoundError, InvalidInputError for an unknown event or an
    empty range, and ConflictError when the webhook is not active.
    """

    message_type: ClassVar[str] = "webhooks.replay_deliveries.v1"
    reply_type: ClassVar[type[Reply]] = Replay

    webhook_id: Identifier
    replay_id: Identifier
    since: AwareDatetime
    until: AwareDatetime
    events: tuple[str, ...] = ()  # none means all


class EventType(Contract):
    """One kind of event: `body_schema` is the JSON Schema of its body, `example` one body."""

    name: str
    description: str
    body_schema: dict[str, Any]
    example: dict[str, Any]


class EventTypes(Reply):
    """All kinds of events that a vendor can be told."""

    items: tuple[EventType, ...]


class ListEventTypes(Query[EventTypes]):
    """The catalogue of vendor events."""

    message_type: ClassVar[str] = "webhooks.list_event_types.v1"
    reply_type: ClassVar[type[Reply]] = EventTypes


class HeardEvent(Item):
    """One vendor event as a listener gets it: `body` is the JSON that a webhook would get."""

    position: int
    event: str
    event_id: str
    body: str


class HeardEvents(Reply):
    """What a listener has not heard yet, oldest first."""

    items: tuple[HeardEvent, ...]


class HearEvents(Command[HeardEvents]):
    """Listen to a user's events without a URL: from the first call on they are kept for a minute after the last one.

    Asked again and again with the last `position` as `after`. Idempotent.
    """

    message_type: ClassVar[str] = "webhooks.hear_events.v1"
    reply_type: ClassVar[type[Reply]] = HeardEvents

    listener_id: Identifier
    user_id: Identifier
    after: int = 0
    limit: int = Field(default=100, ge=1, le=500)
