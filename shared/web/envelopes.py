"""The two shapes in which the product answers, chosen by the path.

The dashboard API: `error` is the status text and `message` explains. The external send API: `error` explains.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from shared.bus.context import current_work
from shared.clock import iso_millis, utc_now
from shared.web.problems import Problem

EXTERNAL_PREFIX = "/api/external/"


def success(
    request: web.Request,
    data: Any = None,
    *,
    message: str | None = None,
    status: int = 200,
    data_key: bool = True,
    pagination: Mapping[str, Any] | None = None,
) -> web.Response:
    """Answer with `data`; `data_key=False` leaves the key out, as deletions in the dashboard API do.

    `pagination` stands beside the data of one page, as the dashboard API has it.
    """
    body: dict[str, Any] = {"success": True}
    if data_key:
        body["data"] = data
    if pagination is not None:
        body["pagination"] = dict(pagination)
    if message is not None:
        body["message"] = message
    if not is_external(request):
        body |= _trace()
    return json_response(body, status)


def failure(request: web.Request, problem: Problem, **more: Any) -> web.Response:
    """Answer with an error, in the envelope that the path asks for; `more` adds keys to it, or replaces them."""
    body = _external_failure(problem) if is_external(request) else _dashboard_failure(problem)
    return json_response(body | more, problem.status, problem.headers)


def json_response(body: Any, status: int, headers: dict[str, str] | None = None) -> web.Response:
    """Any value as JSON."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def is_external(request: web.Request) -> bool:
    """Whether the request belongs to the external send API."""
    return request.path.startswith(EXTERNAL_PREFIX)


def _dashboard_failure(problem: Problem) -> dict[str, Any]:
    body = {"success": False, "error": status_text(problem.status), "message": problem.message}
    return body | _trace() | _particulars(problem)


def _external_failure(problem: Problem) -> dict[str, Any]:
    error: Any = problem.message
    if problem.status == HTTPStatus.BAD_GATEWAY:  # the one status whose `error` is an object: what Meta said
        error = upstream_error(problem.message)
    return {"success": False, "error": error} | _particulars(problem) | _trace()


def upstream_error(message: str, **known: Any) -> dict[str, Any]:
    """The `error` of a 502 in the external send API; every key is present, null when Meta did not give it."""
    blank = {"message": message, "code": None, "subcode": None, "type": None, "details": None, "fbtrace_id": None}
    return blank | known


def status_text(status: int) -> str:
    """The status in words, e.g. `Bad Request`."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _particulars(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code} | ({"details": problem.details} if problem.details else {})


def _trace() -> dict[str, Any]:
    return {"timestamp": iso_millis(utc_now()), "correlationId": current_work().correlation_id}
