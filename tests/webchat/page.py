"""A page that speaks with the transport itself, without a widget."""

from typing import Any

import aiohttp

from tests.webchat.stage import WEBCHAT_ID, Site

ORIGIN = "https://shop.example"


class Page:
    """A page of some origin, with the token that it holds."""

    def __init__(self, http: aiohttp.ClientSession, site: Site, origin: str | None = ORIGIN) -> None:
        self.http, self.site, self.origin = http, site, origin
        self.token: str | None = None
        self.headers: dict[str, str] = {}

    async def call(self, method: str, path: str, webchat_id: str = WEBCHAT_ID, **more: Any) -> tuple[int, Any]:
        """Status and body; `origin` and `token` may be given for this call only."""
        origin, token = more.pop("origin", self.origin), more.pop("token", self.token)
        headers = more.pop("headers", {})
        if origin is not None:
            headers["Origin"] = origin
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = f"{self.site.url}/webchat/{webchat_id}/{path}"
        async with self.http.request(method, url, headers=headers, **more) as answer:
            self.headers = dict(answer.headers)
            return answer.status, await answer.json() if answer.content_type == "application/json" else None

    async def open(self, webchat_id: str = WEBCHAT_ID, **body: Any) -> tuple[int, Any]:
        """A session; the token is kept."""
        status, answer = await self.call("POST", "sessions", webchat_id, json=body)
        if status == 201:
            self.token = answer["data"]["token"]
        return status, answer
