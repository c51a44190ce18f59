"""`POST /api/external/send-message`: what a vendor hears."""

import asyncio
import re
from typing import Any

import pytest

from shared.contracts.content import TextContent
from shared.contracts.messaging import ContactInput
from shared.errors import BusUnavailableError, InsufficientCreditsError, InvalidInputError
from tests.gateway.conftest import Gateway, Tenant, make_tenant

HELLO = {"to": "+919876543210", "type": "text", "text": "Hello! How can we help you today?"}
META_ERROR = {
    "message": "(#131030) Recipient phone number not in allowed list",
    "code": 131030,
    "subcode": None,
    "type": "OAuthException",
    "details": "Recipient phone number not in allowed list",
    "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
}


async def test_a_sent_message_is_answered_as_documented(gateway: Gateway, tenant: Tenant) -> None:
    response = await gateway.private.post(tenant.url, json=HELLO, headers=tenant.headers)

    assert response.status == 200
    assert await response.json() == {
        "success": True,
        "data": {
            "message_id": gateway.messaging.sends[0].message_id,
            "wa_message_id": "wamid.HBgL",
            "conversation_id": "6789abcdef1234567890aaaa",
            "status": "sent",
        },
        "message": "Message sent successfully.",
    }


async def test_messaging_gets_the_whole_of_the_request(gateway: Gateway, tenant: Tenant) -> None:
    contact = {"name": "John Doe", "email": "john@example.com"}

    await gateway.private.post(tenant.url, json=HELLO | {"contact": contact}, headers=tenant.headers)

    sent = gateway.messaging.sends[0]
    assert (sent.user_id, sent.phone_number_id, sent.to) == ("usr_1", tenant.phone_number_id, "+919876543210")
    assert sent.content == TextContent(text="Hello! How can we help you today?")
    assert sent.contact == ContactInput(name="John Doe", email="john@example.com")
    assert (sent.source, bool(re.fullmatch("[0-9a-f]{24}", sent.message_id))) == ("external_api", True)


async def test_the_public_listener_sends_too(gateway: Gateway, tenant: Tenant) -> None:
    response = await gateway.public.post(tenant.url, json=HELLO, headers=tenant.headers)

    assert response.status == 200


async def test_a_message_whose_outcome_is_open_is_a_202(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.outcome = {"status": "queued", "wa_message_id": None}

    response = await gateway.private.post(tenant.url, json=HELLO, headers=tenant.headers)
    body = await response.json()

    assert (response.status, body["success"]) == (202, True)
    assert body["data"] == {
        "message_id": gateway.messaging.sends[0].message_id,
        "wa_message_id": None,
        "conversation_id": "6789abcdef1234567890aaaa",
        "status": "queued",
    }


async def test_metas_refusal_is_a_502_whose_error_is_an_object(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.outcome = {"status": "failed", "wa_message_id": None, "error": META_ERROR}

    response = await gateway.private.post(tenant.url, json=HELLO, headers=tenant.headers)
    body = await response.json()

    assert (response.status, body["success"], body["error"]) == (502, False, META_ERROR)
    assert body["data"] == {
        "message_id": gateway.messaging.sends[0].message_id,
        "conversation_id": "6789abcdef1234567890aaaa",
        "status": "failed",
    }


async def test_a_failure_without_metas_words_has_the_same_shape(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.outcome = {"status": "failed", "wa_message_id": None, "failure": "expired"}

    body = await (await gateway.private.post(tenant.url, json=HELLO, headers=tenant.headers)).json()

    assert body["error"] == {"message": "The message was not sent: expired"} | dict.fromkeys(
        ("code", "subcode", "type", "details", "fbtrace_id")
    )
    assert body["code"] == "expired"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInputError("template.body.variables: expected 3 values, got 2"), 400),
        (InsufficientCreditsError("The user has no credits left"), 402),
        (BusUnavailableError("The broker is away"), 503),
    ],
)
async def test_an_error_of_messagings_keeps_its_words(
    gateway: Gateway, tenant: Tenant, error: Any, status: int
) -> None:
    gateway.messaging.error = error

    response = await gateway.private.post(tenant.url, json=HELLO, headers=tenant.headers)
    body = await response.json()

    assert (response.status, body["success"], body["error"]) == (status, False, error.message)
    assert ("Retry-After" in response.headers) is (status == 503)


async def test_unknown_fields_are_ignored_and_named(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.outcome = {"warnings": ["window_closed"]}
    body = HELLO | {"priority": "high", "contact": {"nick": "Jo"}}

    response = await gateway.private.post(tenant.url, json=body, headers=tenant.headers)

    assert (await response.json())["data"]["warnings"] == [
        "window_closed",
        "ignored_field: priority",
        "ignored_field: contact.nick",
    ]


async def test_two_tenants_do_not_reach_each_others_numbers(gateway: Gateway, tenant: Tenant) -> None:
    other = await make_tenant(gateway, "usr_2")

    response = await gateway.private.post(other.url, json=HELLO, headers=tenant.headers)

    assert response.status == 403
    assert gateway.messaging.sends == []


async def test_requests_at_the_same_moment_keep_apart(gateway: Gateway, tenant: Tenant) -> None:
    bodies = [HELLO | {"text": f"number {number}"} for number in range(20)]

    answers = await asyncio.gather(
        *(gateway.public.post(tenant.url, json=body, headers=tenant.headers) for body in bodies)
    )

    ids = [(await answer.json())["data"]["message_id"] for answer in answers]
    texts = {sent.message_id: sent.content for sent in gateway.messaging.sends}
    assert [texts[message_id] for message_id in ids] == [TextContent(text=body["text"]) for body in bodies]
