"""Nobody guesses ids: whoever asks for too many things that are not there is turned away for a while."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from services.gateway.repositories.key_rates import KeyRateRepository
from shared.errors import NotFoundError, RateLimitedError

BARRED_SECONDS = 60

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NotFounds:
    """Counts what was not found for each address, over all gateways; only misses cost a look at the database.

    A gateway remembers whom it bars; another one bars the same address with its next miss there.
    """

    rates: KeyRateRepository
    monotonic: Callable[[], float] = time.monotonic
    _barred_until: dict[str, float] = field(default_factory=dict)

    async def watch(self, request: web.Request, caller: str, handler: Handler) -> web.StreamResponse:
        """Answer, and count. Raises RateLimitedError for an address that is barred."""
        seconds = self._barred_until.get(caller, 0.0) - self.monotonic()
        if seconds > 0:
            raise RateLimitedError(
                "Too many requests for things that are not there; wait a moment",
                code="too_many_not_found",
                retry_after_seconds=max(1, round(seconds)),
            )
        try:
            response = await handler(request)
        except (NotFoundError, web.HTTPNotFound):
            await self._count(caller)
            raise
        if response.status == 404:
            await self._count(caller)
        return response

    async def _count(self, caller: str) -> None:
        lease = await self.rates.lease(f"not_found|{caller}", 1)
        if lease.tokens:
            return
        now = self.monotonic()
        for passed in [address for address, until in self._barred_until.items() if until <= now]:
            del self._barred_until[passed]
        self._barred_until[caller] = now + BARRED_SECONDS
        log.warning("caller_barred", caller=caller, seconds=BARRED_SECONDS)
