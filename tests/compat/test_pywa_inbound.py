"""pywa reads what the sandbox posts as Meta, and agrees with our own reading of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pywa.types.base_update import RawUpdate
from pywa_async.client import WhatsApp
from pywa_async.types.callback import CallbackButton, CallbackSelection
from pywa_async.types.message import Message
from pywa_async.types.message_status import MessageStatus

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings
from services.webhooks.domain.meta_updates import parse_updates
from shared.contracts.inbound import MetaMessage
from tests.compat.graph import PHONE_NUMBER_ID, TOKEN
from tests.eventually import eventually

SENDER = "14155550123"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
REPLY = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes please"}}
ROW = {"type": "list_reply", "list_reply": {"id": "fast", "title": "Fast", "description": "2 days"}}
CARD = {"name": {"formatted_name": "Asha Rao"}, "phones": [{"phone": "+919876543210", "wa_id": "919876543210"}]}

MESSAGES: dict[str, Any] = {
    "text": {"body": "Kothay আমার order? 🚚 a/b"},
    "image": {"caption": "Broken"},
    "video": {"caption": "Look"},
    "audio": {"voice": True},
    "document": {"caption": "Plan", "filename": "plan.pdf"},
    "sticker": {"animated": False},
    "location": {"latitude": 37.44221, "longitude": -122.16153, "name": "Philz", "address": "101 Forest Ave"},
    "contacts": [CARD],
    "reaction": {"message_id": "wamid.ours", "emoji": "👍"},
}


@dataclass
class Posted:
    """A sandbox that posts its webhooks here."""

    control: TestClient[web.Request, web.Application]
    bodies: list[bytes] = field(default_factory=list)

    async def plays(self, path: str = "/_sandbox/inbound", **body: Any) -> bytes:
        """The bytes of the one webhook that a control causes."""
        before = len(self.bodies)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.control.post(path, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        return (await eventually(lambda: self.bodies[before:]))[0]

    async def wrote(self, kind: str, content: Any, **more: Any) -> bytes:
        """The bytes of the webhook when a customer writes."""
        known = {"phone_number_id": PHONE_NUMBER_ID, "from": SENDER, "name": "Asha Rao", "type": kind, kind: content}
        return await self.plays(**(known | more))


@pytest.fixture(scope="module")
async def posted() -> AsyncIterator[Posted]:
    """One sandbox for all messages."""
    bodies: list[bytes] = []

    async def receive(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/webhooks/meta", receive)])
    async with TestServer(app) as listener:
        address = str(listener.make_url("/webhooks/meta"))
        settings = Settings("127.0.0.1", 0, "an app secret", "a verify token", address, "1234")
        async with TestClient(TestServer(build(settings))) as control:
            yield Posted(control, bodies)


@pytest.fixture(scope="module")
def pywa() -> WhatsApp:
    """pywa, which calls nobody here."""
    return WhatsApp(phone_id=PHONE_NUMBER_ID, token=TOKEN)


def ours(raw: bytes) -> MetaMessage:
    """Our own reading."""
    (message,) = parse_updates(raw, NOW).messages
    return message


def update(raw: bytes) -> RawUpdate:
    """What pywa is given by its web server."""
    return RawUpdate(raw, hmac_header=None, update_hash="")


def assert_same_frame(theirs: Message | CallbackButton[Any] | CallbackSelection[Any], mine: MetaMessage) -> None:
    """Who, when, to whom and about what."""
    assert (theirs.id, theirs.from_user.wa_id, theirs.from_user.name) == (
        mine.wa_message_id,
        mine.sender,
        mine.profile_name,
    )
    assert (theirs.metadata.phone_number_id, theirs.timestamp.astimezone(UTC)) == (mine.meta_phone_number_id, mine.at)
    about = theirs.reply_to_message
    assert (about.id if about else None) == mine.context_id


def words_of(message: Message) -> str | None:
    """What pywa says that a person reads."""
    if message.reaction:
        return message.reaction.emoji
    if message.contacts:
        return str(message.contacts[0].name and message.contacts[0].name.formatted_name)
    if message.location:
        return f"{message.location.name}, {message.location.address}"
    return message.text or message.caption


@pytest.mark.parametrize("kind", MESSAGES)
async def test_a_message_is_the_same_to_both(posted: Posted, pywa: WhatsApp, kind: str) -> None:
    raw = await posted.wrote(kind, MESSAGES[kind])

    theirs, mine = Message.from_update(pywa, update(raw)), ours(raw)

    assert theirs.type.value == mine.type == kind
    if kind != "reaction":  # what a reaction is about is no quotation to pywa
        assert_same_frame(theirs, mine)
    assert words_of(theirs) == mine.text


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_a_file_has_the_same_name_to_both(posted: Posted, pywa: WhatsApp, kind: str) -> None:
    raw = await posted.wrote(kind, MESSAGES[kind])

    theirs, mine = Message.from_update(pywa, update(raw)), ours(raw)

    file = getattr(theirs, kind)
    assert (file.id, file.mime_type, file.sha256) == tuple(mine.content[key] for key in ("id", "mime_type", "sha256"))


async def test_a_quotation_is_the_same_to_both(posted: Posted, pywa: WhatsApp) -> None:
    raw = await posted.wrote("text", "This one", context_id="wamid.ours")

    assert ours(raw).context_id == "wamid.ours"
    assert_same_frame(Message.from_update(pywa, update(raw)), ours(raw))


@pytest.mark.parametrize(
    ("kind", "content"), [("button", {"payload": "track", "text": "Track order"}), ("interactive", REPLY)]
)
async def test_a_tap_is_the_same_to_both(posted: Posted, pywa: WhatsApp, kind: str, content: Any) -> None:
    raw = await posted.wrote(kind, content, context_id="wamid.ours")

    theirs, mine = CallbackButton.from_update(pywa, update(raw)), ours(raw)

    reply = mine.content.get("button_reply", {})
    assert_same_frame(theirs, mine)
    assert (theirs.title, theirs.data) == (mine.text, mine.content.get("payload", reply.get("id")))


async def test_a_choice_of_a_list_is_the_same_to_both(posted: Posted, pywa: WhatsApp) -> None:
    raw = await posted.wrote("interactive", ROW, context_id="wamid.ours")

    theirs, mine = CallbackSelection.from_update(pywa, update(raw)), ours(raw)

    assert_same_frame(theirs, mine)
    assert (theirs.title, theirs.data, theirs.description) == (mine.text, "fast", "2 days")


async def test_a_status_of_a_customer_without_a_number_is_the_same_to_both(posted: Posted, pywa: WhatsApp) -> None:
    body = {"messaging_product": "whatsapp", "to": "+999232000001", "type": "text", "text": {"body": "x"}}
    opaque = {"biz_opaque_callback_data": "w1:6789abcdef1234567890abcd:1"}

    raw = await posted.plays(f"/v25.0/{PHONE_NUMBER_ID}/messages", **(body | opaque))

    theirs, (mine, *_) = MessageStatus.from_update(pywa, update(raw)), parse_updates(raw, NOW).statuses
    assert (theirs.id, theirs.status.value, theirs.tracker) == (mine.wa_message_id, mine.status, mine.opaque)
    assert theirs.timestamp.astimezone(UTC) == mine.at
    assert mine.recipient_id is None
    assert mine.recipient_user_id is not None
