"""`GET /webchat/{webchat_id}/events`: what is said, as it is said.

Server-sent events: `entry` is a stored line of the transcript, whose position is the event's id; `delta` is a piece of
the answer that is being written; `ready` says that the past has been told. Where streams do not come through, `wait`
asks for the next entries instead. Losing a delta or a hint loses nothing: the transcript is read again.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from aiohttp import web

from services.gateway.domain.answer_text import AnswerText, GapError, Piece
from services.gateway.routes.asking import Asking
from services.gateway.routes.parameters import query_number, refused_query
from services.gateway.routes.server_sent import HEADERS
from services.gateway.routes.webchat import Visitors, shown_entry
from services.gateway.routes.webchat_walls import cors_headers, visitor_origin
from shared.bus.stream import Deltas, Stream
from shared.contracts.turns import GetTurn, TextDelta
from shared.contracts.webchat import GetWebchatTranscript, WebchatEntry, WebchatSession
from shared.errors import WaapiError
from shared.web.envelopes import success

LONGEST_WAIT_SECONDS = 25
_PAGE = 100

Event = tuple[str, int | None, Any]


@dataclass(frozen=True, slots=True)
class WebchatEvents:
    """The streams that this process holds. Nothing of them is needed elsewhere: a widget resumes with any gateway."""

    visitors: Visitors
    asking: Asking
    stream: Stream
    ping_seconds: float = 15.0  # a widget gives up on a stream that is silent for 40
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [web.get("/webchat/{webchat_id}/events", self.events, allow_head=False)]

    async def close(self, _app: web.Application) -> None:
        """End all streams: their widgets come back to whoever serves then."""
        self._closing.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """200 with a stream until the browser or this process goes; with `wait`, one answer in JSON."""
        session = await self.visitors.session(request)
        after = _last_event_id(request)
        async with self.stream.listening(session.session_id) as deltas:
            told = _Telling(self.asking, session, after)
            if "wait" in request.query:
                seconds = query_number(request, "wait", default=LONGEST_WAIT_SECONDS, most=LONGEST_WAIT_SECONDS)
                return await self._poll(request, told, deltas, seconds)
            first = [event async for event in told.catch_up()]  # an error is still an ordinary answer here
            response = web.StreamResponse(headers={**HEADERS, **cors_headers(visitor_origin(request))})
            await response.prepare(request)
            try:
                await _write(response, first)
                await self._follow(response, told, deltas)
            except (ConnectionError, WaapiError):  # the browser has gone, or we cannot go on: it will come back
                pass
            return response

    async def _follow(self, response: web.StreamResponse, told: "_Telling", deltas: Deltas) -> None:
        while not self._closing.is_set():
            delta = await self._next(deltas, self.ping_seconds)
            if self._closing.is_set():
                return
            if delta is None:
                await response.write(b": ping\n\n")
            await _write(response, [event async for event in told.hear(delta)])

    async def _poll(self, request: web.Request, told: "_Telling", deltas: Deltas, seconds: int) -> web.Response:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        found = [event async for event in told.new_entries()]
        while not found and not self._closing.is_set() and (left := until - loop.time()) > 0:
            delta = await self._next(deltas, left)
            if delta is None or delta.entry_stored:
                found = [event async for event in told.new_entries()]
        return success(request, {"entries": [entry for _, _, entry in found], "last_position": told.position})

    async def _next(self, deltas: Deltas, seconds: float) -> TextDelta | None:
        """The next delta; None when none came in time, or when this process is about to stop."""
        getting = asyncio.ensure_future(deltas.get())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({getting, closing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            closing.cancel()


@dataclass(slots=True)
class _Telling:
    """What one stream has told so far, and what it tells next."""

    asking: Asking
    session: WebchatSession
    position: int
    answer: AnswerText = field(default_factory=AnswerText)

    async def catch_up(self) -> AsyncIterator[Event]:
        """Everything until now: what was stored, and the answer in the making."""
        async for event in self.new_entries():
            yield event
        async for event in self._whole_answer():
            yield event
        yield "ready", None, {"position": self.position}

    async def hear(self, delta: TextDelta | None) -> AsyncIterator[Event]:
        """What follows from a delta, a hint, or a while of silence."""
        if delta is None or delta.entry_stored:
            async for event in self.new_entries():
                yield event
            return
        try:
            piece = self.answer.take(delta.turn_id, delta.offset, delta.text)
        except GapError:
            async for event in self._whole_answer():
                yield event
            return
        if piece is not None:
            yield _delta(piece)

    async def new_entries(self) -> AsyncIterator[Event]:
        """The entries after the last one told."""
        while True:
            transcript = await self.asking.query(
                GetWebchatTranscript(
                    phone_number_id=self.session.phone_number_id,
                    session_id=self.session.session_id,
                    after=self.position,
                    limit=_PAGE,
                )
            )
            for entry in transcript.items:
                yield self._entry(entry)
            if len(transcript.items) < _PAGE:
                return

    async def _whole_answer(self) -> AsyncIterator[Event]:
        turn = await self.asking.query(GetTurn(session_id=self.session.session_id))
        if turn.turn_id is not None:
            self.answer = AnswerText(turn.turn_id, turn.text)
            yield _delta(Piece(turn.turn_id, 0, turn.text))

    def _entry(self, entry: WebchatEntry) -> Event:
        self.position = max(self.position, entry.position)
        if entry.author != "visitor":
            self.answer = AnswerText()
        return "entry", entry.position, shown_entry(entry)


def _delta(piece: Piece) -> Event:
    return "delta", None, asdict(piece)


async def _write(response: web.StreamResponse, events: list[Event]) -> None:
    if events:
        await response.write(b"".join(_lines(*event) for event in events))


def _lines(name: str, id_: int | None, data: Any) -> bytes:
    id_line = b"" if id_ is None else b"id: %d\n" % id_
    return id_line + b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


def _last_event_id(request: web.Request) -> int:
    text = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise refused_query("after", "after query parameter must be the position of an entry")
    return int(text)
