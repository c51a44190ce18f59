"""`/{version}/{waba-id}/message_templates`: create, list with cursors, delete."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from ..errors import GraphError
from ..numbers import Numbers
from ..templates.desk import TemplateDesk
from ..templates.store import DEFAULT_FIELDS, Template, Templates
from ..validation.messages import parse_body
from .access import check_access
from .answers import as_graph, json_answer
from .nodes import pick

DEFAULT_LIMIT = 25
MAX_LIMIT = 1_000
_CURSOR_MARK = "sandbox:"


@dataclass(frozen=True, slots=True)
class TemplateRoutes:
    """An account's templates."""

    numbers: Numbers
    templates: Templates
    desk: TemplateDesk

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        path = "/{version}/{waba_id}/message_templates"
        return [
            web.get(path, as_graph(self.list)),
            web.post(path, as_graph(self.create)),
            web.delete(path, as_graph(self.delete)),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Take a template in for review."""
        waba_id = self._account(request)
        template = self.desk.create(waba_id, parse_body(await request.read()))
        answer = {"id": template.template_id, "status": template.status, "category": template.category}
        return json_answer(answer)

    async def list(self, request: web.Request) -> web.StreamResponse:
        """One page, oldest first; `next` carries the token, as Meta's does."""
        waba_id = self._account(request)
        found = self.templates.list_of(waba_id, _wanted(request))
        limit, start, end = _page(request, len(found))
        page = found[start:end]
        asked = request.query.get("fields")
        answer: dict[str, Any] = {"data": [pick(template.fields(), asked, DEFAULT_FIELDS) for template in page]}
        if page:
            paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(end)}}
            for name, exists, cursor in (("next", end < len(found), "after"), ("previous", start > 0, "before")):
                if exists:
                    paging[name] = self._link(request, limit, cursor, paging["cursors"][cursor])
            answer["paging"] = paging
        return json_answer(answer)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Delete all languages of a name, or one template by `hsm_id`, or several by `hsm_ids`."""
        waba_id = self._account(request)
        name, hsm_id, hsm_ids = (request.query.get(key) for key in ("name", "hsm_id", "hsm_ids"))
        if hsm_ids is not None:
            self.desk.delete_ids(waba_id, _id_list(hsm_ids))
        elif hsm_id is not None:
            self.desk.delete_ids(waba_id, [hsm_id], name)
        elif name is not None:
            self.desk.delete_name(waba_id, name)
        else:
            raise GraphError(100, message="(#100) The parameter name is required.")
        return json_answer({"success": True})

    def _account(self, request: web.Request) -> str:
        token = check_access(request)
        waba_id = request.match_info["waba_id"]
        self.numbers.note_token(token, waba_id)
        self.templates.adopt(waba_id)
        return waba_id

    def _link(self, request: web.Request, limit: int, name: str, cursor: str) -> str:
        token = request.headers.get("Authorization", "").partition(" ")[2] or request.query.get("access_token", "")
        kept = {key: value for key, value in request.query.items() if key not in ("after", "before", "limit")}
        return str(request.url.with_query({**kept, "access_token": token, "limit": str(limit), name: cursor}))


def _wanted(request: web.Request) -> Any:
    filters = {
        name: value.upper()
        for name in ("status", "name", "language", "category")
        if (value := request.query.get(name)) is not None
    }

    def wanted(template: Template) -> bool:
        return all(getattr(template, name).upper() == value for name, value in filters.items())

    return wanted


def _page(request: web.Request, total: int) -> tuple[int, int, int]:
    """The limit, and the first and the last row (exclusive) of the page asked for."""
    limit_text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not limit_text.isdecimal() or int(limit_text) == 0:
        raise GraphError(100, message="(#100) Param limit must be a positive integer.")
    limit = min(int(limit_text), MAX_LIMIT)
    if "before" in request.query:
        end = _position(request.query["before"], total)
        return limit, max(0, end - limit), end
    start = _position(request.query["after"], total) if "after" in request.query else 0
    return limit, start, min(start + limit, total)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"{_CURSOR_MARK}{position}".encode()).decode()


def _position(cursor: str, total: int) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise GraphError(131059, "The cursor is invalid or has expired.") from error
    mark, position = text[: len(_CURSOR_MARK)], text[len(_CURSOR_MARK) :]
    if mark != _CURSOR_MARK or not position.isdecimal() or int(position) > total:
        raise GraphError(131059, "The cursor is invalid or has expired.")
    return int(position)


def _id_list(text: str) -> list[str]:
    try:
        ids = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise GraphError(100, message="(#100) Param hsm_ids must be an array.") from error
    if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
        raise GraphError(100, message="(#100) Param hsm_ids must be an array of 1 to 100 ids.")
    return [str(one) for one in ids]
