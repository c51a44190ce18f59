"""What descriptions of the dashboard API and the operator's routes share: parameters, errors, and who may call."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.operations import Answer, Operation, Parameter

IDENTIFIER = {"type": "string", "pattern": "^[A-Za-z0-9_.:+@-]{1,128}$"}
INVALID = {400: "A field or parameter is missing or not valid; `details` names each."}
UNKNOWN = {404: "There is no such thing, or it belongs to another user."}
CONFLICT = {409: "The present state forbids it; the message says what stands against it."}
LATE = {504: "This takes longer than usual and goes on; the message says what shows the result."}
META = {502: "Meta refused, or could not be reached."}
CHANGED_BODY = {413: "The body is larger than 1 MiB.", 415: "The body is not sent as plain JSON."}
WITH_BODY = {
    409: "It exists already, belongs to another, or a request with this `Idempotency-Key` is still being worked on.",
    **CHANGED_BODY,
    422: "The `Idempotency-Key` was used with another body.",
}
EVERYWHERE = {
    401: "A credential was sent, or is needed, and does not hold.",
    403: "This address or origin may not use the dashboard API.",
    421: "The Host header names none of our hosts.",
    429: "This address asked for too many things that are not there; come back after `Retry-After`.",
    500: "A fault of ours.",
    503: "Broker, database or a service is away; try again after `Retry-After`.",
}
_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}

IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    "Any text of your own for this request. Repeated with the same body within 24 hours, the work is done once and the "
    "first answer given again.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$"},
)
LIMIT = Parameter(
    "limit", "query", "Entries on a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
)
USER = Parameter("user_id", "query", "Whose they are.", IDENTIFIER, "usr_123", required=True)


def in_path(name: str, description: str, example: str) -> Parameter:
    """An id in the path."""
    return Parameter(name, "path", description, {"type": "string", "minLength": 1}, example, required=True)


def answers(status: int, model: type[BaseModel], description: str, *errors: Mapping[int, str]) -> Mapping[int, Answer]:
    """What an operation answers: the one success, its own errors, and those that every route may give."""
    texts = {code: text for more in (*errors, EVERYWHERE) for code, text in more.items()}
    refusals = {code: Answer(text, (models.RefusedAnswer,), {}, _HEADERS.get(code, ())) for code, text in texts.items()}
    return {status: Answer(description, (model,)), **dict(sorted(refusals.items()))}


def dashboard_operation(tag: str, **rest: Any) -> Operation:
    """One of the dashboard API, which asks for no credential."""
    return Operation(tag=tag, access="open", **rest)


def operators_operation(tag: str, **rest: Any) -> Operation:
    """One below `/admin`, which asks for an operator's token."""
    return Operation(tag=tag, access="admin", **rest)
