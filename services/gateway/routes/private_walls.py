"""The private listener's walls: who may reach it at all, and who of them may use the operator's routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from services.gateway.domain.admin_tokens import verify_admin_token
from services.gateway.domain.walls import Visit, Walls
from services.gateway.routes.api_key_login import ApiKeyLogin, bearer_token
from shared.errors import UnauthenticatedError
from shared.web.answers import add_answer_header

_PROBES = frozenset({"/healthz", "/readyz"})  # probes call by address, and learn nothing worth hiding
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, Idempotency-Key, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "X-Correlation-Id, Idempotent-Replayed, Retry-After"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class PrivateWalls:
    """Host, Origin and peer for every route; an operator's token for `/admin`; no bad credential let through."""

    walls: Walls
    login: ApiKeyLogin
    admin_jwt_secret: str

    def middlewares(self) -> tuple[Middleware, ...]:
        """What runs before every route of the private listener, in order."""

        @web.middleware
        async def checking_visits(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path in _PROBES:
                return await handler(request)
            return await self._check_visit(request, handler)

        @web.middleware
        async def checking_credentials(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path == "/admin" or request.path.startswith("/admin/"):
                self._require_operator(request)
            elif request.path.startswith("/api/v1/"):
                await self._check_given_credential(request)
            return await handler(request)

        return checking_visits, checking_credentials

    async def _check_visit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = _visit(request)
        add_answer_header(request, "Vary", "Origin")
        self.walls.check(visit)
        if visit.origin is not None:
            add_answer_header(request, "Access-Control-Allow-Origin", visit.origin)
            add_answer_header(request, "Access-Control-Expose-Headers", _EXPOSED)
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                return web.Response(status=204, headers=_PREFLIGHT)
        return await handler(request)

    def _require_operator(self, request: web.Request) -> None:
        token = bearer_token(request)
        if token is None:
            raise UnauthenticatedError("An admin token is required: Authorization: Bearer <token>")
        try:
            operator = verify_admin_token(token, self.admin_jwt_secret)
        except UnauthenticatedError:
            add_answer_header(request, "WWW-Authenticate", 'Bearer error="invalid_token"')
            raise
        structlog.contextvars.bind_contextvars(operator=operator)

    async def _check_given_credential(self, request: web.Request) -> None:
        """The dashboard API asks for no credential; one that is sent all the same must hold."""
        if "Authorization" not in request.headers:
            return
        token = bearer_token(request)
        if token is not None and not token.startswith("wak_"):
            verify_admin_token(token, self.admin_jwt_secret)
        else:
            await self.login.authenticate(token)


def _visit(request: web.Request) -> Visit:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return Visit(
        host=request.headers.get("Host"),
        origin=request.headers.get("Origin"),
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        peer=peer[0] if isinstance(peer, tuple) else None,
    )
