"""The part of messaging that has to do with conversations, on a real database, with the bus in memory."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from services.messaging.conversing import Conversing
from shared.bus.port import Received
from shared.contracts.base import MessageContext
from shared.contracts.conversations import (
    ButtonsClicked,
    ClickedButton,
    ConversationHandlingChanged,
    HandlingChange,
    MessagesReceived,
    ReceivedMessage,
)
from shared.contracts.inbound import MetaMessage, MetaMessagesReceived
from shared.ids import derived_hex_id
from shared.mongo import Database, Document
from tests.messaging.doubles import NOON, ManualClock, StageBus
from tests.messaging.stage import META_ID, NUMBER, USER, stage_on
from tests.messaging.stage import Stage as MessagingStage

AGENT = "agt_1"
SENDER = "919876543210"
PHONE = f"+{SENDER}"


def meta_message(number: int = 1, **changes: Any) -> MetaMessage:
    """The number-th thing that a customer did: a text, unless the changes say otherwise."""
    fields: dict[str, Any] = {
        "wa_message_id": f"wamid.in.{number}",
        "channel": "whatsapp",
        "meta_phone_number_id": META_ID,
        "sender": SENDER,
        "profile_name": "Asha",
        "type": "text",
        "text": f"question {number}",
        "content": {"body": f"question {number}"},
        "at": NOON,
    }
    return MetaMessage(**(fields | changes))


def tap(number: int = 1, context_id: str | None = "wamid.out", **changes: Any) -> MetaMessage:
    """A tap on a template's quick reply."""
    content = {"payload": "track_order", "text": "Track order"}
    known = {"type": "button", "text": "Track order", "content": content, "context_id": context_id}
    return meta_message(number, **(known | changes))


def inbound_id(number: int = 1) -> str:
    """Our id of it."""
    return derived_hex_id("inbound", NUMBER, f"wamid.in.{number}")


def delivered(*messages: MetaMessage) -> Received[MetaMessagesReceived]:
    """Messages as they come from the queue."""
    event = MetaMessagesReceived(items=messages)
    context = MessageContext(id="msg_1", type=event.message_type, occurred_at=NOON, correlation_id="req_1")
    return Received(event, context)


@dataclass
class Stage:
    """One instance of messaging with number pn_1 of usr_1, which agt_1 answers."""

    whole: MessagingStage

    @classmethod
    @asynccontextmanager
    async def set_up(cls, database: Database) -> AsyncIterator[Self]:
        """A stage for one test."""
        async with stage_on(database) as whole:
            await whole.database["phone_numbers"].update_one({"_id": NUMBER}, {"$set": {"agent_id": AGENT}})
            yield cls(whole)

    @property
    def database(self) -> Database:
        """Messaging's."""
        return self.whole.database

    @property
    def bus(self) -> StageBus:
        """What services say to each other."""
        return self.whole.bus

    @property
    def clock(self) -> ManualClock:
        """The time."""
        return self.whole.clock

    @property
    def conversing(self) -> Conversing:
        """The parts that are tried here."""
        return self.whole.messaging.conversations

    async def add_number(self, phone_number_id: str, **changes: Any) -> None:
        """Have another number."""
        await self.whole.add_number(phone_number_id, **({"waba_id": None} | changes))

    async def add_sent(self, wamid: str = "wamid.out", **changes: Any) -> str:
        """Have a template message of a campaign that Meta has accepted."""
        message_id = derived_hex_id("sent", wamid)
        button = {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "1",
            "parameters": [{"type": "payload", "payload": "track_order"}],
        }
        payload = json.dumps({"type": "template", "template": {"components": [button]}})
        known = {
            "wamid": wamid,
            "user_id": USER,
            "payload": payload,
            "template_id": "tpl_1",
            "campaign_id": "cmp_1",
            "recipient_id": "rcp_1",
        }
        await self.database["messages"].insert_one({"_id": message_id} | known | changes)
        return message_id

    async def add_sent_once(self) -> None:
        """The same, unless it is there."""
        if await self.database["messages"].find_one({"wamid": "wamid.out"}) is None:
            await self.add_sent()

    async def hear(self, *messages: MetaMessage) -> None:
        """Have messages come in together."""
        await self.bus.publish(MetaMessagesReceived(items=messages))

    async def opt_out(self) -> None:
        """Have the only contact take no marketing."""
        contact = await self.contact()
        await self.conversing.preferences.book.change_consent(
            change_id="change_1",
            user_id=USER,
            contact_id=contact["_id"],
            phone=contact.get("phone"),
            opted_out=True,
            proof="api",
            at=self.clock(),
        )

    async def follow_up(self) -> None:
        """Take up what was left undone."""
        await self.conversing.reception.follow_up()

    async def thread(self) -> Document:
        """The only conversation."""
        (only,) = await self.database["conversations"].find().to_list()
        return only

    async def contact(self) -> Document:
        """The only contact."""
        (only,) = await self.database["contacts"].find().to_list()
        return only

    async def stored(self, number: int = 1) -> Document:
        """A message as it is kept."""
        found: Document | None = await self.database["inbound_messages"].find_one({"_id": inbound_id(number)})
        assert found is not None, f"inbound message {number} is not stored"
        return found

    def received(self) -> list[ReceivedMessage]:
        """Every `message.received` that was announced, in order."""
        return [item for event in self.bus.published if isinstance(event, MessagesReceived) for item in event.items]

    def clicks(self) -> list[ClickedButton]:
        """Every tap that was announced, in order."""
        return [item for event in self.bus.published if isinstance(event, ButtonsClicked) for item in event.items]

    def handling(self) -> list[HandlingChange]:
        """Every change of who answers, in order."""
        return [
            item
            for event in self.bus.published
            if isinstance(event, ConversationHandlingChanged)
            for item in event.items
        ]


def at(seconds: float) -> datetime:
    """A moment after noon."""
    return datetime.fromtimestamp(NOON.timestamp() + seconds, NOON.tzinfo)
