"""Instagram direct messages: `POST /{account}/messages`, and the webhooks that customers cause.

Source: Meta, Instagram messaging. Everything that our side sends comes back as an `is_echo` webhook.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .agenda import Agenda
from .errors import GraphError
from .faults import Faults
from .inbound import InboundMessage, Inbox
from .ledger import Ledger, Message
from .validation.rules import fields, string
from .webhooks.sender import WebhookSender

_SEEN_AFTER_SECONDS = 0.05
_TEXT_BYTES = 1000

_TOP_LEVEL = ("recipient", "message", "sender_action", "messaging_type", "tag")
_recipient = fields({"id": string()})
_message = fields({"text": string()})


def is_instagrams(raw: bytes) -> bool:
    """Whether a body has Instagram's form."""
    return b'"messaging_product"' not in raw and b'"recipient"' in raw


@dataclass(frozen=True, slots=True)
class InstagramDesk:
    """Takes messages to customers, and plays customers who write."""

    ledger: Ledger
    inbox: Inbox
    webhooks: WebhookSender
    agenda: Agenda
    faults: Faults
    rng: random.Random

    def send(self, account_id: str, raw: bytes, body: Mapping[str, Any]) -> dict[str, Any]:
        """Meta's answer to a message or an action. Raises GraphError."""
        for name in body.keys() - set(_TOP_LEVEL):
            raise GraphError(100, message=f'(#100) Unexpected key "{name}"')
        _recipient(body["recipient"], ("recipient",))
        to = body["recipient"]["id"]
        if "message" not in body:
            return {"recipient_id": to}
        _message(body["message"], ("message",))
        text = body["message"]["text"]
        if len(text.encode()) > _TEXT_BYTES:
            raise GraphError(100, message="(#100) Length of param message[text] must be less than or equal to 1000")
        mid, at = self._new_mid(), time.time()
        self.ledger.record(Message(mid, account_id, account_id, "", to, to, None, "text", "service", body=raw, at=at))
        self._post(account_id, account_id, to, {"message": {"mid": mid, "text": text, "is_echo": True}})
        if self.faults.now.status_webhooks:
            self.agenda.after(_SEEN_AFTER_SECONDS, self._post, account_id, to, account_id, {"read": {"mid": mid}})
        return {"recipient_id": to, "message_id": mid}

    def receive(self, account_id: str, sender: str, content: Mapping[str, Any], *, times: int) -> str:
        """A customer writes: its webhook is posted `times` times. The message's id."""
        mid = self._new_mid()
        self.inbox.messages.append(InboundMessage(mid, sender, account_id, content, time.time()))
        element = {"message": {"mid": mid, "text": content["text"]["body"]}}
        for _ in range(times):
            self._post(account_id, sender, account_id, element)
        return mid

    def _post(self, account_id: str, sender: str, recipient: str, element: Mapping[str, Any]) -> None:
        now = int(time.time() * 1000)
        told = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": now, **element}
        entry = {"id": account_id, "time": now, "messaging": [told]}
        self.webhooks.push_post(orjson.dumps({"object": "instagram", "entry": [entry]}))

    def _new_mid(self) -> str:
        return f"aWdf{self.rng.getrandbits(120):030x}"
