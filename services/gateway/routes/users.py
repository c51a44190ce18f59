"""`/api/v1/users`."""

from asyncio import gather
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.repositories.users import User, UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id
from services.gateway.schemas.dashboard import CreateUserBody
from shared.clock import Clock, iso_millis
from shared.contracts.messaging import GetCredits
from shared.ids import new_id
from shared.web.body import parse_body
from shared.web.envelopes import success


@dataclass(frozen=True, slots=True)
class UserRoutes:
    """Users belong to the gateway; their credits are asked of messaging."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency
    now: Clock

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.post("/api/v1/users", self.create_user),
            web.get("/api/v1/users/{user_id}", self.get_user),
        ]

    async def create_user(self, request: web.Request) -> web.Response:
        """201 with the user; 409 when the id or the e-mail address is taken."""
        body = await parse_body(request, CreateUserBody)

        async def work(fixed: Fixed) -> web.Response:
            now = self.now()
            user = User(body.user_id, body.email, body.company_name, created_at=now, updated_at=now)
            stored = await self.users.add_once(user, fixed["work_id"])
            return success(request, _user(stored) | _times(stored), status=201)

        fixed = {"work_id": new_id("work_")}
        return await self.idempotency.run(request, owner=body.user_id, fixed=fixed, work=work)

    async def get_user(self, request: web.Request) -> web.Response:
        """200 with the user and the present credits."""
        user_id = path_id(request, "user_id", unknown="User not found")
        user, credits_now = await gather(self.users.get(user_id), self.asking.query(GetCredits(user_id=user_id)))
        shown = {"remaining_credits": credits_now.remaining_credits, "total_used": credits_now.total_used}
        return success(request, _user(user) | {"credits": shown} | _times(user))


def _user(user: User) -> dict[str, Any]:
    return {"user_id": user.user_id, "email": user.email, "company_name": user.company_name}


def _times(user: User) -> dict[str, Any]:
    return {"created_at": iso_millis(user.created_at), "updated_at": iso_millis(user.updated_at)}
