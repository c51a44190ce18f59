"""What travels beside a message's body: AMQP properties and `wa-…` headers, written and read in this one place."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic
from pydantic import ValidationError

from shared.bus.context import WorkContext
from shared.bus.port import Received
from shared.clock import iso_millis
from shared.contracts.base import MESSAGE_TYPES, ErrorReply, Message, MessageContext, Query, Reply, ReplyAddress

CONTENT_TYPE = "application/json"
PERSISTENT, TRANSIENT = 2, 1
DIRECT_REPLY = "amq.rabbitmq.reply-to"  # the broker replaces it by an address that any connection can answer to

REPLY = "reply"  # the AMQP type of an answer, and of an answer that is an error
ERROR_REPLY = "error"

ATTEMPT_HEADER = "wa-attempt"
_TEXT_HEADERS = {
    "occurred_at": "wa-occurred-at",
    "correlation_id": "wa-correlation-id",
    "causation_id": "wa-causation-id",
    "user_id": "wa-user-id",
    "deadline": "wa-deadline",
    "traceparent": "traceparent",
}
_BROKERS_OWN = "x-"  # x-death and the like: the broker writes them anew at each step


class PoisonError(Exception):
    """A delivery that cannot be understood however often it comes; the text says why, without any of its values."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the broker handed it over, not yet understood."""

    raw: DeliveredMessage

    @property
    def tag(self) -> int:
        """What to acknowledge it by, on the channel that it came on."""
        return self.raw.delivery_tag or 0

    @property
    def properties(self) -> Basic.Properties:
        """Its AMQP properties."""
        return self.raw.header.properties

    @property
    def type(self) -> str:
        """Its wire name, or the empty string."""
        return self.properties.message_type or ""

    @property
    def attempt(self) -> int:
        """How often it has failed before; anything but a positive number counts as never."""
        attempt = _headers(self.properties).get(ATTEMPT_HEADER)
        return attempt if isinstance(attempt, int) and attempt > 0 else 0


def message_properties(
    message: Message, *, message_id: str, work: WorkContext, now: datetime, deadline: datetime | None = None
) -> Basic.Properties:
    """The envelope of a message that leaves now; one with a deadline asks for a reply by its own id."""
    return Basic.Properties(
        message_id=message_id,
        message_type=message.message_type,
        content_type=CONTENT_TYPE,
        delivery_mode=TRANSIENT if isinstance(message, Query) else PERSISTENT,
        reply_to=DIRECT_REPLY if deadline else None,
        correlation_id=message_id if deadline else None,
        headers=_message_headers(work, now, deadline),
    )


def retry_properties(properties: Basic.Properties, *, attempt: int) -> Basic.Properties:
    """The same envelope for the way through a retry queue: who waits for it and what it belongs to stay."""
    kept = {key: value for key, value in _headers(properties).items() if not key.startswith(_BROKERS_OWN)}
    return Basic.Properties(
        message_id=properties.message_id,
        message_type=properties.message_type,
        content_type=properties.content_type,
        delivery_mode=PERSISTENT,
        reply_to=properties.reply_to,
        correlation_id=properties.correlation_id,
        headers={**kept, ATTEMPT_HEADER: attempt},
    )


def reply_properties(reply: Reply, reply_id: str) -> Basic.Properties:
    """The envelope of an answer; its type tells an error from the reply that was asked for."""
    return Basic.Properties(
        correlation_id=reply_id,
        message_type=ERROR_REPLY if isinstance(reply, ErrorReply) else REPLY,
        content_type=CONTENT_TYPE,
    )


def read_context(delivery: Delivery) -> MessageContext:
    """The envelope of a delivery. Raises PoisonError when it is not one of ours."""
    properties, headers = delivery.properties, _headers(delivery.properties)
    texts = {field: headers[name] for field, name in _TEXT_HEADERS.items() if name in headers}
    context = {"id": properties.message_id, "type": delivery.type, "attempt": delivery.attempt, **texts}
    if properties.reply_to and properties.correlation_id and "deadline" in texts:
        context["reply"] = {
            "to": properties.reply_to,
            "id": properties.correlation_id,
            "until": texts["deadline"],
        }
    try:
        return MessageContext.model_validate(context)
    except ValidationError as error:
        raise PoisonError(f"invalid envelope: {_where(error)}") from error


def read_reply_address(delivery: Delivery) -> ReplyAddress | None:
    """Who waits for an answer, even to a message that cannot be understood otherwise."""
    try:
        return read_context(delivery).reply
    except PoisonError:
        return None


def read_message(delivery: Delivery, known: Container[str]) -> Received[Any]:
    """The message and its envelope, if its type is one of the `known`. Raises PoisonError."""
    context = read_context(delivery)
    message_type = MESSAGE_TYPES.get(context.type)
    if message_type is None or context.type not in known:
        raise PoisonError("no handler for this type")
    try:
        return Received(message_type.model_validate_json(delivery.raw.body), context)
    except ValidationError as error:
        raise PoisonError(f"invalid body: {_where(error)}") from error


def _message_headers(work: WorkContext, now: datetime, deadline: datetime | None) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "wa-occurred-at": iso_millis(now),
        "wa-correlation-id": work.correlation_id,
        ATTEMPT_HEADER: 0,
    }
    if work.causation_id:
        headers["wa-causation-id"] = work.causation_id
    if work.user_id:
        headers["wa-user-id"] = work.user_id
    if work.traceparent:
        headers["traceparent"] = work.traceparent
    if deadline:
        headers["wa-deadline"] = iso_millis(deadline)
    return headers


def _headers(properties: Basic.Properties) -> Mapping[str, Any]:
    return properties.headers or {}


def _where(error: ValidationError) -> str:
    """Places and kinds of what is wrong; the values themselves may be secret."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['type']}" for each in error.errors())
