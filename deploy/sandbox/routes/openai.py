"""`/v1/responses` and `/v1/conversations` as OpenAI answers them, and `/_sandbox/openai` to play with it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

import orjson
from aiohttp import web
from pydantic import ValidationError

from ..openai.desk import ResponseDesk, Thought
from ..openai.events import closing, encoded, is_delta, middle, opening
from ..openai.faults import merged
from ..openai.requests import OpenAIError, parse
from .answers import invalid, json_answer, refusal

_LOOK_SECONDS = 0.02  # how often a waiting request looks whether its caller has gone
_HANG_SECONDS = 3_600.0
_STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CallerGoneError(Exception):
    """Nobody waits for this response any longer: the model stops, as OpenAI's does."""


@dataclass(frozen=True, slots=True)
class OpenAIRoutes:
    """OpenAI's part of the sandbox."""

    desk: ResponseDesk

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/v1/responses", _as_openai(self.create)),
            web.get("/v1/responses/{id}", _as_openai(self.show)),
            web.delete("/v1/responses/{id}", _as_openai(self.delete)),
            web.post("/v1/conversations", _as_openai(self.create_conversation)),
            web.get("/_sandbox/openai", self.show_faults),
            web.put("/_sandbox/openai", self.change_faults),
            web.get("/_sandbox/openai/requests", self.requests),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Answer, streamed or whole."""
        asked = parse(await request.read())
        thought = self.desk.think(asked)
        answer = web.StreamResponse(headers=_STREAM_HEADERS)
        try:
            if asked.stream:
                await self._tell(request, answer, thought)
                return answer
            await _think(request, thought)
        except (CallerGoneError, ConnectionError, asyncio.CancelledError) as gone:
            thought.asked.outcome = "cancelled"
            if isinstance(gone, asyncio.CancelledError):
                raise
            return answer
        self.desk.keep(thought)
        return json_answer(thought.response)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """One stored response."""
        return json_answer(self.desk.get_response(request.match_info["id"]))

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Forget one response."""
        return json_answer(self.desk.delete_response(request.match_info["id"]))

    async def create_conversation(self, request: web.Request) -> web.StreamResponse:
        """Begin a conversation."""
        raw = await request.read()
        return json_answer(self.desk.new_conversation(orjson.loads(raw).get("items") or [] if raw else []))

    async def show_faults(self, request: web.Request) -> web.Response:
        """What the model does now."""
        return json_answer(self.desk.faults.model_dump())

    async def change_faults(self, request: web.Request) -> web.Response:
        """Merge a change into it."""
        try:
            change = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            return refusal("body", f"not JSON: {error}")
        if not isinstance(change, dict):
            return refusal("body", "must be a JSON object")
        try:
            self.desk.faults = merged(self.desk.faults, change)
        except ValidationError as error:
            return invalid(error)
        return json_answer(self.desk.faults.model_dump())

    async def requests(self, request: web.Request) -> web.Response:
        """What was asked of the model, newest last."""
        return json_answer({"requests": [asked.view() for asked in self.desk.requests]})

    async def _tell(self, request: web.Request, answer: web.StreamResponse, thought: Thought) -> None:
        await answer.prepare(request)
        number = count()
        for event in opening(thought.response):
            await answer.write(encoded(event, next(number)))
        await _think(request, thought)
        for event in middle(thought.response["output"]):
            if is_delta(event):
                await _wait(request, self.desk.faults.chunk_ms / 1000)
                thought.asked.first_token_at = thought.asked.first_token_at or time.time()
            await answer.write(encoded(event, next(number)))
            if thought.wish.behaviour == "break" and is_delta(event) and request.transport is not None:
                request.transport.abort()
                raise CallerGoneError
        self.desk.keep(thought)
        await answer.write(encoded(closing(thought.response), next(number)))
        await answer.write_eof()


async def _think(request: web.Request, thought: Thought) -> None:
    await _wait(request, _HANG_SECONDS if thought.wish.behaviour == "hang" else thought.wish.latency_ms / 1000)


async def _wait(request: web.Request, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (left := until - loop.time()) > 0:
        _check_caller(request)
        await asyncio.sleep(min(left, _LOOK_SECONDS))
    _check_caller(request)


def _check_caller(request: web.Request) -> None:
    if request.transport is None or request.transport.is_closing():
        raise CallerGoneError


def _check_key(request: web.Request) -> None:
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        raise OpenAIError(401, "You didn't provide an API key.", code="invalid_api_key")


def _as_openai(handler: Handler) -> Handler:
    """Ask for a key, and answer refusals in OpenAI's envelope."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            _check_key(request)
            return await handler(request)
        except OpenAIError as error:
            answer = json_answer(error.body, error.status)
            answer.headers.update(error.headers)
            return answer

    return handle
