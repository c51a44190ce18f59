"""The whole gateway over HTTP: real MongoDB, the bus in memory, and stand-ins for the services it asks."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.main import build_apps, ensure_indexes
from services.gateway.settings import GatewaySettings
from shared.bus.memory import MemoryBus
from shared.bus.stream import MemoryStream
from shared.contracts import messaging
from shared.errors import NotFoundError, WaapiError
from shared.mongo import Database
from shared.web.ops import Readiness

ADMIN_SECRET = "an admin secret of more than thirty-two bytes, and even more than sixty-four"
ENVIRONMENT = {
    "ADMIN_JWT_SECRET": ADMIN_SECRET,
    "MASTER_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "API_KEY_PEPPER": "a pepper that is more than thirty-two bytes long",
}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALL_PERMISSIONS = ["send_text", "send_media", "send_template", "send_interactive", "read_templates"]

Client = TestClient[web.Request, web.Application]


def admin_token(secret: str = ADMIN_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """An operator's token; None as a value leaves a claim out."""
    now = int(time.time())
    wanted = {"sub": "operator", "role": "admin", "iat": now, "exp": now + 3600} | claims
    return jwt.encode({name: value for name, value in wanted.items() if value is not None}, secret, algorithm)


@dataclass
class MessagingStandIn:
    """Answers what the gateway asks of messaging; `outcome` is what a send becomes, `error` what any command meets."""

    numbers: dict[str, messaging.AddPhoneNumber] = field(default_factory=dict)
    sends: list[messaging.SendMessage] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    error: WaapiError | None = None
    may_answer: asyncio.Event | None = None  # a send is answered once this is set

    def register(self, bus: MemoryBus) -> None:
        """Take the places of the real handlers."""
        bus.on(messaging.AddPhoneNumber, self.add_phone_number)
        bus.on(messaging.GetPhoneNumber, self.get_phone_number)
        bus.on(messaging.ListPhoneNumbers, self.list_phone_numbers)
        bus.on(messaging.GetCredits, self.get_credits)
        bus.on(messaging.SendMessage, self.send_message)

    async def add_phone_number(self, command: messaging.AddPhoneNumber) -> messaging.PhoneNumber:
        """Keep the command as it came."""
        if self.error is not None:
            raise self.error
        self.numbers[command.phone_number_id] = command
        return _number(command)

    async def get_phone_number(self, query: messaging.GetPhoneNumber) -> messaging.PhoneNumber:
        """One that was added."""
        if query.phone_number_id not in self.numbers:
            raise NotFoundError("Phone number not found")
        return _number(self.numbers[query.phone_number_id])

    async def list_phone_numbers(self, query: messaging.ListPhoneNumbers) -> messaging.PhoneNumbers:
        """A user's, of one platform or all."""
        found = [number for number in self.numbers.values() if number.user_id == query.user_id]
        wanted = [number for number in found if query.platform in {None, number.platform}]
        return messaging.PhoneNumbers(items=tuple(_number(number) for number in wanted))

    async def get_credits(self, _query: messaging.GetCredits) -> messaging.Credits:
        """Always the sample of the dashboard API."""
        return messaging.Credits(remaining_credits=100, total_used=50, total_granted=150)

    async def send_message(self, command: messaging.SendMessage) -> messaging.MessageOutcome:
        """Sent, unless told otherwise."""
        self.sends.append(command)
        if self.may_answer is not None:
            await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        sent = {
            "message_id": command.message_id,
            "wa_message_id": "wamid.HBgL",
            "conversation_id": "6789abcdef1234567890aaaa",
            "contact_id": "contact_1",
            "status": "sent",
        }
        return messaging.MessageOutcome.model_validate(sent | self.outcome)


def _number(command: messaging.AddPhoneNumber) -> messaging.PhoneNumber:
    return messaging.PhoneNumber(
        id=command.phone_number_id,
        user_id=command.user_id,
        platform=command.platform,
        meta_phone_number_id=command.meta_phone_number_id,
        display_name=command.display_name,
        waba_id=command.waba_id,
        messages_per_second=80,
        created_at=NOON,
        updated_at=NOON,
    )


@dataclass(frozen=True)
class Gateway:
    """Both listeners, and what stands behind them."""

    private: Client
    public: Client
    bus: MemoryBus
    messaging: MessagingStandIn
    database: Database

    async def admin(self, method: str, path: str, **options: Any) -> ClientResponse:
        """An operator's request."""
        return await self.private.request(method, path, headers={"Authorization": f"Bearer {admin_token()}"}, **options)


@pytest.fixture
async def gateway(database: Database) -> AsyncIterator[Gateway]:
    """A gateway with an empty database."""
    bus, standing_in = MemoryBus(), MessagingStandIn()
    standing_in.register(bus)
    await ensure_indexes(database)
    settings = GatewaySettings.from_env(ENVIRONMENT)
    private, public = build_apps(settings, database, bus, Readiness({}), MemoryStream())
    async with TestClient(TestServer(private)) as inside, TestClient(TestServer(public)) as outside:
        yield Gateway(inside, outside, bus, standing_in, database)


@dataclass(frozen=True)
class Tenant:
    """A user with a number and an API key for it."""

    user_id: str
    phone_number_id: str
    encoded_phone_id: str
    token: str
    key_id: str

    @property
    def url(self) -> str:
        """Where this tenant sends messages."""
        return f"/api/external/send-message/{self.encoded_phone_id}"

    @property
    def headers(self) -> dict[str, str]:
        """The credential."""
        return {"Authorization": f"Bearer {self.token}"}


async def make_tenant(gateway: Gateway, user_id: str = "usr_1", **key: Any) -> Tenant:
    """Make one through the API; `key` changes the body of the key's creation."""
    user = {"user_id": user_id, "email": f"{user_id}@example.com"}
    assert (await gateway.private.post("/api/v1/users", json=user)).status == 201
    number = {
        "user_id": user_id,
        "platform": "whatsapp",
        "meta_phone_number_id": f"1065_{user_id}",
        "access_token": "EAAcanary",
        "waba_id": "1022",
    } | key.pop("number", {})
    made = await (await gateway.private.post("/api/v1/phone-numbers", json=number)).json()
    body = {
        "user_id": user_id,
        "phone_number_id": made["data"]["id"],
        "name": "Back end",
        "permissions": ALL_PERMISSIONS,
    } | key
    data = (await (await gateway.admin("POST", "/admin/api-keys", json=body)).json())["data"]
    return Tenant(user_id, made["data"]["id"], data["encoded_phone_id"], data["token"], data["key_id"])


@pytest.fixture
async def tenant(gateway: Gateway) -> Tenant:
    """A tenant whose key may do everything."""
    return await make_tenant(gateway)
