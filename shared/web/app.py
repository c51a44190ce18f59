"""How every listener answers: correlation id, metrics, safe headers, and no error without an envelope."""

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.bus.context import WorkContext, working
from shared.ids import new_id
from shared.web.answers import answer_headers
from shared.web.envelopes import failure
from shared.web.metrics import observe_request
from shared.web.problems import internal_problem, problem_of

BODY_LIMIT_BYTES = 1024 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context, version 00
_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "waapi",  # aiohttp would name its own and Python's version
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


def web_app(
    routes: Iterable[web.AbstractRouteDef],
    *,
    service: str,
    middlewares: Sequence[Middleware] = (),
    transient: tuple[type[Exception], ...] = (),
    body_limit_bytes: int = BODY_LIMIT_BYTES,
) -> web.Application:
    """An application whose every answer, framework errors included, is in one of the two envelopes.

    `middlewares` run innermost, in order. `transient` are the errors of a database that is away: 503 with Retry-After.
    """
    own = (_tracing(), _measuring(service), _explaining_errors(transient))
    app = web.Application(middlewares=(*own, *middlewares), client_max_size=body_limit_bytes)
    app.add_routes(routes)
    return app


def _tracing() -> Middleware:
    @web.middleware
    async def tracing(request: web.Request, handler: Handler) -> web.StreamResponse:
        context = _context_of(request)
        bound = structlog.contextvars.bound_contextvars(correlation_id=context.correlation_id)
        with working(context), bound:
            response = await handler(request)
        if not response.prepared:
            _add_headers(response, request, context.correlation_id)
        return response

    return tracing


def _context_of(request: web.Request) -> WorkContext:
    wanted = request.headers.get("X-Request-Id", "")
    trace = request.headers.get("traceparent", "")
    return WorkContext(
        correlation_id=wanted if _REQUEST_ID.fullmatch(wanted) else new_id("req_"),
        traceparent=trace if _TRACEPARENT.fullmatch(trace) else None,
    )


def _add_headers(response: web.StreamResponse, request: web.Request, correlation_id: str) -> None:
    response.headers["X-Correlation-Id"] = correlation_id
    for name, value in _SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.update(answer_headers(request))


def _measuring(service: str) -> Middleware:
    @web.middleware
    async def measuring(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        response = await handler(request)
        seconds = time.perf_counter() - started
        route = _route_template(request)
        observe_request(service, request.method, route, response.status, seconds)
        if response.status >= 400:
            log.info(
                "request_refused", method=request.method, route=route, status=response.status, ms=round(seconds * 1000)
            )
        return response

    return measuring


def _route_template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _explaining_errors(transient: tuple[type[Exception], ...]) -> Middleware:
    @web.middleware
    async def explaining_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:  # the outermost step: nothing may leave here without an envelope
            return error_response(request, error, transient)

    return explaining_errors


def error_response(request: web.Request, error: Exception, transient: tuple[type[Exception], ...] = ()) -> web.Response:
    """The answer to a request that failed; a fault of ours is logged with its traceback and told in neutral words."""
    problem = problem_of(error, transient)
    if problem is None:
        log.error("request_failed", method=request.method, route=_route_template(request), exc_info=error)
        problem = internal_problem()
    return failure(request, problem)
