"""What a vendor webhook was told: the log, and telling it once more."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, query_choice, query_number, refused_query
from services.gateway.routes.webhooks import webhook_id_of
from services.gateway.schemas.fields import Moment
from services.gateway.schemas.webhooks import ReplayBody, TestWebhookBody
from shared.clock import iso_millis
from shared.contracts.subscriptions import (
    DeliveryRecord,
    ListDeliveries,
    ReplayDeliveries,
    ResendDelivery,
    SendTestEvent,
)
from shared.ids import new_id
from shared.web.body import parse_body, read_json_bytes
from shared.web.envelopes import success

_MOST = 200
_DEFAULT = 50
_EVENT = re.compile(r"[a-z_.]{1,64}", re.ASCII)
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,300}", re.ASCII)
_TIME: TypeAdapter[datetime] = TypeAdapter(Moment)


@dataclass(frozen=True, slots=True)
class DeliveryRoutes:
    """Deliveries belong to the webhooks service."""

    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.post("/admin/webhooks/{webhook_id}/test", self.send_test_event),
            web.post("/admin/webhooks/{webhook_id}/replay", self.replay),
            web.get("/admin/webhooks/{webhook_id}/deliveries", self.list_deliveries),
            web.post("/admin/deliveries/{delivery_id}/resend", self.resend),
        ]

    async def send_test_event(self, request: web.Request) -> web.Response:
        """200 with the delivery of an example, which is made at once."""
        webhook_id = webhook_id_of(request)
        body = await parse_body(request, TestWebhookBody) if await read_json_bytes(request) else TestWebhookBody()

        async def work(fixed: Fixed) -> web.Response:
            command = SendTestEvent(webhook_id=webhook_id, test_id=fixed["test_id"], event=body.event)
            made = await self.asking.command(command, look_at=_log_of(webhook_id))
            return success(request, delivery_shown(made))

        fixed = {"test_id": new_id("test_")}
        return await self.idempotency.run(request, owner=webhook_id, fixed=fixed, work=work)

    async def replay(self, request: web.Request) -> web.Response:
        """200 with how many deliveries are made again, and how fast."""
        webhook_id = webhook_id_of(request)
        body = await parse_body(request, ReplayBody)

        async def work(fixed: Fixed) -> web.Response:
            command = ReplayDeliveries(
                webhook_id=webhook_id,
                replay_id=fixed["replay_id"],
                since=body.from_,
                until=body.to,
                events=tuple(dict.fromkeys(body.events)),
            )
            begun = await self.asking.command(command, look_at=_log_of(webhook_id))
            return success(request, begun.model_dump())

        fixed = {"replay_id": new_id("replay_")}
        return await self.idempotency.run(request, owner=webhook_id, fixed=fixed, work=work)

    async def list_deliveries(self, request: web.Request) -> web.Response:
        """200 with a page of a webhook's deliveries, newest first, each with all its attempts."""
        limit = query_number(request, "limit", default=_DEFAULT, most=_MOST)
        query = ListDeliveries(
            webhook_id=webhook_id_of(request),
            status=query_choice(request, "status", ("pending", "delivered", "failed")),
            event=_text(request, "event", _EVENT, "the name of an event, e.g. message.sent"),
            since=_time(request, "from"),
            until=_time(request, "to"),
            cursor=_text(request, "cursor", _CURSOR, "the next_cursor of a page"),
            limit=limit,
        )
        page = await self.asking.query(query)
        shown = [delivery_shown(delivery) for delivery in page.items]
        return success(request, shown, pagination={"limit": limit, "next_cursor": page.next_cursor})

    async def resend(self, request: web.Request) -> web.Response:
        """200 with the delivery, which is attempted at once and then on the schedule: same id, same bytes."""
        delivery_id = path_id(request, "delivery_id", unknown="Delivery not found")

        async def work(fixed: Fixed) -> web.Response:
            command = ResendDelivery(delivery_id=delivery_id, resend_id=fixed["resend_id"])
            resent = await self.asking.command(command, look_at="the log of its webhook")
            return success(request, delivery_shown(resent))

        fixed = {"resend_id": new_id("resend_")}
        return await self.idempotency.run(request, owner=delivery_id, fixed=fixed, work=work)


def delivery_shown(delivery: DeliveryRecord) -> dict[str, Any]:
    """A delivery as the API shows it."""
    due = delivery.next_attempt_at
    return {
        "delivery_id": delivery.delivery_id,
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "status": delivery.status,
        "request": delivery.request,
        "attempts": [attempt.model_dump() | {"at": iso_millis(attempt.at)} for attempt in delivery.attempts],
        "next_attempt_at": None if due is None else iso_millis(due),
        "created_at": iso_millis(delivery.created_at),
    }


def _log_of(webhook_id: str) -> str:
    return f"GET /admin/webhooks/{webhook_id}/deliveries"


def _text(request: web.Request, name: str, form: re.Pattern[str], words: str) -> str | None:
    text = request.query.get(name) or None
    if text is not None and not form.fullmatch(text):
        raise refused_query(name, f"{name} query parameter must be {words}")
    return text


def _time(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name) or None
    if text is None:
        return None
    try:
        return _TIME.validate_python(text)
    except ValidationError:
        raise refused_query(name, f"{name} query parameter must be a time such as 2026-03-05T10:30:00.000Z") from None
