"""What customers and Meta's watchmen say, as webhooks took it from Meta: read once at the edge, told to messaging."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Event, Item

MetaChannel = Literal["whatsapp", "instagram"]


class MetaMessage(Item):
    """One thing that a customer did: wrote, tapped, reacted, changed their number.

    At least one of `sender` and `sender_user_id` is there: a customer with a user name may show no phone number.
    """

    wa_message_id: str  # Meta's id; the number's id and this one say which message it is
    channel: MetaChannel
    meta_phone_number_id: str  # on Instagram the professional account's id
    sender: str | None  # digits without a plus sign; on Instagram the scoped id
    sender_user_id: str | None = None  # business-scoped; the same person may also be known by a number
    username: str | None = None
    profile_name: str | None = None
    type: str  # Meta's word: text, image, button, interactive, reaction, system, …; on Instagram text, postback, …
    text: str | None = None  # what a person would read: body, caption, button text
    content: dict[str, Any] = Field(default_factory=dict)  # the kind's own part, as it came
    context_id: str | None = None  # Meta's id of the message that it answers or taps on
    at: AwareDatetime


class MetaMessagesReceived(Event):
    """Customers did something; in any order, any number of times."""

    message_type: ClassVar[str] = "webhooks.meta_messages_received.v1"

    items: tuple[MetaMessage, ...]


class MetaPreference(Item):
    """A customer told WhatsApp that a business may send marketing, or may not."""

    meta_phone_number_id: str
    sender: str | None  # digits
    sender_user_id: str | None = None
    category: str  # marketing_messages
    value: str  # stop or resume
    at: AwareDatetime


class MetaPreferencesReceived(Event):
    """Customers set what WhatsApp lets a business send them."""

    message_type: ClassVar[str] = "webhooks.meta_preferences_received.v1"

    items: tuple[MetaPreference, ...]


class MetaNotice(Item):
    """What Meta says of a number or an account: quality, limits, bans, names, reviews. `id` follows from its bytes."""

    id: str
    field: str  # Meta's: phone_number_quality_update, account_update, account_alerts, security, …
    waba_id: str
    meta_phone_number_id: str | None = None
    display_phone_number: str | None = None  # digits; many notices name their number by this alone
    event: str  # Meta's word: FLAGGED, ACCOUNT_RESTRICTION, APPROVED, …
    limit: str | None = None  # a messaging limit tier, as text
    content: dict[str, Any] = Field(default_factory=dict)  # the whole value, as it came
    at: AwareDatetime


class MetaNoticesReceived(Event):
    """Meta told something about numbers or accounts."""

    message_type: ClassVar[str] = "webhooks.meta_notices_received.v1"

    items: tuple[MetaNotice, ...]
