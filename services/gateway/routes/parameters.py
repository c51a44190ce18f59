"""Identifiers in paths and queries, checked before they reach a database or the bus."""

import re

from aiohttp import web

from shared.errors import InvalidInputError, NotFoundError

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:+@-]{1,128}", re.ASCII)


def path_id(request: web.Request, name: str, *, unknown: str) -> str:
    """An id in the path. Raises NotFoundError(`unknown`) for one that cannot exist."""
    value = request.match_info[name]
    if not _IDENTIFIER.fullmatch(value):
        raise NotFoundError(unknown)
    return value


def required_query_id(request: web.Request, name: str) -> str:
    """An id in the query. Raises InvalidInputError when it is missing or of no id's form."""
    value = request.query.get(name, "")
    if not value:
        raise _refusal(name, f"{name} query parameter is required")
    if not _IDENTIFIER.fullmatch(value):
        raise _refusal(name, f"{name} query parameter must have 1 to 128 letters, digits or _ . : + @ -")
    return value


def query_choice(request: web.Request, name: str, choices: tuple[str, ...]) -> str | None:
    """One of the choices, or None when the query does not name one. Raises InvalidInputError for anything else."""
    value = request.query.get(name)
    if value is not None and value not in choices:
        raise _refusal(name, f"{name} query parameter must be one of {', '.join(choices)}")
    return value


def _refusal(name: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, details=[{"field": name, "message": message}])
