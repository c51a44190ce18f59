"""`/admin/webhooks`."""

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.gateway.settings import GatewaySettings
from shared.contracts import subscriptions, webhooks
from shared.contracts.base import Done
from shared.errors import InvalidInputError, NotFoundError
from tests.gateway.conftest import ENVIRONMENT, NOON, Gateway

HOOK = {"user_id": "usr_1", "url": "https://shop.example.com/hook", "events": ["message.sent", "message.sent"]}


@dataclass
class WebhooksStandIn:
    """Answers what the gateway asks of webhooks."""

    kept: dict[str, webhooks.CreateSubscription] = field(default_factory=dict)

    async def create(self, command: webhooks.CreateSubscription) -> webhooks.Subscription:
        """Keep the command, unless its URL is one that is refused."""
        if "forbidden" in command.url:
            raise InvalidInputError("url points to an address that may not be called")
        self.kept[command.webhook_id] = command
        return _shown(command)

    async def list(self, query: webhooks.ListSubscriptions) -> webhooks.Subscriptions:
        """A user's."""
        found = [command for command in self.kept.values() if command.user_id == query.user_id]
        return webhooks.Subscriptions(items=tuple(_shown(command) for command in found))

    async def event_types(self, _query: subscriptions.ListEventTypes) -> subscriptions.EventTypes:
        """One."""
        kind = subscriptions.EventType(name="message.sent", description="Sent.", body_schema={}, example={"event": ""})
        return subscriptions.EventTypes(items=(kind,))

    async def delete(self, command: webhooks.DeleteSubscription) -> Done:
        """Forget it."""
        if self.kept.pop(command.webhook_id, None) is None:
            raise NotFoundError("Webhook not found")
        return Done()


def _shown(command: webhooks.CreateSubscription) -> webhooks.Subscription:
    return webhooks.Subscription(
        webhook_id=command.webhook_id,
        user_id=command.user_id,
        url=command.url,
        events=command.events,
        status="active",
        description=command.description,
        header_names=command.header_names,
        created_at=NOON,
    )


@pytest.fixture
async def service(gateway: Gateway) -> WebhooksStandIn:
    """The stand-in, registered, and a user."""
    standing_in = WebhooksStandIn()
    gateway.bus.on(webhooks.CreateSubscription, standing_in.create)
    gateway.bus.on(webhooks.ListSubscriptions, standing_in.list)
    gateway.bus.on(webhooks.DeleteSubscription, standing_in.delete)
    await gateway.private.post("/api/v1/users", json={"user_id": "usr_1", "email": "a@example.com"})
    return standing_in


async def test_a_webhook_is_created_with_a_secret_shown_once(gateway: Gateway, service: WebhooksStandIn) -> None:
    response = await gateway.admin("POST", "/admin/webhooks", json=HOOK)
    made = (await response.json())["data"]
    listed = (await (await gateway.admin("GET", "/admin/webhooks?user_id=usr_1")).json())["data"]

    assert response.status == 201
    assert list(made)[:6] == ["webhook_id", "url", "events", "status", "description", "secret"]
    assert (made["events"], made["status"], made["created_at"]) == (
        ["message.sent"],
        "active",
        "2026-11-21T12:00:00.000Z",
    )
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]


async def test_the_secret_travels_sealed_for_its_document(gateway: Gateway, service: WebhooksStandIn) -> None:
    made = (await (await gateway.admin("POST", "/admin/webhooks", json=HOOK)).json())["data"]

    sealed = service.kept[made["webhook_id"]].sealed_secret
    ring = GatewaySettings.from_env(ENVIRONMENT).key_ring
    assert ring.open(sealed, owner_id=made["webhook_id"], field="secret") == made["secret"]


async def test_a_webhook_is_deleted_once(gateway: Gateway, service: WebhooksStandIn) -> None:
    made = (await (await gateway.admin("POST", "/admin/webhooks", json=HOOK)).json())["data"]

    deleted = await gateway.admin("DELETE", f"/admin/webhooks/{made['webhook_id']}")
    again = await gateway.admin("DELETE", f"/admin/webhooks/{made['webhook_id']}")

    assert (deleted.status, (await deleted.json())["message"]) == (200, "Webhook deleted successfully")
    assert (again.status, (await again.json())["message"]) == (404, "Webhook not found")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"user_id": None}, 400, "user_id is required"),
        ({"user_id": "usr_nobody"}, 404, "User not found"),
        ({"url": None}, 400, "url is required"),
        ({"url": 5}, 400, "url must be a string"),
        ({"url": "a" * 2049}, 400, "url must have at most 2048 characters"),
        ({"url": "https://forbidden"}, 400, "url points to an address that may not be called"),
        ({"events": None}, 400, "events is required"),
        ({"events": []}, 400, "events must not be empty"),
        ({"events": "message.sent"}, 400, "events must be an array"),
        ({"events": [5]}, 400, "events[0] must be a string"),
        ({"description": "a" * 501}, 400, "description must have at most 500 characters"),
        ({"channels": ["sms"]}, 400, "channels[0] must be 'whatsapp', 'instagram' or 'webchat'"),
        ({"ordered": "yes"}, 400, "ordered must be true or false"),
        ({"phone_number_ids": ["a b"]}, 400, "phone_number_ids[0] must have 1 to 128 letters, digits or _ . : + @ -"),
        ({"headers": {"Host": "x"}}, 400, "headers.Host is a header that we set ourselves"),
        ({"headers": {"webhook-id": "x"}}, 400, "headers.webhook-id is a header that we set ourselves"),
        ({"headers": {"X-A": "a\r\nb"}}, 400, "headers.X-A must have at most 1000 printable ASCII characters"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, 400, "headers.x-a is used twice"),
        ({"headers": {"bad name": "1"}}, 400, "headers must have names of letters, digits and - only"),
    ],
)
async def test_a_wrong_body_names_the_field_and_subscribes_nobody(
    gateway: Gateway, service: WebhooksStandIn, change: dict[str, Any], status: int, message: str
) -> None:
    response = await gateway.admin("POST", "/admin/webhooks", json=HOOK | change)

    assert (response.status, (await response.json())["message"]) == (status, message)
    assert service.kept == {}
