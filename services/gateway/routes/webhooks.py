"""`/admin/webhooks`: where a vendor wants to hear what happened."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, required_query_id
from services.gateway.schemas.webhooks import ChangeWebhookBody, CreateWebhookBody
from shared.clock import iso_millis
from shared.contracts.subscriptions import GetSubscription, ListEventTypes, RotateSecret, UpdateSubscription
from shared.contracts.webhooks import CreateSubscription, DeleteSubscription, ListSubscriptions, Subscription
from shared.ids import new_id
from shared.sealing import KeyRing
from shared.web.body import parse_body
from shared.web.envelopes import success

_SECRET_BYTES = 32
_LOOK_AT = "GET /admin/webhooks?user_id="
_PLAIN = ("url", "description", "ordered", "status")
_LISTS = ("events", "phone_number_ids", "channels", "sources")


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
            web.get("/api/v1/event-types", self.list_event_types),
            web.post("/admin/webhooks", self.create_webhook),
            web.get("/admin/webhooks", self.list_webhooks),
            web.get("/admin/webhooks/{webhook_id}", self.get_webhook),
            web.patch("/admin/webhooks/{webhook_id}", self.change_webhook),
            web.delete("/admin/webhooks/{webhook_id}", self.delete_webhook),
            web.post("/admin/webhooks/{webhook_id}/rotate-secret", self.rotate_secret),
        ]

    async def list_event_types(self, request: web.Request) -> web.Response:
        """200 with every event that a webhook may hear, its JSON Schema and an example."""
        found = await self.asking.query(ListEventTypes())
        shown = [
            {"name": kind.name, "description": kind.description, "schema": kind.body_schema, "example": kind.example}
            for kind in found.items
        ]
        return success(request, shown)

    async def create_webhook(self, request: web.Request) -> web.Response:
        """201 with the secret, which is never shown again."""
        body = await parse_body(request, CreateWebhookBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = self._command(body, fixed["webhook_id"], fixed["secret"])
            made = await self.asking.command(command, look_at=f"{_LOOK_AT}{body.user_id}")
            return success(request, webhook_shown(made, secret=fixed["secret"]), status=201)

        fixed = {"webhook_id": new_id("wh_"), "secret": _new_secret()}
        return await self.idempotency.run(request, owner=body.user_id, fixed=fixed, work=work)

    async def list_webhooks(self, request: web.Request) -> web.Response:
        """200 with a user's webhooks, without their secrets."""
        user_id = required_query_id(request, "user_id")
        found = await self.asking.query(ListSubscriptions(user_id=user_id))
        return success(request, [webhook_shown(webhook) for webhook in found.items])

    async def get_webhook(self, request: web.Request) -> web.Response:
        """200 with the webhook, without its secret."""
        return success(
            request, webhook_shown(await self.asking.query(GetSubscription(webhook_id=webhook_id_of(request))))
        )

    async def change_webhook(self, request: web.Request) -> web.Response:
        """200 with the webhook as it is now."""
        webhook_id = webhook_id_of(request)
        given = (await parse_body(request, ChangeWebhookBody)).changes()
        changes: dict[str, Any] = {name: given[name] for name in _PLAIN if name in given}
        changes |= {name: tuple(dict.fromkeys(given[name])) for name in _LISTS if name in given}
        if "description" in given:
            changes["description"] = given["description"] or ""
        if "headers" in given:
            changes |= self._sealed_headers(given["headers"], webhook_id)
        command = UpdateSubscription(webhook_id=webhook_id, **changes)
        changed = await self.asking.command(command, look_at=f"GET /admin/webhooks/{webhook_id}")
        return success(request, webhook_shown(changed))

    async def rotate_secret(self, request: web.Request) -> web.Response:
        """200 with the new secret, which is never shown again; for a day the former one signs beside it."""
        webhook_id = webhook_id_of(request)

        async def work(fixed: Fixed) -> web.Response:
            sealed = self.key_ring.seal(fixed["secret"], owner_id=webhook_id, field="secret")
            command = RotateSecret(webhook_id=webhook_id, rotation_id=fixed["rotation_id"], sealed_secret=sealed)
            rotated = await self.asking.command(command, look_at=f"GET /admin/webhooks/{webhook_id}")
            return success(request, webhook_shown(rotated, secret=fixed["secret"]))

        fixed = {"rotation_id": new_id("rot_"), "secret": _new_secret()}
        return await self.idempotency.run(request, owner=webhook_id, fixed=fixed, work=work)

    async def delete_webhook(self, request: web.Request) -> web.Response:
        """200; nothing more is delivered."""
        command = DeleteSubscription(webhook_id=webhook_id_of(request))
        await self.asking.command(command, look_at=f"{_LOOK_AT}…")
        return success(request, message="Webhook deleted successfully", data_key=False)

    def _command(self, body: CreateWebhookBody, webhook_id: str, secret: str) -> CreateSubscription:
        return CreateSubscription(
            webhook_id=webhook_id,
            user_id=body.user_id,
            url=body.url,
            description=body.description,
            ordered=body.ordered,
            sealed_secret=self.key_ring.seal(secret, owner_id=webhook_id, field="secret"),
            **{name: tuple(dict.fromkeys(getattr(body, name))) for name in _LISTS},
            **self._sealed_headers(body.headers, webhook_id),
        )

    def _sealed_headers(self, headers: dict[str, str], webhook_id: str) -> dict[str, Any]:
        """Their values may be credentials: they travel and rest as secrets do."""
        text = orjson.dumps(headers).decode()
        return {
            "header_names": tuple(headers),
            "sealed_headers": self.key_ring.seal(text, owner_id=webhook_id, field="headers"),
        }


def webhook_id_of(request: web.Request) -> str:
    """The webhook that the path names. Raises NotFoundError for an id that cannot exist."""
    return path_id(request, "webhook_id", unknown="Webhook not found")


def webhook_shown(webhook: Subscription, **secret: str) -> dict[str, Any]:
    """A webhook as the API shows it; the secret only where it is new."""
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "events": list(webhook.events),
        "status": webhook.status,
        "description": webhook.description,
        **secret,
        "disabled_reason": webhook.disabled_reason,
        "phone_number_ids": list(webhook.phone_number_ids),
        "channels": list(webhook.channels),
        "sources": list(webhook.sources),
        "header_names": list(webhook.header_names),
        "ordered": webhook.ordered,
        "created_at": iso_millis(webhook.created_at),
    }


def _new_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
