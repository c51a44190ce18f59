"""The handshake Meta performs when a callback URL is registered."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import aiohttp

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Handshake:
    """Asks the receiver to echo a challenge."""

    url: str
    verify_token: str = field(repr=False)

    async def perform(self) -> dict[str, Any]:
        """Whether the receiver answered 200 with exactly the challenge, and what it answered."""
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.verify_token}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self.url, params=query, allow_redirects=False) as answer,
            ):
                text = await answer.text()
                return {"ok": answer.status == 200 and text == challenge, "status": answer.status}
        except (aiohttp.ClientError, TimeoutError) as error:
            return {"ok": False, "status": None, "error": type(error).__name__}
