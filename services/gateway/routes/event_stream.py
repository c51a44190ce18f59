"""`GET /admin/events/stream`: a user's vendor events as they happen, for a terminal during development.

Server-sent events: the event's name and body as a webhook would get them; `id` is a position with which a stream that
broke goes on (`Last-Event-ID`). The webhooks service keeps events for whoever asked within the last minute.
"""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from services.gateway.routes.asking import Asking
from services.gateway.routes.parameters import refused_query, required_query_id
from services.gateway.routes.server_sent import HEADERS, pause
from shared.contracts.subscriptions import HeardEvent, HearEvents
from shared.errors import WaapiError
from shared.ids import new_id

POLL_SECONDS: Final = 0.5
PING_SECONDS: Final = 15.0  # proxies close what is silent for 30 or 60

_LAST_ID = re.compile(r"(listener_[A-Za-z0-9]{22})\.([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventStream:
    """The streams that this process holds."""

    asking: Asking
    poll_seconds: float = POLL_SECONDS
    ping_seconds: float = PING_SECONDS
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.get("/admin/events/stream", self.events, allow_head=False)]

    async def close(self, _app: web.Application) -> None:
        """End all streams: whoever listens comes back to whoever serves then."""
        self._closing.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """200 with a stream until the caller or this process goes."""
        hear = HearEvents(user_id=required_query_id(request, "user_id"), **_place(request))
        await self._hear(hear)  # an error is still an ordinary answer here
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        with suppress(ConnectionError, WaapiError):  # the caller has gone, or we cannot go on: he will come back
            await self._follow(request, response, hear)
        return response

    async def _follow(self, request: web.Request, response: web.StreamResponse, hear: HearEvents) -> None:
        silent = self.ping_seconds  # the first thing told is that the stream stands
        while not self._closing.is_set() and request.transport is not None:
            heard = await self._hear(hear)
            if heard:
                await response.write(b"".join(_lines(hear.listener_id, event) for event in heard))
                hear, silent = hear.model_copy(update={"after": heard[-1].position}), 0.0
            elif silent >= self.ping_seconds:
                await response.write(b": listening\n\n")
                silent = 0.0
            await pause(self.poll_seconds, self._closing)
            silent += self.poll_seconds

    async def _hear(self, hear: HearEvents) -> tuple[HeardEvent, ...]:
        return (await self.asking.command(hear, look_at="the stream")).items


def _place(request: web.Request) -> dict[str, str | int]:
    """Who goes on from where; somebody new without `Last-Event-ID`."""
    last_id = request.headers.get("Last-Event-ID")
    if last_id is None:
        return {"listener_id": new_id("listener_")}
    match = _LAST_ID.fullmatch(last_id)
    if match is None:
        raise refused_query("Last-Event-ID", "Last-Event-ID must be the id of an event of this stream")
    return {"listener_id": match[1], "after": int(match[2])}


def _lines(listener_id: str, event: HeardEvent) -> bytes:
    # The body is one line: JSON as we write it has no line breaks outside of strings, and escapes them inside.
    return f"id: {listener_id}.{event.position}\nevent: {event.event}\ndata: {event.body}\n\n".encode()
