"""Posting a webhook to a vendor's receiver, whatever it does to us."""

import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from services.webhooks.domain.deliveries import ATTEMPT_SECONDS, Answer
from shared.errors import InvalidInputError
from shared.outbound.addresses import Target, parse_target
from shared.outbound.guard import ForbiddenAddressError, UrlGuard

CONNECT_SECONDS = 3.0
MAX_RESPONSE_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class VendorClient:
    """Two sets of connections: one for ordinary URLs, one that reaches exempt addresses only."""

    ordinary: aiohttp.ClientSession
    exempt: aiohttp.ClientSession
    seconds: float  # of one attempt, from the look-up of the name to the end of the response

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, guard: UrlGuard, *, user_agent: str, seconds: float = ATTEMPT_SECONDS
    ) -> AsyncIterator["VendorClient"]:
        """A client that closes its connections with the block."""
        async with (
            _session(guard, user_agent, seconds, is_ordinary=True) as ordinary,
            _session(guard, user_agent, seconds, is_ordinary=False) as exempt,
        ):
            yield cls(ordinary, exempt, seconds)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make one attempt, of at most 15 seconds. Never raises: whatever goes wrong is the answer."""
        started = time.monotonic()
        try:
            target = parse_target(url)
            async with self._session_for(target).post(
                target.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return await self._read(response, started)
        except (aiohttp.ClientError, InvalidInputError, TimeoutError, OSError, ValueError) as error:
            return Answer(None, _milliseconds_since(started), error=self._reason(error))

    def _session_for(self, target: Target) -> aiohttp.ClientSession:
        return self.ordinary if target.is_ordinary else self.exempt

    async def _read(self, response: aiohttp.ClientResponse, started: float) -> Answer:
        text, error = b"", None
        try:
            text = await _read_limited(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as broken:
            error = self._reason(broken)  # the status has come all the same, and it alone decides
        if response.status >= 300:
            error = _refusal(response.status)
        return Answer(
            response.status,
            _milliseconds_since(started),
            error=error,
            response=text.decode("utf-8", "replace") or None,
            retry_after=response.headers.get("Retry-After"),
        )

    def _reason(self, error: Exception) -> str:
        """Why there was no (whole) answer, in words that a vendor may read."""
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        if isinstance(cause, ForbiddenAddressError | InvalidInputError):
            return str(cause)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"no connection within {CONNECT_SECONDS:g} s"
        if isinstance(error, TimeoutError):
            return f"no answer within {self.seconds:g} s"
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return "the host name does not resolve"
        if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
            return f"TLS: {type(cause).__name__}"
        return f"{type(error).__name__}: {cause}"[:300]


def _session(guard: UrlGuard, user_agent: str, seconds: float, *, is_ordinary: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=guard.connector(is_ordinary=is_ordinary),
        timeout=aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS),
        headers={"User-Agent": user_agent, "Content-Type": "application/json", "Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # 20 kB of gzip may be 20 MB of text
        trust_env=False,  # a proxy would connect in our place, past the guard
    )


async def _read_limited(content: aiohttp.StreamReader) -> bytes:
    """At most the first 20 kB; leaving the response then closes the connection instead of reading on."""
    read = bytearray()
    while len(read) < MAX_RESPONSE_BYTES:
        chunk = await content.read(MAX_RESPONSE_BYTES - len(read))
        if not chunk:
            break
        read += chunk
    return bytes(read)


def _refusal(status: int) -> str:
    return f"HTTP {status}: redirects are not followed" if status < 400 else f"HTTP {status}"


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
