"""Errors on their way out over HTTP: one table from what was raised to what a caller is told."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from shared.errors import InternalError, ServiceUnavailableError, WaapiError

_FRAMEWORK_TEXTS = {
    HTTPStatus.NOT_FOUND: ("route_not_found", "There is no such route"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "The route does not take this method"),
    HTTPStatus.REQUEST_TIMEOUT: ("request_timeout", "The body did not arrive in time"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("payload_too_large", "The body is too large"),
    HTTPStatus.EXPECTATION_FAILED: ("expectation_failed", "The Expect header is not understood"),
}
_KEPT_HEADERS = ("Allow", "Location")


@dataclass(frozen=True, slots=True)
class Problem:
    """What a caller is told; `code` is stable and in snake case, `details` lists the fields that are wrong."""

    status: int
    message: str
    code: str
    details: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def problem_of(error: Exception, transient: tuple[type[Exception], ...] = ()) -> Problem | None:
    """The problem that an exception means, or None when it is a fault of ours and must be logged.

    `transient` are the errors of a database that is away: 503, come back.
    """
    if isinstance(error, WaapiError):
        return _of_waapi_error(error)
    if isinstance(error, web.HTTPException):
        return _of_framework_error(error)
    if isinstance(error, RequestPayloadError):
        return Problem(400, "The body could not be read: its encoding is broken", "invalid_body")
    if isinstance(error, transient):
        return _of_waapi_error(ServiceUnavailableError("The service cannot reach its database right now; try again"))
    return None


def internal_problem() -> Problem:
    """A fault of ours, without a word about its cause: that is in the log, under the correlation id."""
    return _of_waapi_error(InternalError("Something went wrong on our side"))


def _of_waapi_error(error: WaapiError) -> Problem:
    headers: dict[str, str] = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(error.http_status, error.message, error.code, error.details, headers)


def _of_framework_error(error: web.HTTPException) -> Problem:
    code, text = _FRAMEWORK_TEXTS.get(HTTPStatus(error.status), ("http_error", error.reason))
    headers = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
    return Problem(error.status, text, code, headers=headers)
