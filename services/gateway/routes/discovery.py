"""`/api/external/templates`: what may be sent, for those who hold an API key."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.domain.phone_ids import decode_phone_id
from services.gateway.routes.api_key_login import ApiKeyLogin
from services.gateway.routes.asking import Asking
from services.gateway.routes.parameters import query_language, query_number, query_search, query_status, refused_query
from shared.contracts.templates import DiscoveredTemplate, DiscoverTemplates
from shared.errors import InvalidInputError, NotFoundError
from shared.web.envelopes import success

RETRIEVED = "Templates retrieved successfully."

_DEFAULT_LIMIT = 50
_LARGEST_LIMIT = 200
_LONGEST_NAME = 512  # Meta's limit for a template's name
_MOST_SKIPPED = 10_000  # an account holds at most 6,000 templates


@dataclass(frozen=True, slots=True)
class DiscoveryRoutes:
    """Templates belong to the templates service; a key sees those of its number's account."""

    login: ApiKeyLogin
    asking: Asking

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        path = "/api/external/templates/{encoded_phone_id}"
        return [web.get(path, self.list_templates), web.get(path + "/{name}", self.list_variants)]

    async def list_templates(self, request: web.Request) -> web.Response:
        """200 with a page of the templates that the query asks for."""
        return await self._answer(request, name=None)

    async def list_variants(self, request: web.Request) -> web.Response:
        """200 with the variants of one template; 404, with names like it, when there is none."""
        name = request.match_info["name"]
        return await self._answer(request, name=name)

    async def _answer(self, request: web.Request, *, name: str | None) -> web.Response:
        key = await self.login.caller(request)
        key.require_number(decode_phone_id(request.match_info["encoded_phone_id"]))
        key.require_permission("read_templates")
        if key.platform != "whatsapp":
            raise InvalidInputError("Only WhatsApp phone numbers have templates", code="not_whatsapp")
        page, limit = _page(request)
        query = DiscoverTemplates(
            user_id=key.user_id,
            phone_number_id=key.phone_number_id,
            status=query_status(request),
            language=query_language(request),
            search=query_search(request),
            name=_possible(name),
            offset=(page - 1) * limit,
            limit=limit,
        )
        found = await self.asking.query(query)
        pagination = {"page": page, "limit": limit, "total": found.total, "totalPages": -(-found.total // limit)}
        templates = [_template(template) for template in found.items]
        return success(request, {"templates": templates, "pagination": pagination}, message=RETRIEVED)


def _possible(name: str | None) -> str | None:
    if name is not None and (len(name) > _LONGEST_NAME or not name.isprintable()):
        raise NotFoundError("No template has such a name", code="template_not_found")
    return name


def _page(request: web.Request) -> tuple[int, int]:
    limit = query_number(request, "limit", default=_DEFAULT_LIMIT, most=_LARGEST_LIMIT)
    page = query_number(request, "page", default=1, most=None)
    if (page - 1) * limit > _MOST_SKIPPED:
        raise refused_query("page", f"page query parameter lies too far: at most {_MOST_SKIPPED} templates are skipped")
    return page, limit


def _template(template: DiscoveredTemplate) -> dict[str, Any]:
    shown = template.model_dump(mode="json", include={"header", "body", "buttons", "components"})
    return {
        "template_name": template.name,
        "language": template.language,
        "category": template.category.lower(),
        "meta_status": template.status.upper(),
        "meta_template_id": template.meta_template_id,
        "quality_score": template.quality_score,
        "parameter_format": template.parameter_format,
        "header": shown["header"],
        "body": shown["body"],
        "footer": None if template.footer is None else {"text": template.footer},
        "buttons": shown["buttons"],
        "raw_components": shown["components"],
    }
