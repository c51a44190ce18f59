"""`/api/v1/templates`."""

from dataclasses import dataclass

import orjson
from aiohttp import web

from services.gateway.domain.renderings import Rendering, Renderings
from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import LONG_LEASE_SECONDS, Fixed, Idempotency
from services.gateway.routes.legacy_names import parse_named_body
from services.gateway.routes.parameters import path_id, query_status, required_query_id
from services.gateway.routes.template_answers import details, drafted, listed, submitted, synced
from services.gateway.schemas.dashboard import SyncTemplatesBody
from services.gateway.schemas.template_drafts import (
    ChangeTemplateBody,
    CreateTemplateBody,
    TemplateVariablesBody,
    as_meta_writes,
)
from shared.contracts.template_drafts import (
    CreateTemplate,
    DeleteTemplate,
    EditTemplate,
    GetTemplate,
    SetTemplateVariables,
    SubmitTemplate,
)
from shared.contracts.templates import ListTemplates, SyncTemplates
from shared.ids import new_id
from shared.web.body import parse_body
from shared.web.envelopes import success

UNKNOWN = "Template not found"
ONE = "{template_id:(?!sync$)[^{}/]+}"  # `sync` is a route of its own, and takes POST alone


@dataclass(frozen=True, slots=True)
class TemplateRoutes:
    """Templates belong to the templates service."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    renderings: Renderings

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/api/v1/templates", self.list_templates),
            web.post("/api/v1/templates", self.create_template),
            web.post("/api/v1/templates/sync", self.sync_templates),
            web.get(f"/api/v1/templates/{ONE}", self.get_template),
            web.patch(f"/api/v1/templates/{ONE}", self.change_template),
            web.delete(f"/api/v1/templates/{ONE}", self.delete_template),
            web.post("/api/v1/templates/{template_id}/submit", self.submit_template),
            web.put("/api/v1/templates/{template_id}/variables", self.set_variables),
        ]

    async def list_templates(self, request: web.Request) -> web.Response:
        """200 with the templates of a number's WABA: the approved ones, those of `status`, or (`ALL`) all."""
        number_id, status = required_query_id(request, "phone_number_id"), query_status(request)
        known = self.renderings.find((number_id, status))
        version = known.version if known else None
        found = await self.asking.query(ListTemplates(phone_number_id=number_id, status=status, known_version=version))
        if known is not None and found.version == known.version:
            return success(request, orjson.Fragment(known.json))
        shown = orjson.dumps([listed(template) for template in found.items])
        if found.version is not None:
            self.renderings.keep((number_id, status), Rendering(found.version, shown))
        return success(request, orjson.Fragment(shown))

    async def get_template(self, request: web.Request) -> web.Response:
        """200 with the template, its variables, and what became of messages with it."""
        found = await self.asking.query(GetTemplate(template_id=template_id_of(request)))
        return success(request, details(found))

    async def create_template(self, request: web.Request) -> web.Response:
        """201 with the draft, and what Meta will refuse in it as `warnings`; 409 when the name is taken."""
        body = await parse_named_body(request, CreateTemplateBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = CreateTemplate(
                template_id=fixed["template_id"],
                user_id=body.user_id,
                phone_number_id=body.phone_number_id,
                name=body.name,
                category=body.category,
                language=body.language,
                parameter_format=body.parameter_format,
                components=as_meta_writes(body.components),
                variables=tuple(variable.said() for variable in body.variables),
            )
            look_at = f"GET /api/v1/templates?phone_number_id={body.phone_number_id}&status=ALL"
            return success(request, drafted(await self.asking.command(command, look_at=look_at)), status=201)

        fixed = {"template_id": new_id("tpl_")}
        return await self.idempotency.run(request, owner=body.user_id, fixed=fixed, work=work)

    async def change_template(self, request: web.Request) -> web.Response:
        """200 with the draft as it is now; 409 for a template that Meta has taken."""
        template_id = template_id_of(request)
        body = await parse_body(request, ChangeTemplateBody)
        given = body.model_fields_set
        command = EditTemplate(
            template_id=template_id,
            name=body.name if "name" in given else None,
            category=body.category if "category" in given else None,
            language=body.language if "language" in given else None,
            components=as_meta_writes(body.components) if "components" in given else None,
            variables=tuple(each.said() for each in body.variables) if "variables" in given else None,
        )
        return success(request, drafted(await self.asking.command(command, look_at=_look_at(template_id))))

    async def set_variables(self, request: web.Request) -> web.Response:
        """200 with the template's details; 400 naming a variable that it does not have."""
        template_id = template_id_of(request)
        body = await parse_body(request, TemplateVariablesBody)
        said = tuple(variable.said() for variable in body.variables)
        command = SetTemplateVariables(template_id=template_id, variables=said)
        return success(request, details(await self.asking.command(command, look_at=_look_at(template_id))))

    async def submit_template(self, request: web.Request) -> web.Response:
        """200 once Meta has taken it; 409 in another state than DRAFT or REJECTED, 502 with Meta's refusal."""
        template_id = template_id_of(request)

        async def work(_fixed: Fixed) -> web.Response:
            command = SubmitTemplate(template_id=template_id)
            taken = await self.asking.command(command, look_at=_look_at(template_id), long=True)
            return success(request, submitted(taken))

        # A key is good for one template: every submission has the same body, which is none.
        return await self.idempotency.run(
            request, owner=template_id, fixed={}, work=work, lease_seconds=LONG_LEASE_SECONDS
        )

    async def delete_template(self, request: web.Request) -> web.Response:
        """200; this language only, here and at Meta. 409 when a campaign uses it."""
        template_id = template_id_of(request)
        await self.asking.command(DeleteTemplate(template_id=template_id), look_at=_look_at(template_id))
        return success(request, message="Template deleted successfully", data_key=False)

    async def sync_templates(self, request: web.Request) -> web.Response:
        """200 with what was imported and updated, even when single templates had errors."""
        body = await parse_named_body(request, SyncTemplatesBody)

        async def work(_fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = SyncTemplates(user_id=body.user_id, phone_number_id=body.phone_number_id)
            look_at = f"GET /api/v1/templates?phone_number_id={body.phone_number_id}"
            return success(request, synced(await self.asking.command(command, look_at=look_at, long=True)))

        return await self.idempotency.run(
            request, owner=body.user_id, fixed={}, work=work, lease_seconds=LONG_LEASE_SECONDS
        )


def template_id_of(request: web.Request) -> str:
    """The template in the path. Raises NotFoundError for an id that cannot exist."""
    return path_id(request, "template_id", unknown=UNKNOWN)


def _look_at(template_id: str) -> str:
    return f"GET /api/v1/templates/{template_id}"
