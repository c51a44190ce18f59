"""The old spelling of names, userId for user_id, which the nine old routes below /admin still take."""

from typing import TypeVar

from aiohttp import web
from multidict import MultiDict
from pydantic import BaseModel

from shared.web.body import read_json, validate

BodyT = TypeVar("BodyT", bound=BaseModel)

_OLD_NAMES = {"userId": "user_id", "phoneNumberId": "phone_number_id", "templateId": "template_id"}
_IS_OLD: web.RequestKey[bool] = web.RequestKey("waapi_old_names", bool)


def with_old_names(request: web.Request) -> web.Request:
    """The same request, its query in today's names; where both spellings are given, today's counts."""
    query: MultiDict[str] = MultiDict()
    for name, value in request.query.items():
        if name not in _OLD_NAMES:
            query.add(name, value)
        elif _OLD_NAMES[name] not in request.query:
            query.add(_OLD_NAMES[name], value)
    renamed = request.clone(rel_url=request.rel_url.with_query(query))
    renamed[_IS_OLD] = True
    return renamed


async def parse_named_body(request: web.Request, model: type[BodyT]) -> BodyT:
    """As `parse_body`, for a body that may be in the old names. Raises InvalidInputError."""
    value = await read_json(request)
    if request.get(_IS_OLD) and isinstance(value, dict):
        value = {_OLD_NAMES.get(name, name): found for name, found in value.items()} | {
            name: found for name, found in value.items() if name in _OLD_NAMES.values()
        }
    return validate(model, value)
