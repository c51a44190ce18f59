"""`/api/v1/templates`."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import LONG_LEASE_SECONDS, Fixed, Idempotency
from services.gateway.routes.parameters import query_status, required_query_id
from services.gateway.schemas.dashboard import SyncTemplatesBody
from shared.contracts.templates import ListTemplates, SyncResult, SyncTemplates, Template, TemplateVariable
from shared.web.body import parse_body
from shared.web.envelopes import success


@dataclass(frozen=True, slots=True)
class TemplateRoutes:
    """Templates belong to the templates service."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/templates", self.list_templates),
            web.post("/api/v1/templates/sync", self.sync_templates),
        ]

    async def list_templates(self, request: web.Request) -> web.Response:
        """200 with the templates of a number's WABA: the approved ones, those of `status`, or (`ALL`) all."""
        number_id = required_query_id(request, "phone_number_id")
        status = query_status(request)
        found = await self.asking.query(ListTemplates(phone_number_id=number_id, status=status))
        return success(request, [_template(template) for template in found.items])

    async def sync_templates(self, request: web.Request) -> web.Response:
        """200 with what was imported and updated, even when single templates had errors."""
        body = await parse_body(request, SyncTemplatesBody)

        async def work(_fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = SyncTemplates(user_id=body.user_id, phone_number_id=body.phone_number_id)
            look_at = f"GET /api/v1/templates?phone_number_id={body.phone_number_id}"
            return success(request, _sync(await self.asking.command(command, look_at=look_at, long=True)))

        return await self.idempotency.run(
            request, owner=body.user_id, fixed={}, work=work, lease_seconds=LONG_LEASE_SECONDS
        )


def _template(template: Template) -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "name": template.name,
        "category": template.category,
        "language": template.language,
        "components": template.components,
        "variables": [_variable(variable) for variable in template.variables],
    }


def _variable(variable: TemplateVariable) -> dict[str, Any]:
    return {
        "position": variable.position,
        "variable_name": variable.variable_name,
        "default_value": variable.default_value,
        "sample_value": variable.sample_value,
    }


def _sync(result: SyncResult) -> dict[str, Any]:
    return result.model_dump(mode="json") | {
        "summary": {
            "totalImported": len(result.imported),
            "totalUpdated": len(result.updated),
            "totalErrors": len(result.errors),
        }
    }
