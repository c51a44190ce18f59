"""Who may use the web chat's transport: pages by their origin, browsers by CORS, and nobody too often."""

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from services.gateway.repositories.key_rates import KeyRateRepository
from shared.errors import PermissionDeniedError, RateLimitedError
from shared.mongo import Database
from shared.web.answers import add_answer_header

PREFIX = "/webchat/"
ORIGIN_REFUSED = "origin_not_allowed"

_ORIGIN = re.compile(r"https?://[^/\s?#@\\]{1,300}", re.ASCII | re.IGNORECASE)
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "X-Correlation-Id, Retry-After"
_ORIGIN_KEY: web.RequestKey[str] = web.RequestKey("waapi_visitor_origin", str)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class WebchatWalls:
    """Origin and CORS for every call under /webchat. `own_origin` is where the world finds us."""

    own_origin: str

    def middleware(self) -> Middleware:
        """What runs before every web chat route. A page that may not talk is told so without CORS headers."""

        @web.middleware
        async def checking_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith(PREFIX):
                return await handler(request)
            add_answer_header(request, "Vary", "Origin")
            origin = request[_ORIGIN_KEY] = self._origin(request)
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                return web.Response(status=204, headers=_PREFLIGHT | cors_headers(origin))
            try:
                response = await handler(request)
            except Exception as error:
                if getattr(error, "code", "") != ORIGIN_REFUSED:
                    _let_read(request, origin)
                raise
            if not response.prepared:
                _let_read(request, origin)
            return response

        return checking_origins

    def _origin(self, request: web.Request) -> str:
        given = request.headers.get("Origin")
        if given is None and request.headers.get("Sec-Fetch-Site") == "same-origin":
            return self._origin_of_our_page(request)  # browsers leave it out when a page reads from its own server
        if given is None or not _ORIGIN.fullmatch(given):
            raise PermissionDeniedError(
                "A web chat is used from a web page, which names its origin", code=ORIGIN_REFUSED
            )
        return given.lower()

    def _origin_of_our_page(self, request: web.Request) -> str:
        host = request.host.lower()
        return self.own_origin if self.own_origin.endswith(f"//{host}") else f"{request.scheme}://{host}"


def visitor_origin(request: web.Request) -> str:
    """The origin of the page that asks."""
    return request[_ORIGIN_KEY]


def cors_headers(origin: str) -> dict[str, str]:
    """What lets the page read the answer; never with credentials, since the token is no cookie."""
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}


def origin_of_url(url: str) -> str:
    """`https://host:port` of an address of ours."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _let_read(request: web.Request, origin: str) -> None:
    for name, value in cors_headers(origin).items():
        add_answer_header(request, name, value)


@dataclass(frozen=True, slots=True)
class WebchatLimits:
    """How often visitors may write and come: shared by all gateways, off on a developer's machine.

    A visitor's address is the peer's, or what a trusted proxy says it is.
    """

    database: Database
    enabled: bool
    trusted_proxies: tuple[str, ...] = ()

    async def count_message(self, request: web.Request, session_id: str) -> None:
        """10 a minute for a session, 60 for an address. Raises RateLimitedError."""
        await self._take(f"webchat.session|{session_id}", per_second=10 / 60, burst=10)
        await self._take(f"webchat.address|{self._address(request)}", per_second=1, burst=60)

    async def count_session(self, request: web.Request) -> None:
        """20 an hour for an address. Raises RateLimitedError."""
        await self._take(f"webchat.sessions|{self._address(request)}", per_second=20 / 3600, burst=20)

    async def _take(self, key: str, *, per_second: float, burst: int) -> None:
        if not self.enabled:
            return
        lease = await KeyRateRepository(self.database, per_second, burst).lease(key, 1)
        if lease.tokens < 1:
            seconds = max(1, math.ceil(lease.wait_seconds))
            raise RateLimitedError("Too many messages; wait a moment", retry_after_seconds=seconds)

    def _address(self, request: web.Request) -> str:
        peer = request.remote or ""
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if not forwarded or not _is_within(peer, self.trusted_proxies):
            return peer
        return forwarded


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(network) for network in networks)
    except ValueError:
        return False
