"""Who calls the external send API: the API key in the Authorization header, and how often it may call."""

import math
from dataclasses import dataclass

from aiohttp import web

from services.gateway.domain.api_keys import ApiKey, hash_secret, is_same_secret, parse_token
from services.gateway.repositories.api_keys import ApiKeyRepository
from services.gateway.routes.rate_limit import RateLimit
from shared.clock import Clock
from shared.errors import RateLimitedError, UnauthenticatedError
from shared.web.answers import add_answer_header


@dataclass(frozen=True, slots=True)
class ApiKeyLogin:
    """Looks a key up anew for each request: revoking one acts at once, in every process."""

    keys: ApiKeyRepository
    rate_limit: RateLimit
    pepper: str
    now: Clock

    async def caller(self, request: web.Request) -> ApiKey:
        """The key of the request. Raises UnauthenticatedError or RateLimitedError."""
        key = await self.authenticate(bearer_token(request))
        await self._count(request, key)
        await self.keys.mark_used(key, self.now())
        return key

    async def authenticate(self, token: str | None) -> ApiKey:
        """The live key that the token belongs to. Raises UnauthenticatedError, without saying what is wrong."""
        if token is None:
            raise UnauthenticatedError("Missing or invalid Authorization token")
        given = parse_token(token)
        if given is None:
            raise UnauthenticatedError("Missing or invalid Authorization token", code="invalid_token")
        key = await self.keys.find(given.key_id)
        stored_hash = key.secret_hash if key is not None else hash_secret(self.pepper, "")
        same = is_same_secret(self.pepper, given.secret, stored_hash)
        if key is None or not same or not key.is_live(self.now()):
            raise UnauthenticatedError("Missing or invalid Authorization token", code="invalid_token")
        return key

    async def _count(self, request: web.Request, key: ApiKey) -> None:
        wait_seconds = await self.rate_limit.take(key.key_id)
        if not wait_seconds:
            return
        seconds = max(1, math.ceil(wait_seconds))
        add_answer_header(request, "RateLimit-Limit", str(int(self.rate_limit.per_second)))
        add_answer_header(request, "RateLimit-Remaining", "0")
        add_answer_header(request, "RateLimit-Reset", str(seconds))
        raise RateLimitedError("This API key calls too often; slow down", retry_after_seconds=seconds)


def bearer_token(request: web.Request) -> str | None:
    """The token of `Authorization: Bearer …`, or None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None
