"""The vendor's receiver: it verifies both signatures and keeps what came."""

import base64
import hashlib
import hmac
import json
import time

import pytest
import standardwebhooks

from tests.eventually import eventually

from .conftest import Sandbox, error_of

KEY = base64.b64encode(b"thirty-two bytes of a secret key").decode()
SECRET = f"whsec_{KEY}"
EVENT = {"event": "message.sent", "event_id": "evt_1"}


def signed(body: bytes, **change: str) -> dict[str, str]:
    now = int(time.time())
    key = base64.b64decode(KEY)
    standard = hmac.new(key, f"evt_1.{now}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "X-Webhook-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": "v1,b2xk v1," + base64.b64encode(standard).decode(),
    }
    return {name: value for name, value in (headers | change).items() if value}


async def deliver(sandbox: Sandbox, body: bytes, headers: dict[str, str], path: str = "/receiver/demo") -> int:
    async with sandbox.client.post(path, data=body, headers=headers) as answer:
        return answer.status


async def test_a_delivery_with_both_signatures_is_verified(sandbox: Sandbox) -> None:
    body = json.dumps(EVENT).encode()
    await sandbox.call("PUT", "/_sandbox/receiver", {"secret": SECRET})

    status = await deliver(sandbox, body, signed(body))

    (delivery,) = (await sandbox.get("/_sandbox/receiver"))["deliveries"]
    assert (status, delivery["verified"], delivery["problems"]) == (200, True, [])
    assert (delivery["path"], delivery["body"]) == ("/receiver/demo", body.decode())
    assert delivery["headers"]["webhook-id"] == "evt_1"
    standardwebhooks.Webhook(SECRET).verify(delivery["body"], delivery["headers"])


BAD = {
    "hex of another body": {"X-Webhook-Signature": hmac.new(SECRET.encode(), b"x", hashlib.sha256).hexdigest()},
    "upper-case hex": {"X-Webhook-Signature": hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest().upper()},
    "no hex": {"X-Webhook-Signature": ""},
    "no standard signature": {"webhook-signature": ""},
    "old timestamp": {"webhook-timestamp": "1700000000"},
    "another id": {"webhook-id": "evt_2"},
    "no id": {"webhook-id": ""},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
async def test_a_delivery_with_a_bad_signature_is_kept_and_not_verified(
    sandbox: Sandbox, change: dict[str, str]
) -> None:
    await sandbox.call("PUT", "/_sandbox/receiver", {"secret": SECRET})

    await deliver(sandbox, b"{}", signed(b"{}", **change))

    (delivery,) = (await sandbox.get("/_sandbox/receiver"))["deliveries"]
    assert (delivery["verified"], len(delivery["problems"])) == (False, 1)


async def test_without_a_secret_nothing_is_verified(sandbox: Sandbox) -> None:
    await deliver(sandbox, b"{}", signed(b"{}"))

    (delivery,) = (await sandbox.get("/_sandbox/receiver"))["deliveries"]
    assert delivery["problems"] == ["no secret is known for this path"]


async def test_the_receiver_answers_as_told_and_keeps_what_it_refuses(sandbox: Sandbox) -> None:
    await sandbox.call("PUT", "/_sandbox/receiver", {"secret": SECRET})

    settings = await sandbox.call("PUT", "/_sandbox/receiver", {"status": 503, "delay_ms": 1})
    status = await deliver(sandbox, b"{}", {})

    assert settings == (200, {"secret": SECRET, "status": 503, "delay_ms": 1.0})
    assert status == 503
    assert len((await sandbox.get("/_sandbox/receiver"))["deliveries"]) == 1


async def test_one_path_may_have_a_secret_and_an_answer_of_its_own(sandbox: Sandbox) -> None:
    await sandbox.call("PUT", "/_sandbox/receiver", {"secret": SECRET, "path": "/receiver/one"})
    await sandbox.call("PUT", "/_sandbox/receiver", {"status": 410, "path": "/receiver/two"})

    one = await deliver(sandbox, b"{}", signed(b"{}"), "/receiver/one")
    two = await deliver(sandbox, b"{}", signed(b"{}"), "/receiver/two")

    deliveries = (await sandbox.get("/_sandbox/receiver?path=/receiver/one"))["deliveries"]
    assert (one, two) == (200, 410)
    assert [delivery["verified"] for delivery in deliveries] == [True]


async def test_the_summary_counts_events_and_duplicates(sandbox: Sandbox) -> None:
    await sandbox.call("PUT", "/_sandbox/receiver", {"secret": SECRET})
    for event_id in ("evt_1", "evt_1", "evt_2"):
        body = json.dumps(EVENT | {"event_id": event_id}).encode()
        await deliver(sandbox, body, signed(body))
    await deliver(sandbox, b"not json", {})

    summary = await sandbox.get("/_sandbox/receiver?summary=true")

    assert summary == {"count": 4, "verified": 3, "event_ids_distinct": 2, "duplicates": 1}


async def test_a_bad_setting_is_named(sandbox: Sandbox) -> None:
    answer = await sandbox.call("PUT", "/_sandbox/receiver", {"status": "ok"})

    assert (answer[0], error_of(answer)["field"]) == (400, "status")


async def test_a_link_to_this_machine_is_fetched_and_a_bad_one_fails_the_message(sandbox: Sandbox) -> None:
    link = str(sandbox.client.make_url("/healthz"))

    status, _ = await sandbox.send({"type": "image", "image": {"link": link}})
    await eventually(lambda: sandbox.product.status_names() == ["failed"])

    assert status == 200
    assert sandbox.product.statuses()[0]["errors"][0]["code"] == 131053
