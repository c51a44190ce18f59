"""`POST /{version}/{phone-number-id}/messages`: sends, read receipts and typing; and `/bench`, which does nothing."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..errors import GraphError
from ..faults import Faults
from ..gate import BadGatewayError
from ..inbound import Inbox
from ..instagram import InstagramDesk, is_instagrams
from ..sending import SendDesk, new_wamid
from ..validation.messages import parse_body
from ..validation.rules import choice, fields, string
from .access import check_access
from .answers import graph_error, json_answer, raw_json

_BAD_GATEWAY = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"

_read_receipt = fields(
    {"messaging_product": choice("whatsapp"), "status": choice("read"), "message_id": string()},
    {"typing_indicator": fields({"type": choice("text")})},
)


@dataclass(frozen=True, slots=True)
class MessageRoutes:
    """The send endpoint."""

    desk: SendDesk
    inbox: Inbox
    instagram: InstagramDesk
    faults: Faults
    rng: random.Random

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.post("/{version}/{phone_number_id}/messages", self.send), web.post("/bench", self.bench)]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Act first, answer later: a caller that gives up waiting has sent its message all the same."""
        if self.faults.now.bare_sends:
            return await self.bench(request)
        raw = await request.read()
        try:
            token = check_access(request, adopts_any_token=self.faults.now.profile == "calm")
            if b'"status"' in raw and "status" in (body := parse_body(raw)):
                return self._mark_read(body)
            if is_instagrams(raw):
                return json_answer(self.instagram.send(request.match_info["phone_number_id"], raw, parse_body(raw)))
            reply = self.desk.send(request.match_info["phone_number_id"], token, raw)
        except GraphError as error:
            return graph_error(error)
        except BadGatewayError:
            return web.Response(text=_BAD_GATEWAY, status=502, content_type="text/html")
        if reply.after_seconds:
            await asyncio.sleep(reply.after_seconds)
        if reply.cut and request.transport is not None:
            request.transport.abort()
        return raw_json(reply.body)

    async def bench(self, request: web.Request) -> web.StreamResponse:
        """A wamid at once; nothing is checked or kept."""
        await request.read()
        return raw_json(b'{"messages":[{"id":"%b"}]}' % new_wamid("0", self.rng).encode())

    def _mark_read(self, body: Mapping[str, Any]) -> web.Response:
        _read_receipt(body, ("message",))
        self.inbox.mark_read(body["message_id"])
        return json_answer({"success": True})
