"""`/admin/webhooks`: where a vendor wants to hear what happened."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, required_query_id
from services.gateway.schemas.admin import CreateWebhookBody
from shared.clock import iso_millis
from shared.contracts.webhooks import CreateSubscription, DeleteSubscription, ListSubscriptions, Subscription
from shared.ids import new_id
from shared.sealing import KeyRing
from shared.web.body import parse_body
from shared.web.envelopes import success

_SECRET_BYTES = 32
_LOOK_AT = "GET /admin/webhooks?user_id="


@dataclass(frozen=True, slots=True)
class WebhookRoutes:
    """Vendor webhooks belong to the webhooks service; their secrets are made and sealed here, and shown once."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    key_ring: KeyRing

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.post("/admin/webhooks", self.create_webhook),
            web.get("/admin/webhooks", self.list_webhooks),
            web.delete("/admin/webhooks/{webhook_id}", self.delete_webhook),
        ]

    async def create_webhook(self, request: web.Request) -> web.Response:
        """201 with the secret, which is never shown again."""
        body = await parse_body(request, CreateWebhookBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = self._command(body, fixed["webhook_id"], fixed["secret"])
            made = await self.asking.command(command, look_at=f"{_LOOK_AT}{body.user_id}")
            return success(request, _webhook(made) | {"secret": fixed["secret"]} | _created(made), status=201)

        fixed = {"webhook_id": new_id("wh_"), "secret": _new_secret()}
        return await self.idempotency.run(request, owner=body.user_id, fixed=fixed, work=work)

    async def list_webhooks(self, request: web.Request) -> web.Response:
        """200 with a user's webhooks, without their secrets."""
        user_id = required_query_id(request, "user_id")
        found = await self.asking.query(ListSubscriptions(user_id=user_id))
        return success(request, [_webhook(webhook) | _created(webhook) for webhook in found.items])

    async def delete_webhook(self, request: web.Request) -> web.Response:
        """200; nothing more is delivered."""
        webhook_id = path_id(request, "webhook_id", unknown="Webhook not found")
        await self.asking.command(DeleteSubscription(webhook_id=webhook_id), look_at=f"{_LOOK_AT}…")
        return success(request, message="Webhook deleted successfully", data_key=False)

    def _command(self, body: CreateWebhookBody, webhook_id: str, secret: str) -> CreateSubscription:
        return CreateSubscription(
            webhook_id=webhook_id,
            user_id=body.user_id,
            url=body.url,
            events=tuple(dict.fromkeys(body.events)),
            description=body.description,
            sealed_secret=self.key_ring.seal(secret, owner_id=webhook_id, field="secret"),
        )


def _new_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def _webhook(webhook: Subscription) -> dict[str, Any]:
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "events": list(webhook.events),
        "status": webhook.status,
        "description": webhook.description,
    }


def _created(webhook: Subscription) -> dict[str, Any]:
    return {"created_at": iso_millis(webhook.created_at)}
