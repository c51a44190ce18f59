"""Each documented answer to a send is really given, in the documented shape and with nothing that is not documented."""

import asyncio
import copy
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse

from services.gateway.openapi.external import SEND_MESSAGE
from services.gateway.openapi.files import EXTERNAL, file_text
from shared.errors import BusUnavailableError, InsufficientCreditsError, NotFoundError
from tests.eventually import eventually
from tests.gateway.conftest import Gateway, Tenant, make_tenant
from tests.gateway.openapi.validating import faults
from tests.gateway.routes.test_send import META_ERROR
from tests.gateway.schemas.bodies import BUTTON, CARDS, TEXT, changed

DOCUMENT = json.loads(file_text(EXTERNAL))
DESCRIBED = DOCUMENT["paths"][SEND_MESSAGE.path][SEND_MESSAGE.method]["responses"]
KEY = {"Idempotency-Key": "order-1"}

Elicit = Callable[[Gateway, Tenant], Awaitable[ClientResponse]]


async def post(gateway: Gateway, tenant: Tenant, body: Any = TEXT, query: str = "", **headers: str) -> ClientResponse:
    """A send with the tenant's key."""
    return await gateway.public.post(f"{tenant.url}{query}", json=body, headers=tenant.headers | headers)


async def sent(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """With a remark."""
    gateway.messaging.outcome = {"warnings": ["window_closed"]}
    return await post(gateway, tenant, TEXT | {"colour": "red"})


async def dry_run(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """What would be sent."""
    return await post(gateway, tenant, TEXT | {"colour": "red"}, "?dry_run=true")


async def queued(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """Nobody knows the conversation yet."""
    gateway.messaging.outcome = {"status": "queued", "wa_message_id": None, "conversation_id": None}
    return await post(gateway, tenant)


async def wrong_field(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """The document's own example of an error."""
    return await post(gateway, tenant, changed(CARDS, "interactive.cards", None))


async def no_key(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """Without a credential."""
    return await gateway.public.post(tenant.url, json=TEXT)


async def no_credits(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """Where sends are metered."""
    gateway.messaging.error = InsufficientCreditsError("No credits left")
    return await post(gateway, tenant)


async def no_permission(gateway: Gateway, _tenant: Tenant) -> ClientResponse:
    """A key for text only."""
    return await post(gateway, await make_tenant(gateway, "usr_2", permissions=["send_text"]), BUTTON)


async def number_gone(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """Messaging does not know the number any more."""
    gateway.messaging.error = NotFoundError("Phone number not found")
    return await post(gateway, tenant)


async def in_progress(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """The same request, while the first still waits."""
    gateway.messaging.may_answer = may_answer = asyncio.Event()
    first = asyncio.create_task(post(gateway, tenant, **KEY))
    await eventually(lambda: gateway.messaging.sends)
    second = await post(gateway, tenant, **KEY)
    may_answer.set()
    await first
    return second


async def too_large(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """Two megabytes."""
    body = io.BytesIO(json.dumps(TEXT | {"more": "x" * 2_000_000}).encode())
    headers = tenant.headers | {"Content-Type": "application/json"}
    return await gateway.public.post(tenant.url, data=body, headers=headers)


async def no_json(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """As an HTML form would send it."""
    return await gateway.public.post(tenant.url, data={"to": "+919876543210"}, headers=tenant.headers)


async def other_body(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """An Idempotency-Key that was used."""
    await post(gateway, tenant, **KEY)
    return await post(gateway, tenant, BUTTON, **KEY)


async def too_often(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """A key that has used up its tokens."""
    await gateway.database.key_rates.update_one({"_id": tenant.key_id}, {"$set": {"level": -1000.0}}, upsert=True)
    return await post(gateway, tenant)


async def fault(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """An error that nobody has foreseen."""
    gateway.messaging.outcome = {"status": "no such status"}
    return await post(gateway, tenant)


async def refused_by_meta(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """With Meta's own words."""
    gateway.messaging.outcome = {"status": "failed", "wa_message_id": None, "error": META_ERROR}
    return await post(gateway, tenant)


async def expired(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """Without Meta's words."""
    gateway.messaging.outcome = {"status": "failed", "wa_message_id": None, "failure": "expired"}
    return await post(gateway, tenant)


async def away(gateway: Gateway, tenant: Tenant) -> ClientResponse:
    """No broker."""
    gateway.messaging.error = BusUnavailableError("The broker is away")
    return await post(gateway, tenant)


CASES: list[tuple[int, Elicit]] = [
    (200, sent),
    (200, dry_run),
    (202, queued),
    (400, wrong_field),
    (401, no_key),
    (402, no_credits),
    (403, no_permission),
    (404, number_gone),
    (409, in_progress),
    (413, too_large),
    (415, no_json),
    (422, other_body),
    (429, too_often),
    (500, fault),
    (502, refused_by_meta),
    (502, expired),
    (503, away),
]


@pytest.mark.parametrize(("status", "elicit"), CASES, ids=[elicit.__name__ for _, elicit in CASES])
async def test_an_answer_is_as_described(gateway: Gateway, tenant: Tenant, status: int, elicit: Elicit) -> None:
    response = await elicit(gateway, tenant)
    body = await response.json()

    described = DESCRIBED[str(status)]
    assert response.status == status
    assert faults(strict(DOCUMENT), described["content"]["application/json"]["schema"], body) == []
    assert [name for name in described["headers"] if name not in response.headers] == []


def test_every_described_answer_is_tried() -> None:
    assert {str(status) for status, _ in CASES} == set(DESCRIBED)


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with no room for members that it does not name."""
    made = copy.deepcopy(document)
    for schema in made["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return made
