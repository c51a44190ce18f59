"""`/admin/prompts`: what agents are told to be."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id, required_query_id
from services.gateway.schemas.agents import ChangePromptBody, CreatePromptBody
from shared.clock import iso_millis
from shared.contracts.agents import CreatePrompt, DeletePrompt, GetPrompt, ListPrompts, Prompt, UpdatePrompt
from shared.ids import new_id
from shared.web.body import parse_body
from shared.web.envelopes import success

_LOOK_AT = "GET /admin/prompts?user_id="


@dataclass(frozen=True, slots=True)
class PromptRoutes:
    """Prompts belong to agents; each is known by its user and the id that the user gave it."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        one = "/admin/prompts/{prompt_id}"
        return [
            web.post("/admin/prompts", self.create_prompt),
            web.get("/admin/prompts", self.list_prompts),
            web.get(one, self.get_prompt),
            web.patch(one, self.change_prompt),
            web.delete(one, self.delete_prompt),
        ]

    async def create_prompt(self, request: web.Request) -> web.Response:
        """201 with version 1; 409 when the user has a prompt with this id."""
        body = await parse_body(request, CreatePromptBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(body.user_id)
            command = CreatePrompt(work_id=fixed["work_id"], **body.model_dump())
            made = await self.asking.command(command, look_at=f"{_LOOK_AT}{body.user_id}")
            return success(request, _prompt(made), status=201)

        return await self.idempotency.run(request, owner=body.user_id, fixed={"work_id": new_id("work_")}, work=work)

    async def list_prompts(self, request: web.Request) -> web.Response:
        """200 with a user's prompts, newest first."""
        found = await self.asking.query(ListPrompts(user_id=required_query_id(request, "user_id")))
        return success(request, [_prompt(prompt) for prompt in found.items])

    async def get_prompt(self, request: web.Request) -> web.Response:
        """200 with the prompt as it is now."""
        return success(request, _prompt(await self.asking.query(GetPrompt(**_key(request)))))

    async def change_prompt(self, request: web.Request) -> web.Response:
        """200 with the next version."""
        key = _key(request)
        changes = (await parse_body(request, ChangePromptBody)).changes()
        wanted = {"work_id": new_id("work_"), "default_model": changes.get("model", "") is None}
        command = UpdatePrompt.model_validate({**wanted, **key, **changes})
        changed = await self.asking.command(command, look_at=f"{_LOOK_AT}{key['user_id']}")
        return success(request, _prompt(changed))

    async def delete_prompt(self, request: web.Request) -> web.Response:
        """200; the id now means what OpenAI makes of it."""
        key = _key(request)
        await self.asking.command(DeletePrompt(**key), look_at=f"{_LOOK_AT}{key['user_id']}")
        return success(request, message="Prompt deleted successfully", data_key=False)


def _key(request: web.Request) -> dict[str, str]:
    return {
        "user_id": required_query_id(request, "user_id"),
        "prompt_id": path_id(request, "prompt_id", unknown="Prompt not found"),
    }


def _prompt(prompt: Prompt) -> dict[str, Any]:
    return prompt.model_dump(exclude={"created_at", "updated_at"}, mode="json") | {
        "created_at": iso_millis(prompt.created_at),
        "updated_at": iso_millis(prompt.updated_at),
    }
