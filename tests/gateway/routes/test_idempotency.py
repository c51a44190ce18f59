"""`Idempotency-Key`: the same request twice does its work once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.errors import BusUnavailableError, ConflictError, WaapiError
from tests.eventually import eventually
from tests.gateway.conftest import Gateway, Tenant, admin_token, make_tenant

HELLO = {"to": "+919876543210", "type": "text", "text": "Hello"}
KEY = {"Idempotency-Key": "order-1"}
META_ERROR = {"message": "refused", "code": 131030}


def operator() -> dict[str, str]:
    """An operator's credential."""
    return {"Authorization": f"Bearer {admin_token()}"}


async def send(gateway: Gateway, tenant: Tenant, **change: Any) -> tuple[int, bytes, str | None]:
    """Send with the key; status, exact body, and whether it is a replay."""
    response = await gateway.public.post(tenant.url, json=HELLO | change, headers=tenant.headers | KEY)
    return response.status, await response.read(), response.headers.get("Idempotent-Replayed")


async def test_a_repetition_gets_the_same_bytes_and_sends_nothing(gateway: Gateway, tenant: Tenant) -> None:
    first = await send(gateway, tenant)
    second = await send(gateway, tenant)

    assert (first[0], first[2]) == (200, None)
    assert second == (200, first[1], "true")
    assert len(gateway.messaging.sends) == 1


async def test_the_key_works_across_both_listeners(gateway: Gateway, tenant: Tenant) -> None:
    first = await send(gateway, tenant)
    second = await gateway.private.post(tenant.url, json=HELLO, headers=tenant.headers | KEY)

    assert await second.read() == first[1]


async def test_another_body_under_the_same_key_is_a_422(gateway: Gateway, tenant: Tenant) -> None:
    await send(gateway, tenant)
    status, body, _ = await send(gateway, tenant, text="Other")

    assert (status, b"idempotency_key_reused" in body) == (422, True)
    assert len(gateway.messaging.sends) == 1


async def test_without_the_header_nothing_is_recorded(gateway: Gateway, tenant: Tenant) -> None:
    for _ in range(2):
        await gateway.public.post(tenant.url, json=HELLO, headers=tenant.headers)

    assert len({command.message_id for command in gateway.messaging.sends}) == 2
    assert await gateway.database.idempotency_keys.count_documents({}) == 0


async def test_twenty_at_the_same_moment_send_once(gateway: Gateway, tenant: Tenant) -> None:
    answers = await asyncio.gather(*(send(gateway, tenant) for _ in range(20)))

    assert {status for status, _, _ in answers} <= {200, 409}
    assert len({command.message_id for command in gateway.messaging.sends}) == 1
    assert len(gateway.messaging.sends) == 1


async def test_a_second_call_within_the_lease_is_a_409_that_says_when_to_come_back(
    gateway: Gateway, tenant: Tenant
) -> None:
    gateway.messaging.may_answer = may_answer = asyncio.Event()
    first = asyncio.create_task(send(gateway, tenant))
    await eventually(lambda: gateway.messaging.sends)
    second = await gateway.public.post(tenant.url, json=HELLO, headers=tenant.headers | KEY)
    may_answer.set()

    assert (second.status, (await second.json())["code"]) == (409, "idempotency_in_progress")
    assert 1 <= int(second.headers["Retry-After"]) <= 31
    assert (await first)[0] == 200


async def test_a_run_that_died_is_run_again_with_the_same_ids(gateway: Gateway, tenant: Tenant) -> None:
    await send(gateway, tenant)
    past = utc_now() - timedelta(seconds=1)
    await gateway.database.idempotency_keys.update_one(
        {}, {"$set": {"status": None, "sealed_body": None, "lease_until": past}}
    )

    again = await send(gateway, tenant)

    assert (again[0], again[2]) == (200, None)
    assert gateway.messaging.sends[0].message_id == gateway.messaging.sends[1].message_id


@pytest.mark.parametrize(
    ("error", "status", "replayed"),
    [
        (BusUnavailableError("away"), 503, None),
        (ConflictError("not now"), 409, None),
        (WaapiError("?"), 500, None),
    ],
)
async def test_what_may_change_by_waiting_is_not_kept(
    gateway: Gateway, tenant: Tenant, error: WaapiError, status: int, replayed: str | None
) -> None:
    gateway.messaging.error = error
    first = await send(gateway, tenant)
    gateway.messaging.error = None
    second = await send(gateway, tenant)

    assert (first[0], second[0], second[2]) == (status, 200, replayed)
    assert len({command.message_id for command in gateway.messaging.sends}) == 1


async def test_after_a_202_a_repetition_is_told_the_present_state(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.outcome = {"status": "queued", "wa_message_id": None}
    first = await send(gateway, tenant)
    gateway.messaging.outcome = {}
    second = await send(gateway, tenant)

    assert (first[0], second[0], second[2]) == (202, 200, None)
    assert gateway.messaging.sends[0].message_id == gateway.messaging.sends[1].message_id


async def test_metas_refusal_is_kept(gateway: Gateway, tenant: Tenant) -> None:
    gateway.messaging.outcome = {"status": "failed", "wa_message_id": None, "error": META_ERROR}
    first = await send(gateway, tenant)
    gateway.messaging.outcome = {}
    second = await send(gateway, tenant)

    assert (first[0], second) == (502, (502, first[1], "true"))


async def test_a_wrong_body_is_kept_and_a_missing_permission_is_not(gateway: Gateway, tenant: Tenant) -> None:
    wrong = await send(gateway, tenant, to="x")
    repeated = await send(gateway, tenant, to="x")
    await gateway.database.idempotency_keys.delete_many({})
    await gateway.database.api_keys.update_one({}, {"$set": {"permissions": []}})
    refused = await send(gateway, tenant)
    await gateway.database.api_keys.update_one({}, {"$set": {"permissions": ["send_text"]}})

    assert (wrong[0], repeated) == (400, (400, wrong[1], "true"))
    assert (refused[0], (await send(gateway, tenant))[0]) == (403, 200)


async def test_two_callers_may_use_the_same_key(gateway: Gateway, tenant: Tenant) -> None:
    other = await make_tenant(gateway, "usr_2")

    await send(gateway, tenant)
    second = await send(gateway, other, text="Other")

    assert (second[0], second[2]) == (200, None)


async def test_a_record_over_a_day_old_counts_as_none(gateway: Gateway, tenant: Tenant) -> None:
    await send(gateway, tenant)
    await gateway.database.idempotency_keys.update_one({}, {"$set": {"expires_at": utc_now()}})

    status, _, replayed = await send(gateway, tenant, text="Other")

    assert (status, replayed) == (200, None)


@pytest.mark.parametrize("key", ["", "a" * 256, "schlüssel"])
async def test_a_key_of_another_form_is_a_400(gateway: Gateway, tenant: Tenant, key: str) -> None:
    response = await gateway.public.post(tenant.url, json=HELLO, headers=tenant.headers | {"Idempotency-Key": key})

    assert (response.status, (await response.json())["code"]) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize(
    ("path", "body", "same"),
    [
        ("/api/v1/users", {"user_id": "usr_9", "email": "nine@example.com"}, "user_id"),
        (
            "/api/v1/phone-numbers",
            {"user_id": "usr_1", "platform": "instagram", "meta_phone_number_id": "17841", "access_token": "EAA"},
            "id",
        ),
        ("/admin/api-keys", {"user_id": "usr_1", "phone_number_id": "…", "name": "Second"}, "token"),
    ],
)
async def test_a_creation_that_died_before_its_answer_makes_the_same_thing_again(
    gateway: Gateway, tenant: Tenant, path: str, body: dict[str, Any], same: str
) -> None:
    sent = body | ({"phone_number_id": tenant.phone_number_id} if "phone_number_id" in body else {})

    async def create() -> tuple[int, Any]:
        headers = KEY | (operator() if path.startswith("/admin") else {})
        response = await gateway.private.post(path, json=sent, headers=headers)
        return response.status, (await response.json())["data"][same]

    first = await create()
    await gateway.database.idempotency_keys.update_one(
        {}, {"$set": {"status": None, "sealed_body": None, "lease_until": utc_now()}}
    )

    assert await create() == first
    assert first[0] == 201


async def test_no_secret_rests_in_a_record(gateway: Gateway, tenant: Tenant) -> None:
    body = {"user_id": "usr_1", "phone_number_id": tenant.phone_number_id, "name": "Second"}
    response = await gateway.private.post("/admin/api-keys", json=body, headers=KEY | operator())
    token = (await response.json())["data"]["token"]

    records = str([record async for record in gateway.database.idempotency_keys.find()])

    assert token[-49:-6] not in records
    assert "order-1" not in records
