"""`/admin/users/:id/credits`: whoever runs the product grants credits."""

from dataclasses import dataclass

from aiohttp import web

from services.gateway.repositories.users import UserRepository
from services.gateway.routes.asking import Asking
from services.gateway.routes.idempotent import Fixed, Idempotency
from services.gateway.routes.parameters import path_id
from services.gateway.schemas.sending import GrantCreditsBody
from shared.contracts.credits import GrantCredits
from shared.ids import new_id
from shared.web.body import parse_body
from shared.web.envelopes import success


@dataclass(frozen=True, slots=True)
class CreditRoutes:
    """The ledger is messaging's."""

    users: UserRepository
    asking: Asking
    idempotency: Idempotency

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.post("/admin/users/{user_id}/credits", self.grant_credits)]

    async def grant_credits(self, request: web.Request) -> web.Response:
        """200 with the balance after the grant."""
        user_id = path_id(request, "user_id", unknown="User not found")
        body = await parse_body(request, GrantCreditsBody)

        async def work(fixed: Fixed) -> web.Response:
            await self.users.get(user_id)
            command = GrantCredits(grant_id=fixed["grant_id"], user_id=user_id, credits=body.credits, note=body.note)
            balance = await self.asking.command(command, look_at=f"GET /api/v1/users/{user_id}")
            return success(request, balance.model_dump())

        return await self.idempotency.run(request, owner=user_id, fixed={"grant_id": new_id("grant_")}, work=work)
