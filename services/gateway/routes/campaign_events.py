"""`GET /api/v1/campaign/:id/events`: how a campaign is doing, as it does it.

Server-sent events: `progress` is the campaign as `GET` shows it, whenever it has changed; `done` is the last one. Each
tells everything, so a stream that broke is resumed by being opened again: `Last-Event-ID` only keeps what was told
last from being told twice.
"""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiohttp import web

from services.gateway.routes.asking import Asking
from services.gateway.routes.campaigns import campaign_id, campaign_shown
from services.gateway.routes.server_sent import HEADERS, pause
from shared.contracts.campaigns import Campaign, GetCampaign
from shared.errors import WaapiError
from shared.web.answers import answer_headers

POLL_SECONDS: Final = 1.0
PING_SECONDS: Final = 15.0  # proxies close what is silent for 30 or 60

_OVER = ("COMPLETED", "CANCELLED", "FAILED")
_LAST = "-last"


@dataclass(frozen=True, slots=True)
class CampaignEvents:
    """The streams that this process holds."""

    asking: Asking
    poll_seconds: float = POLL_SECONDS
    ping_seconds: float = PING_SECONDS
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.get("/api/v1/campaign/{campaign_id}/events", self.events, allow_head=False)]

    async def close(self, _app: web.Application) -> None:
        """End all streams: whoever watches comes back to whoever serves then."""
        self._closing.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """200 with a stream until the campaign is over; 204 to who has heard the end, so that browsers stop asking."""
        last_id = request.headers.get("Last-Event-ID", "")
        query = GetCampaign(campaign_id=campaign_id(request))
        campaign = await self.asking.query(query)  # an error is still an ordinary answer here
        if last_id.endswith(_LAST) and campaign.status in _OVER:
            return web.Response(status=204)
        response = web.StreamResponse(headers={**HEADERS, **answer_headers(request)})
        await response.prepare(request)
        with suppress(ConnectionError, WaapiError):  # the browser has gone, or we cannot go on: it will come back
            await self._follow(response, query, campaign, last_id)
        return response

    async def _follow(self, response: web.StreamResponse, query: GetCampaign, campaign: Campaign, last_id: str) -> None:
        silent = 0.0
        while not self._closing.is_set():
            id_, text = _event(campaign)
            if id_ != last_id:
                await response.write(text)
                last_id, silent = id_, 0.0
            if campaign.status in _OVER:
                return
            if silent >= self.ping_seconds:
                await response.write(b": ping\n\n")
                silent = 0.0
            await pause(self.poll_seconds, self._closing)
            silent += self.poll_seconds
            campaign = await self.asking.query(query)


def _event(campaign: Campaign) -> tuple[str, bytes]:
    """An event and its id, which follows from what it tells: the same news has the same id on every gateway."""
    shown: dict[str, Any] = campaign_shown(campaign)
    data = orjson.dumps(shown)
    steady = orjson.dumps(shown | {"rate_per_second": 0, "estimated_completion_at": None})
    over = campaign.status in _OVER
    id_ = hashlib.sha256(steady).hexdigest()[:16] + (_LAST if over else "")
    return id_, b"id: %s\nevent: %s\ndata: %s\n\n" % (id_.encode(), b"done" if over else b"progress", data)
