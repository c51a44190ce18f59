"""How answers are written: Meta's JSON, Meta's errors, and the sandbox's own."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from ..errors import GraphError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {"Content-Type": "application/json; charset=UTF-8"}


def raw_json(body: bytes, status: int = 200) -> web.Response:
    """An answer whose JSON is already written."""
    return web.Response(body=body, status=status, headers=_HEADERS)


def json_answer(data: Any, status: int = 200) -> web.Response:
    """An answer from plain values."""
    return raw_json(orjson.dumps(data), status)


def graph_error(error: GraphError) -> web.Response:
    """Meta's error envelope; its trace id is repeated in a header, as Meta's logs need it."""
    envelope = error.envelope()
    answer = json_answer(envelope, error.http_status)
    answer.headers.update({"x-fb-trace-id": envelope["error"]["fbtrace_id"], **error.headers})
    return answer


def refusal(field: str, problem: str) -> web.Response:
    """400 of a control route: the field and what is wrong with it."""
    return json_answer({"error": {"field": field, "message": problem}}, 400)


def invalid(error: ValidationError) -> web.Response:
    """400 of a control route whose body does not fit its model."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "body"
    return refusal(name, f"{name}: {first['msg']}")


def as_graph(handler: Handler) -> Handler:
    """Answer a route's `GraphError` as Meta does."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except GraphError as error:
            return graph_error(error)

    return handle
