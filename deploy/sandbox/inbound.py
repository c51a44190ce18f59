"""What users write to a business: the webhook it causes, and what the fake phone shows of it."""

import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import iso
from .limits import Limits
from .numbers import Numbers
from .sending import new_wamid
from .webhooks.sender import WebhookSender
from .webhooks.updates import ChangeUpdate, metadata

KEPT = 10_000


@dataclass(slots=True)
class InboundMessage:
    """One message of a user."""

    wamid: str
    sender: str
    phone_number_id: str
    content: Mapping[str, Any]
    at: float
    is_read: bool = False

    def view(self) -> dict[str, Any]:
        """As the fake phone shows it."""
        return {
            "wamid": self.wamid,
            "from": self.sender,
            "phone_number_id": self.phone_number_id,
            "type": self.content["type"],
            "body": dict(self.content),
            "at": iso(self.at),
            "read": self.is_read,
        }


@dataclass(frozen=True, slots=True)
class Inbox:
    """Plays users who write."""

    numbers: Numbers
    limits: Limits
    webhooks: WebhookSender
    rng: random.Random
    messages: deque[InboundMessage] = field(default_factory=lambda: deque(maxlen=KEPT))

    def receive(
        self,
        phone_number_id: str,
        sender: str,
        content: Mapping[str, Any],
        *,
        context_id: str | None,
        times: int,
        name: str,
        hidden: bool = False,
        within_seconds: float = 0,
    ) -> str:
        """A user's message reaches the number: its webhook is posted `times` times within some seconds. The wamid.

        A `hidden` user has a user name, and shows a business-scoped id instead of a number.
        """
        number = self.numbers.adopt(phone_number_id, token="")
        message = InboundMessage(new_wamid(sender, self.rng), sender, phone_number_id, content, time.time())
        self.messages.append(message)
        self.limits.note_inbound(phone_number_id, sender)
        context = {"context": {"from": number.display_phone_number, "id": context_id}} if context_id else {}
        shown = {"from_user_id": scoped_id(sender)} | ({} if hidden else {"from": sender})
        stamped = {**shown, "id": message.wamid, "timestamp": str(int(message.at))}
        value: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "metadata": metadata(phone_number_id, number.display_phone_number),
        }
        if content["type"] != "system":  # system messages have no contacts
            value["contacts"] = [_contact(sender, name, hidden=hidden)]
        value["messages"] = [{**context, **stamped, **content}]
        update = ChangeUpdate(number.waba_id, "messages", value, timed=False)
        self.webhooks.push(update, times=times, within_seconds=within_seconds)
        return message.wamid

    def prefer(self, phone_number_id: str, sender: str, value: str) -> None:
        """A user lets the business send marketing (`resume`), or not (`stop`)."""
        number = self.numbers.adopt(phone_number_id, token="")
        preference = {
            "wa_id": sender,
            "detail": f"User requested to {value} marketing messages",
            "category": "marketing_messages",
            "value": value,
            "timestamp": int(time.time()),
        }
        told: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "metadata": metadata(phone_number_id, number.display_phone_number),
            "contacts": [{"wa_id": sender}],
            "user_preferences": [preference],
        }
        self.webhooks.push(ChangeUpdate(number.waba_id, "user_preferences", told, timed=False))

    def reset(self) -> None:
        """Forget everything."""
        self.messages.clear()

    def mark_read(self, wamid: str) -> None:
        """The business has read a message."""
        for message in reversed(self.messages):
            if message.wamid == wamid:
                message.is_read = True
                return

    def list_from(self, sender: str | None) -> list[InboundMessage]:
        """What a user wrote (or everybody), newest last."""
        return [message for message in self.messages if sender is None or message.sender == sender]


def scoped_id(sender: str) -> str:
    """The business-scoped id of the person behind a number."""
    return f"US.{sender}0000000"


def _contact(sender: str, name: str, *, hidden: bool) -> dict[str, Any]:
    if hidden:
        return {"profile": {"name": name, "username": f"@user{sender[-6:]}"}, "user_id": scoped_id(sender)}
    return {"profile": {"name": name}, "wa_id": sender, "user_id": scoped_id(sender)}
