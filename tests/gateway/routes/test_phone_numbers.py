"""`/api/v1/phone-numbers`."""

from typing import Any

import pytest

from services.gateway.settings import GatewaySettings
from shared.errors import ConflictError
from tests.gateway.conftest import ENVIRONMENT, Gateway

NUMBER = {
    "user_id": "usr_456",
    "platform": "whatsapp",
    "meta_phone_number_id": "1234567890",
    "access_token": "EAAxxxx-canary",
    "display_name": "+1 (234) 567-8900",
    "waba_id": "9876543210",
}
KEYS = ["id", "user_id", "platform", "meta_phone_number_id", "display_name", "waba_id", "created_at", "updated_at"]
META_ID = "must have 1 to 64 letters, digits, _ or -"


@pytest.fixture(autouse=True)
async def user(gateway: Gateway) -> None:
    """The owner."""
    await gateway.private.post("/api/v1/users", json={"user_id": "usr_456", "email": "a@example.com"})


async def test_a_number_is_added_and_shown_as_documented(gateway: Gateway) -> None:
    created = await gateway.private.post("/api/v1/phone-numbers", json=NUMBER)
    made = (await created.json())["data"]
    shown = (await (await gateway.private.get(f"/api/v1/phone-numbers/{made['id']}")).json())["data"]
    listed = (await (await gateway.private.get("/api/v1/phone-numbers?user_id=usr_456")).json())["data"]

    assert (created.status, list(made)) == (201, KEYS)
    assert {name: made[name] for name in NUMBER if name != "access_token"} == {
        name: value for name, value in NUMBER.items() if name != "access_token"
    }
    assert shown == made | {"agent": None, "messages_per_second": 80, "quality_rating": None, "enforce_window": False}
    assert listed == [made]


async def test_the_token_is_sealed_for_the_numbers_document_and_never_shown(gateway: Gateway) -> None:
    answer = await (await gateway.private.post("/api/v1/phone-numbers", json=NUMBER)).text()

    ((number_id, command),) = gateway.messaging.numbers.items()
    ring = GatewaySettings.from_env(ENVIRONMENT).key_ring
    assert command.sealed_access_token is not None
    assert ring.open(command.sealed_access_token, owner_id=number_id, field="access_token") == "EAAxxxx-canary"
    assert "canary" not in answer + str(gateway.bus.sent)


async def test_an_instagram_account_needs_no_waba(gateway: Gateway) -> None:
    body = NUMBER | {"platform": "instagram", "waba_id": None}

    response = await gateway.private.post("/api/v1/phone-numbers", json=body)

    assert (response.status, (await response.json())["data"]["waba_id"]) == (201, None)


@pytest.mark.parametrize(
    ("query", "count"), [("", 2), ("&platform=whatsapp", 1), ("&platform=instagram", 1), ("&platform=webchat", 0)]
)
async def test_the_list_can_be_narrowed_to_a_platform(gateway: Gateway, query: str, count: int) -> None:
    for change in ({}, {"platform": "instagram", "meta_phone_number_id": "17841"}):
        await gateway.private.post("/api/v1/phone-numbers", json=NUMBER | change)

    response = await gateway.private.get(f"/api/v1/phone-numbers?user_id=usr_456{query}")

    assert len((await response.json())["data"]) == count


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "user_id query parameter is required"),
        ("?user_id=", "user_id query parameter is required"),
        ("?user_id=a%20b", "user_id query parameter must have 1 to 128 letters, digits or _ . : + @ -"),
        ("?user_id=x&platform=telegram", "platform query parameter must be one of whatsapp, instagram, webchat"),
    ],
)
async def test_a_wrong_query_names_the_parameter(gateway: Gateway, query: str, message: str) -> None:
    response = await gateway.private.get(f"/api/v1/phone-numbers{query}")

    assert (response.status, (await response.json())["message"]) == (400, message)


async def test_the_list_of_an_unknown_user_is_empty(gateway: Gateway) -> None:
    response = await gateway.private.get("/api/v1/phone-numbers?user_id=usr_nobody")

    assert (response.status, (await response.json())["data"]) == (200, [])


@pytest.mark.parametrize("number_id", ["pn_nobody", "a" * 300, "a%20b"])
async def test_an_unknown_number_is_a_404(gateway: Gateway, number_id: str) -> None:
    response = await gateway.private.get(f"/api/v1/phone-numbers/{number_id}")

    assert (response.status, (await response.json())["message"]) == (404, "Phone number not found")


async def test_a_number_needs_a_known_user(gateway: Gateway) -> None:
    response = await gateway.private.post("/api/v1/phone-numbers", json=NUMBER | {"user_id": "usr_nobody"})

    assert (response.status, (await response.json())["message"]) == (404, "User not found")
    assert gateway.messaging.numbers == {}


async def test_a_conflict_of_messagings_keeps_its_words(gateway: Gateway) -> None:
    gateway.messaging.error = ConflictError("This phone number belongs to another user")

    response = await gateway.private.post("/api/v1/phone-numbers", json=NUMBER)
    body = await response.json()

    assert (response.status, body["error"]) == (409, "Conflict")
    assert body["message"] == "This phone number belongs to another user"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"waba_id": None},
            "waba_id is required for WhatsApp phone numbers (needed for template management)",
        ),
        ({"waba_id": ""}, "waba_id is required for WhatsApp phone numbers (needed for template management)"),
        ({"waba_id": "../1"}, f"waba_id {META_ID}"),
        ({"user_id": None}, "user_id is required"),
        ({"platform": None}, "platform is required"),
        ({"platform": "telegram"}, "platform must be 'whatsapp' or 'instagram'"),
        ({"platform": "webchat"}, "platform must be 'whatsapp' or 'instagram'"),
        ({"meta_phone_number_id": None}, "meta_phone_number_id is required"),
        ({"meta_phone_number_id": 1234567890}, "meta_phone_number_id must be a string"),
        ({"meta_phone_number_id": "1/../2"}, f"meta_phone_number_id {META_ID}"),
        ({"access_token": None}, "access_token is required"),
        ({"access_token": ""}, "access_token must have 1 to 4096 printable characters without spaces"),
        ({"access_token": "EAA\r\nX: y"}, "access_token must have 1 to 4096 printable characters without spaces"),
        ({"display_name": ["x"]}, "display_name must be a string"),
    ],
)
async def test_a_wrong_body_names_the_field(gateway: Gateway, change: dict[str, Any], message: str) -> None:
    response = await gateway.private.post("/api/v1/phone-numbers", json=NUMBER | change)
    body = await response.json()

    assert (response.status, body["error"], body["message"]) == (400, "Bad Request", message)
    assert gateway.messaging.numbers == {}
