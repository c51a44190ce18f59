"""Meta's side: the handshake, and the posts it signs."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from services.webhooks.domain.signing import is_signed_by_meta
from services.webhooks.metrics import META_WEBHOOKS
from shared.errors import PayloadTooLargeError, PermissionDeniedError, ServiceUnavailableError, UnauthenticatedError
from shared.web.metrics import observe_request

BODY_LIMIT_BYTES = 4 * 1024 * 1024  # Meta posts up to 3 MB

_PATH = "/webhooks/meta"
_ARRIVAL_SECONDS = 30.0
_SMALL_BYTES = 64 * 1024  # a status alone has less than one thousand
_NOT_STORED = web.RequestKey("waapi_not_stored", ServiceUnavailableError)


@dataclass(frozen=True, slots=True)
class MetaRoutes:
    """`take` stores a post; when it returns, the post cannot be lost any more."""

    take: Callable[[bytes], Awaitable[None]]
    app_secrets: tuple[str, ...] = field(repr=False)
    verify_token: str = field(repr=False)

    def table(self) -> list[web.RouteDef]:
        """The routes of the public listener."""
        return [
            web.get(_PATH, self.shake_hands),
            web.post(_PATH, self.receive),
        ]

    async def shake_hands(self, request: web.Request) -> web.Response:
        """Echo Meta's challenge when it knows our verify token. Raises PermissionDeniedError."""
        token = request.query.get("hub.verify_token", "")
        challenge = request.query.get("hub.challenge", "")
        is_known = hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self.verify_token.encode())
        if request.query.get("hub.mode") != "subscribe" or not is_known or not challenge:
            raise PermissionDeniedError("The verify token is not the one configured")
        return web.Response(text=challenge, content_type="text/plain")

    async def take_at_once(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """Answer a signed post that came in one piece, as nearly all do; None leaves it to the application.

        Going through the application, which explains refusals, costs as much as all else that is done for a post.
        """
        began = time.perf_counter()
        if request.method != "POST" or request.path != _PATH or not _is_here(request):
            return None
        raw = await request.read()
        if not self._is_signed(request, raw):
            return None
        try:
            await self.take(raw)
        except ServiceUnavailableError as error:
            request[_NOT_STORED] = error
            return None
        observe_request("webhooks", "POST", _PATH, 200, time.perf_counter() - began)
        return web.Response()

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 200 once a signed post is stored.

        Raises UnauthenticatedError (nothing is stored), PayloadTooLargeError, and ServiceUnavailableError when it
        could not be stored: Meta comes again.
        """
        raw = await _read(request)
        if not self._is_signed(request, raw):
            META_WEBHOOKS.labels("bad_signature").inc()
            raise UnauthenticatedError("The signature does not match the body")
        try:
            if (error := request.get(_NOT_STORED)) is not None:
                raise error
            await self.take(raw)
        except ServiceUnavailableError:
            META_WEBHOOKS.labels("not_stored").inc()
            raise
        return web.Response()

    def _is_signed(self, request: web.BaseRequest, raw: bytes) -> bool:
        return is_signed_by_meta(raw, request.headers.get("X-Hub-Signature-256"), self.app_secrets)


def _is_here(request: web.BaseRequest) -> bool:
    """Whether there is nothing to wait for: a small body has come with its headers."""
    return request.content.is_eof() and 0 < (request.content_length or 0) <= _SMALL_BYTES


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(_ARRIVAL_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        META_WEBHOOKS.labels("too_large").inc()
        raise PayloadTooLargeError("The body is larger than 4 MiB") from None
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
