"""The private listener's walls: who may reach it at all, and who of them may use which routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from services.gateway.domain.identities import HEADER, IdentityKey
from services.gateway.domain.walls import Visit, Walls
from services.gateway.routes.admin_login import AdminLogin
from services.gateway.routes.api_key_login import ApiKeyLogin, bearer_token
from services.gateway.routes.not_founds import NotFounds
from services.gateway.routes.ownership import Ownership
from shared.errors import UnauthenticatedError
from shared.web.answers import add_answer_header

_PROBES = frozenset({"/healthz", "/readyz"})  # probes call by address, and learn nothing worth hiding
_OF_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_WITHOUT_EFFECT = frozenset({"GET", "HEAD", "OPTIONS"})
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, Idempotency-Key, X-Request-Id, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "X-Correlation-Id, Idempotent-Replayed, Retry-After"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class PrivateWalls:
    """Host, Origin, peer and body type for every route; a token for `/admin`; no bad credential let through.

    With an `identity_key` the dashboard API is used through a proxy that says for whom. `not_founds` is None on a
    developer's machine.
    """

    walls: Walls
    login: ApiKeyLogin
    operators: AdminLogin
    ownership: Ownership
    identity_key: IdentityKey | None = None
    not_founds: NotFounds | None = None

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
                await self._require_operator(request)
            elif request.path.startswith("/api/v1/"):
                await self._check_given_credential(request)
                await self._check_identity(request)
            return await handler(request)

        return checking_visits, checking_credentials

    async def _check_visit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = _visit(request)
        add_answer_header(request, "Vary", "Origin")
        add_answer_header(request, "X-Frame-Options", "DENY")
        self.walls.check(visit)
        if visit.origin is not None:
            add_answer_header(request, "Access-Control-Allow-Origin", visit.origin)
            add_answer_header(request, "Access-Control-Expose-Headers", _EXPOSED)
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                return web.Response(status=204, headers=_PREFLIGHT)
        if self.not_founds is None:
            return await handler(request)
        return await self.not_founds.watch(request, self.walls.caller_of(visit) or "", handler)

    async def _require_operator(self, request: web.Request) -> None:
        token = bearer_token(request)
        if token is None:
            raise UnauthenticatedError("An admin token is required: Authorization: Bearer <token>")
        try:
            operator = await self.operators.authenticate(token)
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
            await self.operators.authenticate(token)
        else:
            await self.login.authenticate(token)

    async def _check_identity(self, request: web.Request) -> None:
        if self.identity_key is None:
            return
        identity = self.identity_key.verify(request.headers.get(HEADER, ""))
        structlog.contextvars.bind_contextvars(identity=identity.name)
        await self.ownership.require(request, identity)


def _visit(request: web.Request) -> Visit:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return Visit(
        host=request.headers.get("Host"),
        origin=request.headers.get("Origin"),
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        peer=peer[0] if isinstance(peer, tuple) else None,
        forwarded=request.headers.get("X-Forwarded-For"),
        body_type=_body_type(request),
    )


def _body_type(request: web.Request) -> str | None:
    """The type of a body; of an empty one only what forms send, since libraries name one for no body at all."""
    if request.method in _WITHOUT_EFFECT:
        return None
    if request.body_exists:
        return request.headers.get("Content-Type", "unknown")
    return request.content_type if request.content_type in _OF_FORMS else None
