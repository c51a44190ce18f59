"""`/api/v1/users`."""

import asyncio
import re
from typing import Any

import pytest

from tests.gateway.conftest import Gateway

ACME = {"user_id": "usr_abc123def456", "email": "business@example.com", "company_name": "Acme Inc"}


async def test_a_user_is_created_and_shown_as_documented(gateway: Gateway) -> None:
    created = await gateway.private.post("/api/v1/users", json=ACME)
    shown = await gateway.private.get("/api/v1/users/usr_abc123def456")
    made, found = (await created.json())["data"], (await shown.json())["data"]

    assert (created.status, shown.status) == (201, 200)
    assert list(made) == ["user_id", "email", "company_name", "created_at", "updated_at"]
    assert {name: made[name] for name in ACME} == ACME
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["created_at"])
    assert list(found) == ["user_id", "email", "company_name", "credits", "created_at", "updated_at"]
    assert found["credits"] == {"remaining_credits": 100, "total_used": 50}


async def test_a_company_name_may_be_left_out(gateway: Gateway) -> None:
    response = await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})

    assert (await response.json())["data"]["company_name"] is None


@pytest.mark.parametrize(
    "second",
    [
        {"user_id": "usr_abc123def456", "email": "new@example.com"},
        {"user_id": "usr_2", "email": "Business@Example.com"},
    ],
)
async def test_an_id_or_an_address_that_is_taken_is_a_conflict(gateway: Gateway, second: dict[str, Any]) -> None:
    await gateway.private.post("/api/v1/users", json=ACME)

    response = await gateway.private.post("/api/v1/users", json=second)
    body = await response.json()

    assert (response.status, body["success"], body["error"]) == (409, False, "Conflict")
    assert body["message"] == "User with this user_id or email already exists"


async def test_of_many_at_the_same_moment_one_is_created(gateway: Gateway) -> None:
    responses = await asyncio.gather(*(gateway.private.post("/api/v1/users", json=ACME) for _ in range(10)))

    assert sorted(response.status for response in responses) == [201] + [409] * 9


@pytest.mark.parametrize("user_id", ["usr_nobody", "a" * 200, "%24where", "%00", "a%20b", "..%2Fx"])
async def test_an_unknown_user_is_a_404(gateway: Gateway, user_id: str) -> None:
    response = await gateway.private.get(f"/api/v1/users/{user_id}")

    assert (response.status, (await response.json())["message"]) == (404, "User not found")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "user_id is required"),
        (ACME | {"user_id": ""}, "user_id must have 1 to 128 letters, digits or _ . : + @ -"),
        (ACME | {"user_id": {"$ne": None}}, "user_id must be a string"),
        (ACME | {"user_id": "a b"}, "user_id must have 1 to 128 letters, digits or _ . : + @ -"),
        (ACME | {"user_id": "a" * 129}, "user_id must have 1 to 128 letters, digits or _ . : + @ -"),
        (ACME | {"email": None}, "email is required"),
        (ACME | {"email": "nobody"}, "email must be an e-mail address, e.g. ravi@example.com"),
        (ACME | {"email": "a@b@c"}, "email must be an e-mail address, e.g. ravi@example.com"),
        (ACME | {"email": "a@" + "b" * 300}, "email must be an e-mail address, e.g. ravi@example.com"),
        (ACME | {"company_name": 5}, "company_name must be a string"),
        (ACME | {"company_name": "a" * 201}, "company_name must have at most 200 characters"),
    ],
)
async def test_a_wrong_body_names_the_field_and_creates_nothing(
    gateway: Gateway, body: dict[str, Any], message: str
) -> None:
    response = await gateway.private.post("/api/v1/users", json=body)

    assert (response.status, (await response.json())["message"]) == (400, message)
    assert await gateway.database.users.count_documents({}) == 0
