"""`/webchat/{webchat_id}`: a visitor's session, what they write, and what was said."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway.domain.visitor_tokens import LIFETIME, VisitorToken, read_visitor_token
from services.gateway.routes.api_key_login import bearer_token
from services.gateway.routes.asking import Asking
from services.gateway.routes.parameters import path_id, query_number
from services.gateway.routes.webchat_walls import ORIGIN_REFUSED, WebchatLimits, visitor_origin
from services.gateway.schemas.webchat import OpenSessionBody, VisitorMessageBody
from shared.bus.stream import Stream
from shared.clock import Clock, iso_millis
from shared.contracts.turns import ENTRY_STORED
from shared.contracts.webchat import (
    GetWebchatSession,
    GetWebchatTranscript,
    OpenWebchatSession,
    ReceiveWebchatMessage,
    VisitorIdentity,
    WebchatEntry,
    WebchatSession,
)
from shared.errors import PermissionDeniedError, UnauthenticatedError
from shared.ids import new_id
from shared.sealing import KeyRing
from shared.web.body import parse_body
from shared.web.envelopes import success

_UNKNOWN = "Webchat channel not found"


@dataclass(frozen=True, slots=True)
class Visitors:
    """Tells who asks: the token's signature, channel and origin here, whether all of it still stands at agents."""

    asking: Asking
    key_ring: KeyRing
    now: Clock

    async def session(self, request: web.Request) -> WebchatSession:
        """The caller's session. Raises UnauthenticatedError, PermissionDeniedError or NotFoundError."""
        token = self.token(request)
        query = GetWebchatSession(webchat_id=token.webchat_id, session_id=token.session_id, origin=token.origin)
        return await self.asking.query(query)

    def token(self, request: web.Request) -> VisitorToken:
        """The caller's token, made for this channel and this page."""
        webchat_id = path_id(request, "webchat_id", unknown=_UNKNOWN)
        token = read_visitor_token(bearer_token(request), self.key_ring.keys.values(), self.now())
        if token.webchat_id != webchat_id:
            raise UnauthenticatedError("This session belongs to another channel", code="invalid_session")
        if token.origin != visitor_origin(request):
            raise PermissionDeniedError("This session belongs to another site", code=ORIGIN_REFUSED)
        return token

    def sign(self, webchat_id: str, session: WebchatSession, origin: str) -> dict[str, Any]:
        """A new token, and until when it is good."""
        token = VisitorToken(session.session_id, webchat_id, origin, self.now() + LIFETIME)
        master_key = next(iter(self.key_ring.keys.values()))
        return {"token": token.signed(master_key), "expires_at": iso_millis(token.expires_at)}


@dataclass(frozen=True, slots=True)
class WebchatRoutes:
    """The plain requests of a widget; `webchat_events` holds the open one."""

    visitors: Visitors
    asking: Asking
    limits: WebchatLimits
    stream: Stream

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            web.post("/webchat/{webchat_id}/sessions", self.open_session),
            web.post("/webchat/{webchat_id}/messages", self.receive_message),
            web.get("/webchat/{webchat_id}/messages", self.list_messages, allow_head=False),
        ]

    async def open_session(self, request: web.Request) -> web.Response:
        """201 with a token for a day; a caller with a good token keeps their session."""
        webchat_id, origin = path_id(request, "webchat_id", unknown=_UNKNOWN), visitor_origin(request)
        body = await parse_body(request, OpenSessionBody)
        kept = self._session_to_keep(request)
        if kept is None:
            await self.limits.count_session(request)
        command = OpenWebchatSession(
            webchat_id=webchat_id,
            session_id=kept or new_id("session_"),
            origin=origin,
            identity=VisitorIdentity.model_validate(body.identity.model_dump()) if body.identity else None,
        )
        session = await self.asking.command(command, look_at="opening another session")
        data = {"session_id": session.session_id} | self.visitors.sign(webchat_id, session, origin)
        return success(request, data | {"channel": _shown_channel(session)}, status=201)

    async def receive_message(self, request: web.Request) -> web.Response:
        """201 with the message as it is stored; sent again with the same client id, it is stored once."""
        session = await self.visitors.session(request)
        body = await parse_body(request, VisitorMessageBody)
        await self.limits.count_message(request, session.session_id)
        command = ReceiveWebchatMessage(
            phone_number_id=session.phone_number_id,
            session_id=session.session_id,
            client_message_id=body.client_message_id,
            text=body.text,
            visitor=session.visitor,
        )
        received = await self.asking.command(command, look_at="sending it again with the same client_message_id")
        await self.stream.publish(session.session_id, ENTRY_STORED)  # to the visitor's other windows
        data = {
            "message_id": received.message_id,
            "client_message_id": body.client_message_id,
            "position": received.position,
            "at": iso_millis(received.received_at),
        }
        return success(request, data, status=201)

    async def list_messages(self, request: web.Request) -> web.Response:
        """200 with the newest entries, oldest of them first; `before` asks for those before a position."""
        session = await self.visitors.session(request)
        limit = query_number(request, "limit", default=50, most=200)
        before = query_number(request, "before", default=0, most=None) if "before" in request.query else None
        transcript = await self.asking.query(
            GetWebchatTranscript(
                phone_number_id=session.phone_number_id,
                session_id=session.session_id,
                last=True,
                before=before,
                limit=limit,
            )
        )
        data = {
            "entries": [shown_entry(entry) for entry in transcript.items],
            "last_position": transcript.last_position,
            "handled_by": transcript.handled_by,
            "has_more": len(transcript.items) == limit,
        }
        return success(request, data)

    def _session_to_keep(self, request: web.Request) -> str | None:
        try:
            return self.visitors.token(request).session_id
        except (UnauthenticatedError, PermissionDeniedError):
            return None


def shown_entry(entry: WebchatEntry) -> dict[str, Any]:
    """An entry as a widget reads it; what a campaign or an API call sent is shown as a person's."""
    author = "human" if entry.author == "business" else entry.author
    shown = entry.model_dump(exclude_none=True) | {"at": iso_millis(entry.at)}
    return shown | ({"author": author} if author else {})


def _shown_channel(session: WebchatSession) -> dict[str, Any]:
    return {
        "webchat_id": session.webchat_id,
        "name": session.channel_name,
        "greeting": session.greeting,
        "quick_replies": list(session.quick_replies),
        "language": session.language,
        "theme": session.theme.model_dump(),
    }
