"""Vendor webhooks, their log and what they may hear, described."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    CONFLICT,
    IDEMPOTENCY,
    INVALID,
    LATE,
    LIMIT,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
    operators_operation,
)
from services.gateway.openapi.operations import Answer, Operation, Parameter, RequestBody
from services.gateway.openapi.shown import Shown, Time
from services.gateway.schemas.webhooks import ChangeWebhookBody, CreateWebhookBody, ReplayBody, TestWebhookBody
from shared.contracts.conversations import Channel
from shared.contracts.messaging import MessageSource

WEBHOOKS_TAG = "Webhooks"

_WEBHOOK_ID = in_path("webhook_id", "The webhook's id.", "wh_3k9d")
_DELIVERY_ID = in_path("delivery_id", "The delivery's id.", "message.sent:6789abcdef1234567890abcd:wh_3k9d")
_WEBHOOK = "/admin/webhooks/{webhook_id}"
_TIME = {"type": "string", "format": "date-time"}
_EVENT_ID = {"type": "string", "pattern": "^listener_[A-Za-z0-9]{22}[.][0-9]{1,18}$"}
_EXAMPLE = {
    "user_id": "usr_123",
    "url": "https://shop.example.com/hooks/waapi",
    "events": ["message.sent", "message.received"],
    "ordered": True,
}
_RANGE = {"from": "2026-03-05T00:00:00.000Z", "to": "2026-03-05T06:00:00.000Z", "events": ["message.sent"]}


class WebhookShown(Shown):
    """A vendor webhook, without its secret."""

    webhook_id: str
    url: str
    events: list[str]
    status: Literal["active", "paused", "disabled"]
    """`paused` by you, `disabled` by us; in both, events are kept for thirty days."""
    description: str | None
    disabled_reason: str | None
    """`gone`: it answered 410. `failing`: every attempt of five days failed."""
    phone_number_ids: list[str]
    channels: list[Channel]
    sources: list[MessageSource]
    header_names: list[str]
    """Headers that every request carries; their values are not shown."""
    ordered: bool
    created_at: Time


class NewSecretShown(WebhookShown):
    """A vendor webhook with its secret, which is shown this once."""

    secret: str


class AttemptShown(Shown):
    """One request to a vendor."""

    at: Time
    url: str | None
    status_code: int | None
    """Null when nobody answered."""
    latency_ms: int
    error: str | None
    response: str | None
    """At most its first 20,000 bytes."""


class DeliveryShown(Shown):
    """One event on its way to one webhook."""

    delivery_id: str
    webhook_id: str
    event_id: str
    event: str
    status: Literal["pending", "delivered", "failed"]
    request: str
    """The body of every attempt."""
    attempts: list[AttemptShown]
    next_attempt_at: Time | None
    created_at: Time


class ReplayShown(Shown):
    """A replay that has begun."""

    replay_id: str
    webhook_id: str
    deliveries: int
    """How many deliveries are made again."""
    per_second: int
    """How many of them fall due each second."""


class EventTypeShown(Shown):
    """One kind of event."""

    name: str
    description: str
    json_schema: dict[str, Any] = Field(alias="schema")
    """JSON Schema of its body."""
    example: dict[str, Any]


class Page(Shown):
    """Where a page stands."""

    limit: int
    next_cursor: str | None
    """For the next page; null on the last one."""


class EventShown(Shown):
    """An event's body; `GET /api/v1/event-types` tells the rest of each."""

    event: str
    event_id: str
    timestamp: Time


class WebhookAnswer(models.Answered):
    """The webhook."""

    data: WebhookShown


class WebhooksAnswer(models.Answered):
    """Newest first."""

    data: list[WebhookShown]


class NewSecretAnswer(models.Answered):
    """The webhook and its secret."""

    data: NewSecretShown


class DeliveryAnswer(models.Answered):
    """The delivery."""

    data: DeliveryShown


class DeliveriesAnswer(models.Answered):
    """Newest first."""

    data: list[DeliveryShown]
    pagination: Page


class ReplayAnswer(models.Answered):
    """What was begun."""

    data: ReplayShown


class EventTypesAnswer(models.Answered):
    """All of them."""

    data: list[EventTypeShown]


def _filter(name: str, description: str, schema: dict[str, Any]) -> Parameter:
    return Parameter(name, "query", description, schema)


_LOG_FILTERS = (
    _filter("status", "In this state.", {"type": "string", "enum": ["pending", "delivered", "failed"]}),
    _filter("event", "Of this event.", {"type": "string", "pattern": "^[a-z_.]{1,64}$"}),
    _filter("from", "Heard of at this time or later.", _TIME),
    _filter("to", "Heard of at this time or earlier.", _TIME),
    _filter("cursor", "The `next_cursor` of the page before.", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,300}$"}),
    LIMIT,
)


def _streamed(described: Mapping[int, Answer]) -> Mapping[int, Answer]:
    return {**described, 200: replace(described[200], media_type="text/event-stream")}


def _operation(**rest: Any) -> Operation:
    return operators_operation(WEBHOOKS_TAG, **rest)


WEBHOOK_OPERATIONS = (
    dashboard_operation(
        WEBHOOKS_TAG,
        method="get",
        path="/api/v1/event-types",
        name="listEventTypes",
        summary="List the events that webhooks can hear",
        description="Each with the JSON Schema of its body and an example.",
        answers=answers(200, EventTypesAnswer, "The events."),
    ),
    _operation(
        method="post",
        path="/admin/webhooks",
        name="createWebhook",
        summary="Subscribe a URL to a user's events",
        description="The secret is shown this once.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreateWebhookBody, _EXAMPLE),
        answers=answers(201, NewSecretAnswer, "The webhook.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    _operation(
        method="get",
        path="/admin/webhooks",
        name="listWebhooks",
        summary="List a user's webhooks",
        description="Without their secrets.",
        parameters=(USER,),
        answers=answers(200, WebhooksAnswer, "The webhooks.", INVALID),
    ),
    _operation(
        method="get",
        path=_WEBHOOK,
        name="getWebhook",
        summary="Get a webhook",
        description="Without its secret.",
        parameters=(_WEBHOOK_ID,),
        answers=answers(200, WebhookAnswer, "The webhook.", UNKNOWN),
    ),
    _operation(
        method="patch",
        path=_WEBHOOK,
        name="changeWebhook",
        summary="Change, pause or resume a webhook",
        description="While it is paused, events are kept; `active` delivers them, and brings a disabled webhook back.",
        parameters=(_WEBHOOK_ID,),
        body=RequestBody.of(ChangeWebhookBody, {"status": "paused"}),
        answers=answers(200, WebhookAnswer, "The webhook.", INVALID, UNKNOWN, CHANGED_BODY, LATE),
    ),
    _operation(
        method="delete",
        path=_WEBHOOK,
        name="deleteWebhook",
        summary="Delete a webhook",
        description="Nothing more is delivered.",
        parameters=(_WEBHOOK_ID,),
        answers=answers(200, models.Done, "It is deleted.", UNKNOWN, LATE),
    ),
    _operation(
        method="post",
        path=f"{_WEBHOOK}/rotate-secret",
        name="rotateWebhookSecret",
        summary="Give a webhook a new secret",
        description="It is shown this once. For 24 hours requests are signed with the former one as well.",
        parameters=(_WEBHOOK_ID, IDEMPOTENCY),
        answers=answers(200, NewSecretAnswer, "The webhook and its new secret.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    _operation(
        method="post",
        path=f"{_WEBHOOK}/test",
        name="testWebhook",
        summary="Deliver an example",
        description="Its `event_id` begins with `test:`. What came of it stands in the log. The body may be left out.",
        parameters=(_WEBHOOK_ID, IDEMPOTENCY),
        body=replace(RequestBody.of(TestWebhookBody, {"event": "message.sent"}), required=False),
        answers=answers(200, DeliveryAnswer, "The delivery.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    _operation(
        method="post",
        path=f"{_WEBHOOK}/replay",
        name="replayWebhook",
        summary="Deliver a range again",
        description="Everything that the webhook was or should have been told: same ids and bytes, new timestamps.",
        parameters=(_WEBHOOK_ID, IDEMPOTENCY),
        body=RequestBody.of(ReplayBody, _RANGE),
        answers=answers(200, ReplayAnswer, "It has begun.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    _operation(
        method="get",
        path=f"{_WEBHOOK}/deliveries",
        name="listDeliveries",
        summary="List a webhook's deliveries",
        description="Of the last thirty days, newest first, each with its attempts.",
        parameters=(_WEBHOOK_ID, *_LOG_FILTERS),
        answers=answers(200, DeliveriesAnswer, "A page of deliveries.", INVALID, UNKNOWN),
    ),
    _operation(
        method="post",
        path="/admin/deliveries/{delivery_id}/resend",
        name="resendDelivery",
        summary="Deliver once more",
        description="At once, and on the schedule if that fails: same id and bytes, a new timestamp.",
        parameters=(_DELIVERY_ID, IDEMPOTENCY),
        answers=answers(200, DeliveryAnswer, "The delivery.", INVALID, UNKNOWN, CONFLICT, WITH_BODY, LATE),
    ),
    _operation(
        method="get",
        path="/admin/events/stream",
        name="streamEvents",
        summary="Hear a user's events as they happen",
        description="Server-sent events (`text/event-stream`): name and body as a webhook would get them, from the "
        "moment of the request on. `Last-Event-ID` goes on after an event of up to ten minutes ago.",
        parameters=(USER, Parameter("Last-Event-ID", "header", "The last event's id.", _EVENT_ID)),
        answers=_streamed(answers(200, EventShown, "A stream; `data` of each event.", INVALID, LATE)),
    ),
)
