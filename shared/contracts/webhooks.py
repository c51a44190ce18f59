"""What webhooks takes from Meta and announces, and how vendor webhooks are managed."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from shared.contracts.base import Command, Done, Event, Identifier, Item, Query, Reply
from shared.contracts.conversations import Channel
from shared.contracts.messaging import MessageSource, MetaError


class MetaStatus(Item):
    """One status of Meta's, parsed once at the edge."""

    wa_message_id: str
    status: str  # sent, delivered, read, played, failed; anything else is kept and ignored
    at: AwareDatetime
    meta_phone_number_id: str
    recipient_id: str | None = None
    recipient_user_id: str | None = None  # business-scoped; there when Meta shows no number, or beside it
    opaque: str | None = None  # our biz_opaque_callback_data
    pricing: str | None = None  # category/type, e.g. marketing/regular; told with `sent` and one status after it
    error: MetaError | None = None


class MetaStatusesReceived(Event):
    """Statuses came in; in any order, any number of times."""

    message_type: ClassVar[str] = "webhooks.meta_statuses_received.v1"

    items: tuple[MetaStatus, ...]


class TemplateUpdate(Item):
    """One change of a template that Meta told us of: its status, its quality or its category."""

    waba_id: str
    meta_template_id: str
    name: str
    language: str
    event: str  # APPROVED, REJECTED, PAUSED, …; QUALITY_UPDATE and CATEGORY_UPDATE leave the status as it is
    reason: str | None = None  # Meta's word, e.g. INVALID_FORMAT
    explanation: str | None = None  # what Meta tells people: why, and what to do
    quality_score: str | None = None  # of a QUALITY_UPDATE: GREEN, YELLOW, RED, UNKNOWN
    category: str | None = None  # of a CATEGORY_UPDATE: the present one
    correct_category: str | None = None  # of a CATEGORY_UPDATE that announces what it will be changed to
    at: AwareDatetime


class TemplateUpdatesReceived(Event):
    """Template statuses came in from Meta."""

    message_type: ClassVar[str] = "webhooks.template_updates_received.v1"

    items: tuple[TemplateUpdate, ...]


class Subscription(Reply):
    """A vendor webhook, without its secret and its headers' values.

    An empty filter lets everything pass, but for web chat, which is told only where `channels` names it.
    """

    webhook_id: Identifier
    user_id: Identifier
    url: str
    events: tuple[str, ...]
    status: Literal["active", "paused", "disabled"]
    disabled_reason: str | None = None
    description: str | None
    phone_number_ids: tuple[Identifier, ...] = ()
    channels: tuple[Channel, ...] = ()
    sources: tuple[MessageSource, ...] = ()
    header_names: tuple[str, ...] = ()
    ordered: bool = False
    created_at: AwareDatetime


class Subscriptions(Reply):
    """A user's vendor webhooks, newest first."""

    items: tuple[Subscription, ...]


class CreateSubscription(Command[Subscription]):
    """Subscribe a URL to a user's events. Idempotent by `webhook_id`.

    The secret is sealed for that document (field `secret`). Raises InvalidInputError for a URL we may not call or an
    event name that does not exist.
    """

    message_type: ClassVar[str] = "webhooks.create_subscription.v1"
    reply_type: ClassVar[type[Reply]] = Subscription

    webhook_id: Identifier
    user_id: Identifier
    url: str
    events: tuple[str, ...]
    description: str | None = None
    phone_number_ids: tuple[Identifier, ...] = ()
    channels: tuple[Channel, ...] = ()
    sources: tuple[MessageSource, ...] = ()
    header_names: tuple[str, ...] = ()
    sealed_headers: str | None = None  # JSON of names and values, sealed for that document, field `headers`
    ordered: bool = False  # one delivery at a time for each conversation
    sealed_secret: str


class ListSubscriptions(Query[Subscriptions]):
    """A user's vendor webhooks."""

    message_type: ClassVar[str] = "webhooks.list_subscriptions.v1"
    reply_type: ClassVar[type[Reply]] = Subscriptions

    user_id: Identifier


class DeleteSubscription(Command[Done]):
    """Stop a vendor webhook and forget what it has not been told. Raises NotFoundError."""

    message_type: ClassVar[str] = "webhooks.delete_subscription.v1"
    reply_type: ClassVar[type[Reply]] = Done

    webhook_id: Identifier
