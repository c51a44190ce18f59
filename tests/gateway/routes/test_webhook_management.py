"""Vendor webhooks as an operator manages them: the gateway with the webhooks service itself behind it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from services.gateway.settings import GatewaySettings
from services.webhooks.clients.vendor import VendorClient
from services.webhooks.domain.signing import hex_signature
from services.webhooks.outbound import Outbound
from shared.clock import iso_millis, utc_now
from shared.contracts.messaging import MessagesSent
from shared.outbound.guard import UrlGuard
from tests.gateway.conftest import ENVIRONMENT, Gateway, admin_token
from tests.webhooks.receiver import Receiver, answering
from tests.webhooks.stage import LOCAL, ManualClock, sent, sent_message


@dataclass
class Management:
    """The gateway, the service behind it, and a vendor."""

    gateway: Gateway
    receiver: Receiver
    outbound: Outbound
    clock: ManualClock

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """An operator's request; its data (or the whole answer where there is none)."""
        if method == "POST":
            options.setdefault("json", {})
        response = await self.gateway.admin(method, path, **options)
        body = await response.json()
        assert response.status == status, body
        return body.get("data", body)

    async def subscribe(self, **body: Any) -> dict[str, Any]:
        """A new webhook of usr_1's, which hears everything."""
        wanted = {"user_id": "usr_1", "url": self.receiver.url(), "events": ["*"]} | body
        made: dict[str, Any] = await self.call("POST", "/admin/webhooks", 201, json=wanted)
        return made

    async def publish(self, *numbers: int) -> None:
        """Have messages sent, and wait until all that can be told is told."""
        await self.gateway.bus.publish(sent(*numbers))
        await self.settle()

    async def settle(self) -> None:
        """All that is due now."""
        await self.outbound.log.go_on_with_replays()
        await self.outbound.lanes.sweep()
        while await self.outbound.lanes.rested():
            await self.outbound.lanes.sweep()


@pytest.fixture
async def management(gateway: Gateway) -> AsyncIterator[Management]:
    """With a user."""
    guard, clock = UrlGuard(LOCAL), ManualClock(utc_now())
    ring = GatewaySettings.from_env(ENVIRONMENT).key_ring
    async with AsyncExitStack() as stack:
        stack.push_async_callback(guard.resolver.close)
        receiver = await stack.enter_async_context(Receiver.running())
        vendor = await stack.enter_async_context(VendorClient.opened(guard, user_agent="test"))
        outbound = await Outbound.built(
            gateway.database, gateway.bus, vendor, guard, keys=ring, now=clock, linger_seconds=0
        )
        await stack.enter_async_context(outbound.lanes.running())
        await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})
        yield Management(gateway, receiver, outbound, clock)


async def test_a_webhook_is_changed_field_by_field(management: Management) -> None:
    made = await management.subscribe(description="orders", headers={"Authorization": "Bearer canary"})
    path = f"/admin/webhooks/{made['webhook_id']}"

    changed = await management.call("PATCH", path, json={"events": ["message.read"], "channels": ["instagram"]})
    cleared = await management.call("PATCH", path, json={"description": "", "channels": []})

    assert (changed["events"], changed["channels"], changed["description"]) == (
        ["message.read"],
        ["instagram"],
        "orders",
    )
    assert (cleared["events"], cleared["channels"], cleared["description"]) == (["message.read"], [], None)
    assert cleared == await management.call("GET", path)
    assert cleared["header_names"] == ["Authorization"]
    assert "secret" not in cleared
    assert "canary" not in json.dumps(cleared)


async def test_custom_headers_reach_the_vendor_beside_ours(management: Management) -> None:
    made = await management.subscribe(headers={"Authorization": "Bearer mine", "X-Shop": "7"})
    await management.publish(1)

    (post,) = management.receiver.posts
    assert (post.headers["Authorization"], post.headers["X-Shop"]) == ("Bearer mine", "7")
    assert post.headers["X-Webhook-Signature"] == hex_signature(post.body, made["secret"])


async def test_for_a_day_after_rotation_both_secrets_verify_with_both_public_libraries(management: Management) -> None:
    made = await management.subscribe()
    rotated = await management.call("POST", f"/admin/webhooks/{made['webhook_id']}/rotate-secret")
    await management.publish(1)
    management.clock.pass_by(hours=24, seconds=1)
    await management.publish(2)

    during, afterwards = management.receiver.posts
    for secret in (made["secret"], rotated["secret"]):
        assert Webhook(secret).verify(during.body, dict(during.headers))["event_id"] == sent_message(1).id
        SvixWebhook(secret).verify(during.body, dict(during.headers))  # raises where it does not hold
    assert during.headers["X-Webhook-Signature"] == hex_signature(during.body, rotated["secret"])
    assert during.headers["X-Webhook-Signature-Previous"] == hex_signature(during.body, made["secret"])
    assert len(base64.b64decode(rotated["secret"].removeprefix("whsec_"))) == 32
    assert "X-Webhook-Signature-Previous" not in afterwards.headers
    assert len(afterwards.headers["webhook-signature"].split()) == 1


async def test_a_repeated_rotation_gives_the_same_secret_and_keeps_the_former_one(management: Management) -> None:
    made = await management.subscribe()
    path, key = f"/admin/webhooks/{made['webhook_id']}/rotate-secret", {"Idempotency-Key": "r1"}
    token = {"Authorization": _token()} | key

    first, second = [await management.gateway.private.post(path, headers=token, json={}) for _ in range(2)]
    await management.publish(1)

    assert await first.read() == await second.read()
    assert management.receiver.posts[0].headers["X-Webhook-Signature-Previous"] == hex_signature(
        management.receiver.posts[0].body, made["secret"]
    )


async def test_a_test_event_is_delivered_and_stands_in_the_log_with_request_and_response(
    management: Management,
) -> None:
    made = await management.subscribe(events=["button.clicked"])
    management.receiver.answers["/hook"] = answering(202, "thanks")

    begun = await management.call("POST", f"/admin/webhooks/{made['webhook_id']}/test")
    await management.settle()
    (logged,) = await management.call("GET", f"/admin/webhooks/{made['webhook_id']}/deliveries")

    (post,) = management.receiver.posts
    assert logged["delivery_id"] == begun["delivery_id"]
    assert (logged["event"], logged["status"], logged["next_attempt_at"]) == ("button.clicked", "delivered", None)
    assert logged["event_id"].startswith("test:button.clicked:")
    assert logged["request"].encode() == post.body
    (attempt,) = logged["attempts"]
    assert (attempt["status_code"], attempt["response"], attempt["error"]) == (202, "thanks", None)
    assert (attempt["url"], attempt["latency_ms"] >= 0) == (management.receiver.url(), True)


async def test_the_log_comes_in_pages_and_is_filtered(management: Management) -> None:
    made = await management.subscribe()
    path = f"/admin/webhooks/{made['webhook_id']}/deliveries"
    for number in range(7):
        management.receiver.answers["/hook"] = answering(500 if number == 3 else 200)
        await management.publish(number)
        management.clock.pass_by(seconds=1)

    seen: list[str] = []
    query = "?limit=3"
    while query:
        page = await (await management.gateway.admin("GET", path + query)).json()
        seen += [delivery["event_id"] for delivery in page["data"]]
        cursor = page["pagination"]["next_cursor"]
        query = f"?limit=3&cursor={cursor}" if cursor else ""
    (pending,) = await management.call("GET", f"{path}?status=pending")
    since = iso_millis(management.clock.now - timedelta(seconds=2)).replace("+", "%2B")

    assert seen == [sent_message(number).id for number in (6, 5, 4, 3, 2, 1, 0)]
    assert pending["event_id"] == sent_message(3).id
    assert len(await management.call("GET", f"{path}?from={since}")) == 2
    assert await management.call("GET", f"{path}?event=message.read") == []


async def test_a_delivery_is_sent_once_more_with_the_same_id_and_a_new_time(management: Management) -> None:
    made = await management.subscribe()
    await management.publish(1)
    management.clock.pass_by(hours=1)
    (logged,) = await management.call("GET", f"/admin/webhooks/{made['webhook_id']}/deliveries")

    await management.call("POST", f"/admin/deliveries/{logged['delivery_id']}/resend")
    await management.settle()

    first, second = management.receiver.posts
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3600
    (logged,) = await management.call("GET", f"/admin/webhooks/{made['webhook_id']}/deliveries")
    assert [attempt["status_code"] for attempt in logged["attempts"]] == [200, 200]


async def test_a_range_is_replayed_at_a_hundred_a_second_and_nothing_beside_it(management: Management) -> None:
    made = await management.subscribe()
    await management.publish(1000)
    management.clock.pass_by(minutes=1)
    begin = management.clock.now
    await management.publish(*range(250))
    management.clock.pass_by(minutes=1)
    end = management.clock.now
    management.receiver.posts.clear()

    body = {"from": iso_millis(begin), "to": iso_millis(end), "events": ["message.sent"]}
    replay = await management.call("POST", f"/admin/webhooks/{made['webhook_id']}/replay", json=body)
    counts = []
    for _ in range(4):
        await management.settle()
        counts.append(len(management.receiver.posts))
        management.clock.pass_by(seconds=1)

    assert (replay["deliveries"], replay["per_second"]) == (250, 100)
    assert counts == [100, 200, 250, 250]
    ids = {post.headers["webhook-id"] for post in management.receiver.posts}
    assert ids == {sent_message(number).id for number in range(250)}


@pytest.mark.parametrize(
    ("request_line", "body", "status", "message"),
    [
        ("GET /admin/webhooks/wh_no", None, 404, "Webhook not found"),
        ("PATCH /admin/webhooks/wh_no", {"status": "paused"}, 404, "Webhook not found"),
        ("PATCH {webhook}", {}, 400, "Nothing to change: give url, events,"),
        ("PATCH {webhook}", {"status": "disabled"}, 400, "status must be 'active' or 'paused'"),
        ("PATCH {webhook}", {"events": ["message.send"]}, 400, "events[0]: 'message.send' is not an event"),
        ("PATCH {webhook}", {"url": "https://10.0.0.1/"}, 400, "url leads to an address"),
        ("POST /admin/webhooks/wh_no/rotate-secret", None, 404, "Webhook not found"),
        ("POST /admin/webhooks/wh_no/test", None, 404, "Webhook not found"),
        ("POST {webhook}/test", {"event": "message.send"}, 400, "event: 'message.send' is not an event"),
        ("POST {webhook}/replay", {"to": "2026-01-01T00:00:00Z"}, 400, "from is required"),
        ("POST {webhook}/replay", {"from": "yesterday", "to": "now"}, 400, "from must be a time such as"),
        (
            "POST {webhook}/replay",
            {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
            400,
            "to: must be later than from",
        ),
        ("GET /admin/webhooks/wh_no/deliveries", None, 404, "Webhook not found"),
        ("GET {webhook}/deliveries?status=lost", None, 400, "status query parameter must be one of"),
        ("GET {webhook}/deliveries?event=nothing", None, 400, "event: 'nothing' is not an event"),
        ("GET {webhook}/deliveries?cursor=%21%21", None, 400, "cursor query parameter must be the next_cursor"),
        ("GET {webhook}/deliveries?cursor=OTk5OTk5OTk5OTk5OTk5OTk5fGE", None, 400, "cursor: is not one of ours"),
        ("GET {webhook}/deliveries?limit=201", None, 400, "limit query parameter must be a whole number"),
        ("GET {webhook}/deliveries?from=noon", None, 400, "from query parameter must be a time such as"),
        ("POST /admin/deliveries/no:such/resend", None, 404, "Delivery not found"),
        ("GET /admin/events/stream", None, 400, "user_id query parameter is required"),
    ],
)
async def test_what_is_wrong_is_said_naming_it(
    management: Management, request_line: str, body: Any, status: int, message: str
) -> None:
    made = await management.subscribe()
    method, _, path = request_line.partition(" ")

    options = {} if method == "GET" else {"json": body or {}}
    response = await management.gateway.admin(
        method, path.format(webhook=f"/admin/webhooks/{made['webhook_id']}"), **options
    )

    assert response.status == status
    assert (await response.json())["message"].startswith(message)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/test", None),
        ("/replay", {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}),
    ],
)
async def test_a_paused_webhook_is_to_be_resumed_first(management: Management, path: str, body: Any) -> None:
    made = await management.subscribe()
    webhook = f"/admin/webhooks/{made['webhook_id']}"
    await management.call("PATCH", webhook, json={"status": "paused"})

    refused = await management.call("POST", webhook + path, 409, **({"json": body} if body else {}))

    assert refused["message"] == "The webhook is paused; set its status to active first"


async def test_event_types_come_with_schema_and_example_to_anybody(management: Management) -> None:
    response = await management.gateway.private.get("/api/v1/event-types")
    kinds = (await response.json())["data"]

    assert response.status == 200
    assert len(kinds) == 18
    assert set(kinds[0]) == {"name", "description", "schema", "example"}
    assert kinds[0]["example"]["event"] == kinds[0]["name"] == "message.sent"


async def test_a_listener_hears_what_happens_from_now_on_and_goes_on_after_a_break(management: Management) -> None:
    await management.publish(1)  # before anybody listens
    headers = {"Authorization": _token()}
    stream = "/admin/events/stream?user_id=usr_1"

    async with management.gateway.private.get(stream, headers=headers) as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b": listening\n"
        await management.gateway.bus.publish(sent(2), _of_another_user())
        heard = await _next_event(response.content)
    await management.gateway.bus.publish(sent(3))
    async with management.gateway.private.get(stream, headers=headers | {"Last-Event-ID": heard["id"]}) as again:
        missed = await _next_event(again.content)

    assert (heard["event"], heard["data"]["event_id"]) == ("message.sent", sent_message(2).id)
    assert missed["data"]["event_id"] == sent_message(3).id


async def test_nothing_is_kept_for_a_listener_who_has_been_silent_for_a_minute(management: Management) -> None:
    headers = {"Authorization": _token()}
    async with management.gateway.private.get("/admin/events/stream?user_id=usr_1", headers=headers) as response:
        await response.content.readline()
    management.clock.pass_by(seconds=61)

    await management.publish(1)

    assert await management.gateway.database["heard_events"].count_documents({}) == 0


def _token() -> str:
    return f"Bearer {admin_token()}"


def _of_another_user() -> MessagesSent:
    return sent(9, user_id="usr_2")


async def _next_event(content: Any) -> dict[str, Any]:
    event: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while "data" not in event:
            name, _, value = (await content.readline()).decode().rstrip("\n").partition(": ")
            if name:
                event[name] = json.loads(value) if name == "data" else value
    return event
