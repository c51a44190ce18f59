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
    ) -> str:
        """A user's message reaches the number: its webhook is posted `times` times. The wamid."""
        number = self.numbers.adopt(phone_number_id, token="")
        message = InboundMessage(new_wamid(sender, self.rng), sender, phone_number_id, content, time.time())
        self.messages.append(message)
        self.limits.note_inbound(phone_number_id, sender)
        context = {"context": {"from": number.display_phone_number, "id": context_id}} if context_id else {}
        stamped = {"from": sender, "id": message.wamid, "timestamp": str(int(message.at))}
        value: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "metadata": metadata(phone_number_id, number.display_phone_number),
        }
        if content["type"] != "system":  # system messages have no contacts
            value["contacts"] = [{"profile": {"name": name}, "wa_id": sender}]
        value["messages"] = [{**context, **stamped, **content}]
        for _ in range(times):
            self.webhooks.push(ChangeUpdate(number.waba_id, "messages", value, timed=False))
        return message.wamid

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
