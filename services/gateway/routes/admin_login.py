"""Who operates: the token in the Authorization header of `/admin`, and taking such a token back."""

from dataclasses import dataclass

from aiohttp import web

from services.gateway.domain.admin_tokens import LEEWAY, MAX_LIFETIME, AdminTokens
from services.gateway.repositories.revoked_tokens import RevokedTokenRepository
from services.gateway.routes.parameters import path_id
from shared.clock import Clock
from shared.errors import UnauthenticatedError
from shared.web.envelopes import success


@dataclass(frozen=True, slots=True)
class AdminLogin:
    """Looks revocations up anew for each request: taking a token back acts at once, in every process."""

    tokens: AdminTokens
    revoked: RevokedTokenRepository

    async def authenticate(self, token: str) -> str:
        """The operator's name. Raises UnauthenticatedError, PermissionDeniedError when the role is not `admin`."""
        operator = self.tokens.verify(token)
        if operator.token_id is not None and await self.revoked.has(operator.token_id):
            raise UnauthenticatedError("The admin token was taken back", code="invalid_token")
        return operator.name


@dataclass(frozen=True, slots=True)
class AdminTokenRoutes:
    """`/admin/tokens`: nothing is kept of tokens but the ids of those that were taken back."""

    revoked: RevokedTokenRepository
    now: Clock

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.delete("/admin/tokens/{token_id}", self.revoke_token)]

    async def revoke_token(self, request: web.Request) -> web.Response:
        """200, also when it was taken back before or nobody has such a token: ids are known to their holders only."""
        token_id = path_id(request, "token_id", unknown="Token not found")
        await self.revoked.add(token_id, self.now() + MAX_LIFETIME + 2 * LEEWAY)
        return success(request, message="Token revoked successfully", data_key=False)
