"""What callers hear while something behind the gateway is away or slow."""

from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pymongo.errors import ServerSelectionTimeoutError

from services.gateway.repositories.api_keys import ApiKeyRepository
from services.gateway.repositories.idempotency_keys import IdempotencyRepository
from services.gateway.repositories.key_rates import KeyRateRepository
from services.gateway.repositories.users import User, UserRepository
from services.gateway.routes.api_key_login import ApiKeyLogin
from services.gateway.routes.asking import Asking
from services.gateway.routes.external import BodyRules, ExternalRoutes
from services.gateway.routes.idempotent import Idempotency
from services.gateway.routes.phone_numbers import PhoneNumberRoutes
from services.gateway.routes.rate_limit import RateLimit
from services.gateway.routes.users import UserRoutes
from services.gateway.settings import GatewaySettings
from shared.bus.memory import MemoryBus
from shared.bus.port import Received
from shared.clock import utc_now
from shared.contracts import messaging
from shared.contracts.base import Message
from shared.errors import BusUnavailableError
from shared.mongo import TRANSIENT_ERRORS, Database
from shared.web.app import web_app
from tests.gateway.conftest import ENVIRONMENT, Client, Gateway, Tenant
from tests.gateway.schemas.bodies import TEXT

NUMBER = {"user_id": "usr_1", "platform": "instagram", "meta_phone_number_id": "17841", "access_token": "EAA"}


@dataclass(frozen=True)
class UsersAway(UserRepository):
    """Users in a database that nobody reaches."""

    async def get(self, user_id: str) -> User:
        """Fail as the driver does."""
        raise ServerSelectionTimeoutError("No servers found: mongodb://user:password@host")


@dataclass(frozen=True)
class RecordsAway(IdempotencyRepository):
    """Records whose answers cannot be written."""

    async def mark_answered(self, *_rest: Any) -> None:
        """Fail as the driver does."""
        raise ServerSelectionTimeoutError("No servers found")


async def no_answer(_received: list[Received[Message]] | Any) -> None:
    """A service that has taken a message and not answered yet."""


def silent(*messages: type[Message]) -> MemoryBus:
    """A bus on which these are taken and never answered."""
    bus = MemoryBus()
    for message in messages:
        bus.on_group(message, no_answer)
    return bus


@dataclass(frozen=True)
class Parts:
    """Routes with short patience, on a bus and a database of the test's choice."""

    database: Database
    bus: MemoryBus

    def client(self, users: UserRepository | None = None, records: IdempotencyRepository | None = None) -> Client:
        """A client of an application made of them."""
        settings = GatewaySettings.from_env(ENVIRONMENT)
        pepper = settings.api_key_pepper.get_secret_value()
        asking = Asking(self.bus, query_seconds=0.05, command_seconds=0.05)
        records = records or IdempotencyRepository(self.database)
        idempotency = Idempotency(records, settings.key_ring, utc_now, TRANSIENT_ERRORS)
        users = users or UserRepository(self.database)
        rate_limit = RateLimit(KeyRateRepository(self.database, per_second=0.01, burst=3), lambda: 0.0)
        keys = ApiKeyRepository(self.database)
        login = ApiKeyLogin(keys, rate_limit, pepper, utc_now)
        routes = (
            *UserRoutes(users, asking, idempotency, utc_now).table(),
            *PhoneNumberRoutes(users, keys, asking, idempotency, settings.key_ring, utc_now).table(),
            *ExternalRoutes(login, idempotency, asking, utc_now, BodyRules(), send_seconds=0.05).table(),
        )
        return TestClient(TestServer(web_app(routes, service="gateway", transient=TRANSIENT_ERRORS)))


async def test_a_database_that_is_away_is_a_503(database: Database) -> None:
    async with Parts(database, MemoryBus()).client(UsersAway(database)) as client:
        response = await client.get("/api/v1/users/usr_1")
        text = await response.text()

    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert "password" not in text


async def test_an_answer_that_cannot_be_recorded_is_given_all_the_same(
    database: Database, gateway: Gateway, tenant: Tenant
) -> None:
    async with Parts(database, gateway.bus).client(records=RecordsAway(database)) as client:
        response = await client.post(tenant.url, json=TEXT, headers=tenant.headers | {"Idempotency-Key": "1"})

    assert response.status == 200


async def test_a_send_that_is_not_answered_in_time_is_a_202(
    database: Database, gateway: Gateway, tenant: Tenant
) -> None:
    async with Parts(database, silent(messaging.SendMessage)).client() as client:
        response = await client.post(tenant.url, json=TEXT, headers=tenant.headers)
        data = (await response.json())["data"]

    assert response.status == 202
    assert data == {
        "message_id": data["message_id"],
        "wa_message_id": None,
        "conversation_id": None,
        "status": "queued",
    }


async def test_a_query_that_is_not_answered_in_time_is_a_503(database: Database, gateway: Gateway) -> None:
    await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})

    async with Parts(database, silent(messaging.GetCredits)).client() as client:
        response = await client.get("/api/v1/users/usr_1")

    assert (response.status, response.headers["Retry-After"]) == (503, "5")


async def test_a_command_that_is_not_answered_in_time_is_a_504_that_says_where_to_look(
    database: Database, gateway: Gateway
) -> None:
    await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})

    async with Parts(database, silent(messaging.AddPhoneNumber)).client() as client:
        response = await client.post("/api/v1/phone-numbers", json=NUMBER)
        body = await response.json()

    assert (response.status, body["error"]) == (504, "Gateway Timeout")
    assert "GET /api/v1/phone-numbers?user_id=usr_1" in body["message"]


async def test_a_broker_that_is_away_is_a_503(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.error = BusUnavailableError("The broker does not answer")

    response = await gateway.public.post(tenant.url, json=TEXT, headers=tenant.headers)

    assert (response.status, response.headers["Retry-After"]) == (503, "5")


async def test_a_key_that_calls_too_often_is_told_when_to_come_back(
    database: Database, gateway: Gateway, tenant: Tenant
) -> None:
    async with Parts(database, gateway.bus).client() as client:
        answers = [await client.post(tenant.url, json=TEXT, headers=tenant.headers) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert (answers[3].headers["Retry-After"], answers[3].headers["RateLimit-Remaining"]) == ("100", "0")
    assert len(gateway.messaging.sends) == 3


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"to":"a","to":"b"}', "application/json", 400),
        (b"to=a", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_a_body_that_is_no_json_is_refused_in_the_envelope_of_the_external_api(
    gateway: Gateway, tenant: Tenant, raw: bytes, content_type: str, status: int
) -> None:
    headers = tenant.headers | {"Content-Type": content_type}

    response = await gateway.public.post(tenant.url, data=raw, headers=headers)
    body = await response.json()

    assert (response.status, body["success"], isinstance(body["error"], str)) == (status, False, True)
    assert gateway.messaging.sends == []


async def test_the_documented_error_is_given_word_for_word(gateway: Gateway, tenant: Tenant) -> None:
    body = {"to": "+919876543210", "type": "interactive", "interactive": {"type": "carousel", "body": "Browse"}}

    response = await gateway.public.post(tenant.url, json=body, headers=tenant.headers)
    answer = await response.json()

    assert response.status == 400
    assert (answer["success"], answer["error"]) == (False, "interactive.cards is required for type=carousel.")
