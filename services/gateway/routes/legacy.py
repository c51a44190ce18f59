"""The nine routes below /admin that the dashboard used before `/api/v1`: the same work, with where to go instead."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from services.gateway.routes.button_clicks import ButtonClickRoutes
from services.gateway.routes.legacy_names import with_old_names
from services.gateway.routes.templates import ONE, TemplateRoutes
from shared.web.answers import add_answer_header

DEPRECATED_SINCE = datetime(2025, 12, 13, tzinfo=UTC)  # the day of the API document that says to move
OLD, NEW = "/admin", "/api/v1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class LegacyRoutes:
    """An operator's token is asked for, as for everything below /admin."""

    templates: TemplateRoutes
    clicks: ButtonClickRoutes

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        templates, clicks = self.templates, self.clicks
        return [
            web.get(f"{OLD}/templates", deprecated(templates.list_templates)),
            web.get(f"{OLD}/templates/{ONE}", deprecated(templates.get_template)),
            web.post(f"{OLD}/templates", deprecated(templates.create_template)),
            web.post(f"{OLD}/templates/sync", deprecated(templates.sync_templates)),
            web.post(f"{OLD}/templates/{{template_id}}/submit", deprecated(templates.submit_template)),
            web.delete(f"{OLD}/templates/{ONE}", deprecated(templates.delete_template)),
            web.get(f"{OLD}/templates/{{template_id}}/button-clicks", deprecated(clicks.get_template_clicks)),
            web.get(f"{OLD}/button-clicks", deprecated(clicks.list_clicks)),
            web.get(f"{OLD}/leads/{{customer_phone}}/button-activity", deprecated(clicks.get_lead_activity)),
        ]


def deprecated(handler: Handler) -> Handler:
    """The handler under its old address: old names are understood, and the answer says where it has moved.

    Sources: RFC 9745 (`Deprecation`) and RFC 5829 (`successor-version`).
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        successor = f"{NEW}{request.rel_url.raw_path.removeprefix(OLD)}"
        add_answer_header(request, "Deprecation", f"@{int(DEPRECATED_SINCE.timestamp())}")
        add_answer_header(request, "Link", f'<{successor}>; rel="successor-version"')
        return await handler(with_old_names(request))

    return handle
