"""Asking the dashboard API while processes die: again and again, by the same key, until there is an answer."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from tests.crash.load import COME_AGAIN, GIVE_UP_SECONDS
from tests.product.api import Api

PAUSE_SECONDS = 0.5
TOO_LATE = "wrong_campaign_status"


@dataclass(frozen=True, slots=True)
class Insistent:
    """Somebody who takes no outage for an answer."""

    http: aiohttp.ClientSession
    api: Api

    async def until(self, path: str, pick: Callable[[Any], Any]) -> Any:
        """Look until there is what is looked for."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                status, answer = await self._try("GET", path)
                if status == 200 and (picked := pick(answer["data"])) is not None:
                    return picked
                await asyncio.sleep(PAUSE_SECONDS)

    async def insist(
        self, path: str, key: str, body: bytes, strange: list[str], *, content_type: str = "application/json"
    ) -> Mapping[str, Any]:
        """Post by the same key until it is answered; returns the answer's data, nothing where it came too late.

        An answer that nobody should get is added to `strange`.
        """
        headers = {"Idempotency-Key": key} | ({"Content-Type": content_type} if body else {})
        deadline, status = time.monotonic() + GIVE_UP_SECONDS, 0
        while time.monotonic() < deadline:
            status, answer = await self._try("POST", path, body, headers)
            if status in {200, 201}:
                return dict(answer["data"])
            if status == 409 and TOO_LATE in str(answer):
                return {}
            if status and status not in COME_AGAIN:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        strange.append(f"{path} was answered {status}: {str(answer)[:300]}")
        return {}

    async def _try(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body; 0 when there was no answer."""
        url = f"{self.api.gateway}{path}"
        try:
            async with self.http.request(method, url, data=body or None, headers=headers) as answer:
                return answer.status, orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            return 0, type(error).__name__
