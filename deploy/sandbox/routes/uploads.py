"""Meta's resumable upload: a session, then the bytes for a handle that a template's header names as its sample."""

import base64
import secrets
from dataclasses import dataclass, field

from aiohttp import web

from ..errors import GraphError, unknown_object
from .access import check_access
from .answers import as_graph, json_answer

LARGEST_FILE = 16 * 1024 * 1024
FILE_TYPES = frozenset({"application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"})
SESSIONS_KEPT = 1_000


@dataclass(slots=True)
class Session:
    """An upload that was announced."""

    length: int
    file_type: str
    received: int = 0


@dataclass(frozen=True, slots=True)
class UploadRoutes:
    """Sessions by id; the bytes themselves are not kept."""

    sessions: dict[str, Session] = field(default_factory=dict)

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        session = "/{version}/{session:upload:[^/]+}"
        return [
            web.post("/{version}/{app_id}/uploads", as_graph(self.open)),
            web.post(session, as_graph(self.take)),
            web.get(session, as_graph(self.show)),
        ]

    def reset(self) -> None:
        """Forget all sessions."""
        self.sessions.clear()

    async def open(self, request: web.Request) -> web.StreamResponse:
        """A session for a file of a length and type."""
        check_access(request)
        length, file_type = request.query.get("file_length", ""), request.query.get("file_type", "")
        if not length.isdecimal() or not 1 <= int(length) <= LARGEST_FILE:
            raise GraphError(100, message="(#100) Param file_length must be a positive integer within the limit.")
        if file_type not in FILE_TYPES:
            raise GraphError(100, message=f"(#100) Param file_type must be one of {sorted(FILE_TYPES)}.")
        identifier = f"upload:{secrets.token_urlsafe(24)}"
        self.sessions[identifier] = Session(int(length), file_type)
        if len(self.sessions) > SESSIONS_KEPT:
            self.sessions.pop(next(iter(self.sessions)))
        return json_answer({"id": identifier})

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The bytes from `file_offset` on; a handle once all of them have come."""
        session = self._session(request)
        offset = request.headers.get("file_offset", "")
        if not offset.isdecimal() or int(offset) != session.received:
            raise GraphError(100, message=f"(#100) The file_offset must be {session.received}.")
        session.received += len(await request.read())
        if session.received != session.length:
            raise GraphError(100, message=f"(#100) {session.received} of {session.length} bytes have been received.")
        return json_answer({"h": f"4::{base64.b64encode(session.file_type.encode()).decode()}:{secrets.token_hex(12)}"})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """How far an upload has come."""
        session = self._session(request)
        return json_answer({"id": request.match_info["session"], "file_offset": str(session.received)})

    def _session(self, request: web.Request) -> Session:
        check_access(request)
        identifier = request.match_info["session"]
        if identifier not in self.sessions:
            raise unknown_object(identifier)
        return self.sessions[identifier]
