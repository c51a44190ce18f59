"""What a customer wrote or tapped, as a message of one of our conversations.

Everything about it follows from what Meta told, so that it may come in any order and any number of times: its id from
the number and Meta's id, the conversation's state from the newest of its messages.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.messaging.domain.messages import contact_id
from shared.contracts.conversations import Channel, ReceivedMessage
from shared.contracts.inbound import MetaMessage, MetaPreference
from shared.ids import derived_hex_id

WINDOW: Final = timedelta(hours=24)

# What an agent can answer. Other things are kept, and outdate no answer: nobody would begin another one.
_ANSWERABLE: Final = frozenset(
    {
        *("text", "image", "video", "audio", "document", "sticker", "location", "contacts", "order"),
        *("button", "interactive", "quick_reply", "postback"),
        *("file", "share", "story_mention", "reel", "ig_reel"),
    }
)
_NOT_BY_HAND: Final = frozenset({"system", "deleted"})  # these do not open the window
MEDIA_TYPES: Final = frozenset({"image", "video", "audio", "document", "sticker", "file"})


@dataclass(frozen=True, slots=True)
class ReceivingNumber:
    """The number that a message came to."""

    phone_number_id: str
    user_id: str
    channel: Channel
    agent_id: str | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, as far as the channel tells. `phone` is E.164."""

    user_id: str
    channel: Channel
    phone: str | None
    channel_user_id: str | None  # business-scoped on WhatsApp, the scoped id on Instagram, the session on webchat
    profile_name: str | None = None
    username: str | None = None

    @property
    def own_contact_id(self) -> str:
        """The contact that this sender gets when none is known yet."""
        if self.phone is not None:
            return contact_id(self.user_id, self.phone)
        return contact_id(self.user_id, self.scoped_id or "")

    @property
    def scoped_id(self) -> str | None:
        """The channel's id of the person, told apart from those of other channels."""
        if self.channel == "whatsapp" or self.channel_user_id is None:
            return self.channel_user_id
        return f"{self.channel}:{self.channel_user_id}"

    @property
    def aliases(self) -> list[str]:
        """What a contact may know this sender by, its own phone aside."""
        digits = self.phone.removeprefix("+") if self.phone is not None else None
        return [alias for alias in (digits, self.scoped_id) if alias is not None]

    @property
    def address(self) -> str:
        """What an answer is addressed to when no contact says otherwise."""
        return self.phone or self.channel_user_id or ""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a customer's; the document is written from it and rebuilt into it."""

    id: str
    user_id: str
    phone_number_id: str
    channel: Channel
    conversation_id: str
    contact_id: str
    sender: str  # the conversation's recipient
    wa_message_id: str | None
    type: str
    text: str | None
    content: dict[str, Any]
    context_wa_message_id: str | None
    received_at: datetime
    media_id: str | None = None
    client_message_id: str | None = None
    profile_name: str | None = None
    sequence: int | None = None  # known once the conversation has taken it
    agent_id: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it outdates an answer that is being made."""
        return self.type in _ANSWERABLE

    @property
    def opens_window(self) -> bool:
        """Whether the customer did it, so that free messages may follow for a day."""
        return self.type not in _NOT_BY_HAND and self.channel != "webchat"

    def applied(self, sequence: int, agent_id: str | None) -> "InboundMessage":
        """The message once its conversation has taken it; `agent_id` has to answer."""
        return replace(self, sequence=sequence, agent_id=agent_id)


def sender_of_preference(item: MetaPreference, number: ReceivingNumber) -> Sender:
    """Who set a preference that Meta told of."""
    return Sender(number.user_id, "whatsapp", phone=_phone(item.sender), channel_user_id=item.sender_user_id)


def sender_of(item: MetaMessage, number: ReceivingNumber) -> Sender:
    """Who wrote a message that Meta told of."""
    is_whatsapp = item.channel == "whatsapp"
    phone = _phone(item.sender) if is_whatsapp else None
    return Sender(
        user_id=number.user_id,
        channel=item.channel,
        phone=phone,
        channel_user_id=item.sender_user_id if is_whatsapp else item.sender,
        profile_name=item.profile_name,
        username=item.username,
    )


def inbound_id(phone_number_id: str, wa_message_id: str) -> str:
    """The id of a customer's message: the same for every repetition."""
    return derived_hex_id("inbound", phone_number_id, wa_message_id)


def inbound_message(
    item: MetaMessage, number: ReceivingNumber, *, contact_id: str, conversation_id: str, address: str
) -> InboundMessage:
    """The message that Meta told of, in its place."""
    message_id = inbound_id(number.phone_number_id, item.wa_message_id)
    return InboundMessage(
        id=message_id,
        user_id=number.user_id,
        phone_number_id=number.phone_number_id,
        channel=item.channel,
        conversation_id=conversation_id,
        contact_id=contact_id,
        sender=address,
        wa_message_id=item.wa_message_id,
        type=item.type,
        text=item.text,
        content=item.content,
        context_wa_message_id=item.context_id,
        received_at=item.at,
        media_id=f"media_{message_id}" if item.type in MEDIA_TYPES and has_file(item) else None,
        profile_name=item.profile_name,
    )


def has_file(item: MetaMessage) -> bool:
    """Whether there is something to download; media that Meta could not process comes without."""
    return file_of(item.channel, item.content) is not None


def file_of(channel: str, content: dict[str, Any]) -> tuple[str | None, str | None] | None:
    """Meta's id of a file and its link, of which at least one is known."""
    if channel == "whatsapp":
        file_id, link = _text(content.get("id")), _text(content.get("url"))
    else:
        attachments = content.get("attachments")
        first = attachments[0] if isinstance(attachments, list) and attachments else {}
        payload = first.get("payload") if isinstance(first, dict) else None
        file_id, link = None, _text(payload.get("url")) if isinstance(payload, dict) else None
    return (file_id, link) if file_id or link else None


def received_item(message: InboundMessage) -> ReceivedMessage:
    """The one `message.received` of a message, whoever announces it and however often."""
    return ReceivedMessage(
        id=f"message.received:{message.id}",
        message_id=message.id,
        wa_message_id=message.wa_message_id,
        conversation_id=message.conversation_id,
        contact_id=message.contact_id,
        user_id=message.user_id,
        phone_number_id=message.phone_number_id,
        channel=message.channel,
        sender=message.sender,
        type=message.type,
        text=message.text,
        content=message.content,
        media_id=message.media_id,
        context_wa_message_id=message.context_wa_message_id,
        sequence=message.sequence or 0,
        agent_id=message.agent_id,
        received_at=message.received_at,
    )


def _phone(digits: str | None) -> str | None:
    is_number = digits is not None and digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15
    return f"+{digits}" if is_number else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
