"""Who tapped which button: `/api/v1/templates/:id/button-clicks`, `/api/v1/button-clicks`, `/api/v1/leads`."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.domain.lead_phones import lead_phone
from services.gateway.routes.asking import Asking
from services.gateway.routes.parameters import optional_query_id, query_number, query_offset, required_query_id
from services.gateway.routes.templates import template_id_of
from shared.clock import iso_millis
from shared.contracts.button_clicks import (
    ButtonClick,
    ButtonCount,
    ClickedOnce,
    GetLeadButtonActivity,
    GetTemplateButtonClicks,
    ListButtonClicks,
)
from shared.errors import InvalidInputError
from shared.web.envelopes import success

_DEFAULT_LIMIT = 50
_MOST = 200
_NOT_A_PHONE = "must be a phone number with its country code, e.g. +14155551234"


@dataclass(frozen=True, slots=True)
class ButtonClickRoutes:
    """Only reads."""

    asking: Asking

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/templates/{template_id}/button-clicks", self.get_template_clicks),
            web.get("/api/v1/button-clicks", self.list_clicks),
            web.get("/api/v1/leads/{customer_phone}/button-activity", self.get_lead_activity),
        ]

    async def get_template_clicks(self, request: web.Request) -> web.Response:
        """200 with every button of the template and how often it was tapped."""
        found = await self.asking.query(GetTemplateButtonClicks(template_id=template_id_of(request)))
        shown = {
            "template_id": found.template_id,
            "template_name": found.template_name,
            "buttons": [_count(button) for button in found.buttons],
            "total_clicks": found.total_clicks,
        }
        return success(request, shown)

    async def list_clicks(self, request: web.Request) -> web.Response:
        """200 with one page of a user's taps, newest first."""
        query = ListButtonClicks(
            user_id=required_query_id(request, "user_id"),
            template_id=optional_query_id(request, "template_id"),
            offset=query_offset(request),
            limit=query_number(request, "limit", default=_DEFAULT_LIMIT, most=_MOST),
        )
        found = await self.asking.query(query)
        pagination = {"total": found.total, "limit": query.limit, "offset": query.offset}
        return success(request, [_click(click) for click in found.items], pagination=pagination)

    async def get_lead_activity(self, request: web.Request) -> web.Response:
        """200 with what one customer of a user tapped."""
        user_id = required_query_id(request, "user_id")
        phone = lead_phone(request.match_info["customer_phone"])
        if phone is None:
            message = f"customer_phone {_NOT_A_PHONE}"
            raise InvalidInputError(message, details=[{"field": "customer_phone", "message": message}])
        found = await self.asking.query(GetLeadButtonActivity(user_id=user_id, customer_phone=phone))
        shown = {
            "customer_phone": phone,
            "buttons_clicked": [_once(click) for click in found.buttons_clicked],
            "total_clicks": found.total_clicks,
        }
        return success(request, shown)


def _count(button: ButtonCount) -> dict[str, Any]:
    return {
        "button_id": button.button_id,
        "button_text": button.button_text,
        "type": button.type,
        "total_clicks": button.total_clicks,
        "unique_clicks": button.unique_clicks,
    }


def _click(click: ButtonClick) -> dict[str, Any]:
    return {
        "click_id": click.click_id,
        "template_id": click.template_id,
        "button_id": click.button_id,
        "button_text": click.button_text,
        "customer_phone": click.customer_phone,
        "clicked_at": iso_millis(click.clicked_at),
    }


def _once(click: ClickedOnce) -> dict[str, Any]:
    return {
        "template_name": click.template_name,
        "button_text": click.button_text,
        "clicked_at": iso_millis(click.clicked_at),
    }
