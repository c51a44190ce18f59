"""`/admin/dlq`: what could not be handled on the bus, for operators."""

import re
from dataclasses import dataclass

from aiohttp import web

from services.gateway.routes.parameters import query_number
from shared.bus.dead_letters import DeadLetters
from shared.clock import iso_millis
from shared.errors import NotFoundError
from shared.web.body import read_json_bytes
from shared.web.envelopes import success

_QUEUE = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeadLetterRoutes:
    """Bodies are not shown: they may hold what people wrote."""

    dead_letters: DeadLetters

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.get("/admin/dlq", self.count),
            web.get("/admin/dlq/{queue}", self.look),
            web.post("/admin/dlq/{queue}/replay", self.replay),
            web.delete("/admin/dlq/{queue}", self.drop),
        ]

    async def count(self, request: web.Request) -> web.Response:
        """200 with how many there are of each queue."""
        counts = await self.dead_letters.count()
        return success(request, [{"queue": name, "messages": number} for name, number in sorted(counts.items())])

    async def look(self, request: web.Request) -> web.Response:
        """200 with the first of a queue."""
        limit = query_number(request, "limit", default=20, most=200)
        found = await self.dead_letters.look(_queue(request), limit)
        shown = [
            {
                "message_id": each.message_id,
                "type": each.type,
                "reason": each.reason,
                "died_at": iso_millis(each.died_at) if each.died_at else None,
            }
            for each in found
        ]
        return success(request, shown)

    async def replay(self, request: web.Request) -> web.Response:
        """200 with how many were handed over once more."""
        await read_json_bytes(request)
        return success(request, {"replayed": await self.dead_letters.replay(_queue(request))})

    async def drop(self, request: web.Request) -> web.Response:
        """200 with how many were forgotten."""
        return success(request, {"dropped": await self.dead_letters.drop(_queue(request))})


def _queue(request: web.Request) -> str:
    name = request.match_info["queue"]
    if not _QUEUE.fullmatch(name):
        raise NotFoundError("Queue not found")
    return name
