"""Messaging as main builds it, on a real database, with the bus in memory and a Meta that does as it is told."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.messaging.clients.meta import MetaClient, meta_client
from services.messaging.domain.messages import OutboundMessage
from services.messaging.main import Messaging, build
from services.messaging.preparation import outbound
from services.messaging.repositories.documents import to_stored
from services.messaging.settings import Settings
from shared.bus.port import Received
from shared.contracts.base import MessageContext, Reply, ReplyAddress
from shared.contracts.content import MessageContent, TemplateContent, TextContent
from shared.contracts.messaging import (
    AddPhoneNumber,
    BatchMessage,
    FailedMessage,
    MessageOutcome,
    MessagesFailed,
    MessagesSent,
    MessageStatusChange,
    MessageStatusesChanged,
    MetaError,
    SendBatch,
    SendMessage,
    SentMessage,
)
from shared.contracts.templates import (
    FindTemplates,
    SyncTemplates,
    Template,
    TemplatesChanged,
)
from shared.contracts.webhooks import MetaStatus, MetaStatusesReceived
from shared.errors import WaapiError
from shared.ids import derived_hex_id
from shared.mongo import Database, Document
from shared.sealing import KeyRing
from tests.messaging.doubles import NOON, ManualClock, StageBus, TemplatesStandIn
from tests.messaging.meta import MetaStandIn

MASTER_KEYS = "k1:" + "A" * 43 + "="
KEYS = KeyRing.parse(MASTER_KEYS)
TOKEN = "EAAtoken"
NUMBER, META_ID, USER, WABA = "pn_1", "106540352242922", "usr_1", "102290129340398"
TO = "+919876543210"
CALLER_SECONDS = 20


def message_id(number: int = 1) -> str:
    """The id of the number-th message of a test."""
    return derived_hex_id("message", str(number))


def text(number: int = 1, to: str = TO, *, at: datetime = NOON, **changes: Any) -> SendMessage:
    """A command to send a text; a service message, which is held when its outcome is unknown."""
    fields: dict[str, Any] = {
        "message_id": message_id(number),
        "user_id": USER,
        "phone_number_id": NUMBER,
        "to": to,
        "content": TextContent(text=f"hello {number}"),
        "source": "external_api",
        "accepted_at": at,
    }
    return SendMessage(**(fields | changes))


def code(number: int = 1, **changes: Any) -> SendMessage:
    """A command to send a one-time code, which is sent again when its outcome is unknown. Needs `CODE_TEMPLATE`."""
    return text(number, content=TemplateContent(name="login_code", language="en_US", variables=("123456",)), **changes)


def template(name: str = "order_shipped", language: str = "en_US", **changes: Any) -> Template:
    """An approved utility template with one variable."""
    fields: dict[str, Any] = {
        "template_id": f"tpl_{name}_{language}",
        "user_id": USER,
        "phone_number_id": NUMBER,
        "waba_id": WABA,
        "name": name,
        "language": language,
        "category": "UTILITY",
        "status": "APPROVED",
        "components": ({"type": "BODY", "text": "Hello {{1}}."},),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Template(**(fields | changes))


CODE_TEMPLATE = template(
    "login_code",
    category="AUTHENTICATION",
    components=(
        {"type": "BODY", "text": "*{{1}}* is your verification code."},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]},
    ),
)


def recipient(number: int) -> str:
    """The phone of a campaign's number-th recipient."""
    return f"+9198{number:08d}"


def batch(numbers: Iterable[int], content: MessageContent | None = None, **changes: Any) -> SendBatch:
    """A campaign's batch of `order_shipped`, each recipient with a value of its own."""
    items = tuple(
        BatchMessage(message_id=message_id(n), recipient_id=f"rcp_{n}", to=recipient(n), variables={"1": f"name {n}"})
        for n in numbers
    )
    fields: dict[str, Any] = {
        "user_id": USER,
        "phone_number_id": NUMBER,
        "campaign_id": "cmp_1",
        "content": content or TemplateContent(name="order_shipped", language="en_US"),
        "items": items,
        "expires_at": NOON + timedelta(days=1),
    }
    return SendBatch(**(fields | changes))


def status(name: str, opaque: str | None = None, wamid: str = "wamid.1", **changes: Any) -> MetaStatus:
    """A status of Meta's; `opaque` None stands for one that does not carry our data."""
    fields: dict[str, Any] = {
        "wa_message_id": wamid,
        "status": name,
        "at": NOON,
        "meta_phone_number_id": META_ID,
        "opaque": opaque,
        "error": MetaError(message="Message undeliverable", code=131026) if name == "failed" else None,
    }
    return MetaStatus(**(fields | changes))


def address(name: str, *, until: datetime = NOON + timedelta(seconds=CALLER_SECONDS)) -> ReplyAddress:
    """Where a caller of this name waits."""
    return ReplyAddress(to="memory", id=name, until=until)


def received(command: SendMessage, reply: ReplyAddress | None = None) -> Received[SendMessage]:
    """A command as it comes from the queue."""
    context = MessageContext(
        id="msg_1", type=command.message_type, occurred_at=NOON, correlation_id="req_1", reply=reply
    )
    return Received(command, context)


def heard(*statuses: MetaStatus) -> Received[MetaStatusesReceived]:
    """Statuses as they come from the queue."""
    event = MetaStatusesReceived(items=statuses)
    context = MessageContext(id="msg_2", type=event.message_type, occurred_at=NOON, correlation_id="req_2")
    return Received(event, context)


@dataclass
class Stage:
    """One instance of messaging that takes commands, and whatever else a test adds."""

    database: Database
    bus: StageBus
    meta: MetaStandIn
    client: MetaClient
    clock: ManualClock
    settings: Settings
    messaging: Messaging = field(init=False)

    async def start_another(self, worker: str) -> Messaging:
        """A replica that takes no commands, but sweeps."""
        return await build(self.database, self.bus, self.client, self.settings, now=self.clock, worker=worker)

    async def add_number(self, phone_number_id: str = NUMBER, **changes: Any) -> None:
        """Have a number whose Meta id and WABA are as the changes say."""
        await self.bus.request(add_number(phone_number_id, **changes), timeout_seconds=30)

    async def know(self, *templates: Template) -> None:
        """Have the copies of templates."""
        await self.bus.publish(TemplatesChanged(items=templates))

    async def ask(self, command: SendMessage) -> MessageOutcome:
        """Send a command and wait for its outcome, as the gateway does."""
        return await self.bus.request(command, timeout_seconds=CALLER_SECONDS)

    async def sweep(self, messaging: Messaging | None = None) -> None:
        """One round of an instance's sweeper, with everything that it sets off."""
        messaging = messaging or self.messaging
        await messaging.sweeper.sweep()
        await self.drain(messaging)

    async def drain(self, messaging: Messaging | None = None) -> None:
        """Wait until an instance works on nothing."""
        await (messaging or self.messaging).drain()

    async def hear(self, *statuses: MetaStatus) -> None:
        """Have statuses come in together."""
        await self.bus.publish(MetaStatusesReceived(items=statuses))

    async def document(self, number: int = 1) -> Document:
        """A message as it is stored."""
        found: Document | None = await self.database["messages"].find_one({"_id": message_id(number)})
        assert found is not None, f"message {number} is not stored"
        return found

    async def state(self, number: int = 1) -> str:
        """The state of a message that can be read back as a whole."""
        return to_stored(await self.document(number)).state

    async def is_in(self, state: str, number: int = 1) -> bool:
        """Whether a message is stored in this state by now."""
        return await self.database["messages"].find_one({"_id": message_id(number), "state": state}) is not None

    def outbound(self, command: SendMessage) -> OutboundMessage:
        """The message of a command, as preparation renders a text."""
        body = b'{"messaging_product":"whatsapp","to":"%s"}' % command.to.encode()
        return outbound(received(command), "service", body, ())

    async def states(self) -> list[str]:
        """The states of all messages."""
        return [document["state"] async for document in self.database["messages"].find({}, {"state": 1}).sort("_id", 1)]

    async def has_caller(self, number: int = 1) -> bool:
        """Whether somebody asked again for a message whose outcome is open."""
        return bool((await self.document(number)).get("callers"))

    def own_templates(self, *templates: Template, error: WaapiError | None = None) -> TemplatesStandIn:
        """Have an owner of templates who knows these, or who fails."""
        owner = TemplatesStandIn(list(templates), error)
        self.bus.on(FindTemplates, owner.find_templates)
        self.bus.on(SyncTemplates, owner.sync_templates)
        return owner

    def sent(self) -> list[SentMessage]:
        """Every `message.sent` that was announced, in order."""
        return [item for event in self.bus.published if isinstance(event, MessagesSent) for item in event.items]

    def failed(self) -> list[FailedMessage]:
        """Every `message.failed` that was announced, in order."""
        return [item for event in self.bus.published if isinstance(event, MessagesFailed) for item in event.items]

    def changes(self) -> list[MessageStatusChange]:
        """Every status that was announced, in order."""
        return [
            item for event in self.bus.published if isinstance(event, MessageStatusesChanged) for item in event.items
        ]

    def answers_to(self, name: str) -> list[Reply]:
        """What the caller of this name was told."""
        return [reply for id_, reply in self.bus.answers if id_ == name]


def add_number(phone_number_id: str = NUMBER, **changes: Any) -> AddPhoneNumber:
    """A command to add a number, its token sealed."""
    fields: dict[str, Any] = {
        "phone_number_id": phone_number_id,
        "user_id": USER,
        "platform": "whatsapp",
        "meta_phone_number_id": META_ID,
        "sealed_access_token": KEYS.seal(TOKEN, owner_id=phone_number_id, field="access_token"),
        "display_name": "Acme",
        "waba_id": WABA,
    }
    return AddPhoneNumber(**(fields | changes))


@asynccontextmanager
async def stage_on(database: Database, **settings: Any) -> AsyncIterator[Stage]:
    """A stage with number pn_1 of usr_1; the settings' time limits are generous unless the test gives others."""
    clock, meta = ManualClock(), MetaStandIn()
    fast: dict[str, Any] = {"master_keys": MASTER_KEYS, "default_messages_per_second": 1000}
    await meta.start()
    async with meta_client(meta.url, "v25.0", f"{meta.url}/v25.0") as client:
        stage = Stage(database, StageBus(clock), meta, client, clock, Settings.model_validate(fast | settings))
        stage.messaging = await build(database, stage.bus, client, stage.settings, now=clock, worker="first")
        stage.messaging.register()
        await stage.add_number()
        yield stage
        await stage.drain()
    await meta.stop()
