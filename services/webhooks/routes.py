"""Meta's side: the handshake, and the posts it signs."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from services.webhooks.domain.signing import is_signed_by_meta
from services.webhooks.metrics import META_WEBHOOKS
from shared.errors import PayloadTooLargeError, PermissionDeniedError, ServiceUnavailableError, UnauthenticatedError

BODY_LIMIT_BYTES = 4 * 1024 * 1024  # Meta posts up to 3 MB

_ARRIVAL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class MetaRoutes:
    """`take` stores a post; when it returns, the post cannot be lost any more."""

    take: Callable[[bytes], Awaitable[None]]
    app_secrets: tuple[str, ...] = field(repr=False)
    verify_token: str = field(repr=False)

    def table(self) -> list[web.RouteDef]:
        """The routes of the public listener."""
        return [
            web.get("/webhooks/meta", self.shake_hands),
            web.post("/webhooks/meta", self.receive),
        ]

    async def shake_hands(self, request: web.Request) -> web.Response:
        """Echo Meta's challenge when it knows our verify token. Raises PermissionDeniedError."""
        token = request.query.get("hub.verify_token", "")
        challenge = request.query.get("hub.challenge", "")
        is_known = hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self.verify_token.encode())
        if request.query.get("hub.mode") != "subscribe" or not is_known or not challenge:
            raise PermissionDeniedError("The verify token is not the one configured")
        return web.Response(text=challenge, content_type="text/plain")

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 200 once a signed post is stored.

        Raises UnauthenticatedError (nothing is stored), PayloadTooLargeError, and ServiceUnavailableError when it
        could not be stored: Meta comes again.
        """
        raw = await _read(request)
        if not is_signed_by_meta(raw, request.headers.get("X-Hub-Signature-256"), self.app_secrets):
            META_WEBHOOKS.labels("bad_signature").inc()
            raise UnauthenticatedError("The signature does not match the body")
        try:
            await self.take(raw)
        except ServiceUnavailableError:
            META_WEBHOOKS.labels("not_stored").inc()
            raise
        return web.Response()


async def _read(request: web.Request) -> bytes:
    try:
        if request.content.is_eof():  # came in one piece with its headers, as nearly all do: nothing to wait for
            return await request.read()
        async with asyncio.timeout(_ARRIVAL_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        META_WEBHOOKS.labels("too_large").inc()
        raise PayloadTooLargeError("The body is larger than 4 MiB") from None
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
