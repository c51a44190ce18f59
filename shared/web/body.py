"""Reading a request: the raw body, its JSON, and the model that a route expects."""

import asyncio
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.errors import InvalidInputError, UnsupportedMediaTypeError
from shared.web.field_errors import invalid_input
from shared.web.json_text import parse_json

BodyT = TypeVar("BodyT", bound=BaseModel)

_ARRIVAL_SECONDS = 30  # a body that drips in slower than this holds a connection for nothing


async def read_json_bytes(request: web.Request) -> bytes:
    """The body of a JSON route, not parsed yet; empty when there is none.

    Raises UnsupportedMediaTypeError for a body of another type (so that no plain HTML form can write), and
    aiohttp's 413 or 408 for one that is too large or too slow.
    """
    if request.body_exists and not _is_json(request):
        raise UnsupportedMediaTypeError("The body must be sent with Content-Type: application/json, uncompressed")
    try:
        async with asyncio.timeout(_ARRIVAL_SECONDS):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


async def read_json(request: web.Request) -> Any:
    """The body's JSON value. Raises InvalidInputError when there is no body or it is not strict JSON."""
    raw = await read_json_bytes(request)
    if not raw:
        raise InvalidInputError("A JSON body is required", code="body_required")
    return parse_json(raw)


async def parse_body(request: web.Request, model: type[BodyT], *, context: dict[str, Any] | None = None) -> BodyT:
    """The body as `model`. Raises InvalidInputError that names every field which is wrong."""
    return validate(model, await read_json(request), context=context)


def validate(model: type[BodyT], value: Any, *, context: dict[str, Any] | None = None) -> BodyT:
    """A parsed JSON value as `model`. Raises InvalidInputError that names every field which is wrong."""
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        raise invalid_input(error) from None


def validate_as(adapter: TypeAdapter[Any], value: Any, *, context: dict[str, Any] | None = None) -> Any:
    """Like `validate`, for a union of models."""
    try:
        return adapter.validate_python(value, context=context)
    except ValidationError as error:
        raise invalid_input(error) from None


def _is_json(request: web.Request) -> bool:
    charset = (request.charset or "utf-8").lower()
    is_plain = request.headers.get("Content-Encoding", "identity").lower() == "identity"
    return is_plain and request.content_type == "application/json" and charset in {"utf-8", "utf8", "us-ascii"}
