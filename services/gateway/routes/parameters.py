"""Paths and queries, checked before they reach a database or the bus."""

import re

from aiohttp import web

from shared.errors import InvalidInputError, NotFoundError

_ALL = "ALL"
_LONGEST_SEARCH = 100

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:+@-]{1,128}", re.ASCII)
_STATUS = re.compile(r"[A-Za-z_]{1,40}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})?", re.ASCII)
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z"
CAMPAIGN_CURSOR = rf"{_TIME}_[A-Za-z0-9_.:+@-]{{1,128}}"
ROW_CURSOR = r"[0-9]{1,18}"
CONTACT_CURSOR = r"[0-9]{1,14}-[A-Za-z0-9_.:+@-]{1,128}"
THREAD_CURSOR = r"[0-9]{1,14}-[0-9a-f]{24}"

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


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
        raise refused_query(name, f"{name} query parameter is required")
    if not _IDENTIFIER.fullmatch(value):
        raise refused_query(name, f"{name} query parameter must have 1 to 128 letters, digits or _ . : + @ -")
    return value


def optional_query_id(request: web.Request, name: str) -> str | None:
    """As `required_query_id`, None when the query does not name one."""
    return required_query_id(request, name) if request.query.get(name) else None


def query_offset(request: web.Request) -> int:
    """How many entries to pass over. Raises InvalidInputError for anything but a whole number."""
    text = request.query.get("offset", "0")
    if not _NUMBER.fullmatch(text):
        raise refused_query("offset", "offset query parameter must be a whole number of at least 0")
    return int(text)


def query_choice(request: web.Request, name: str, choices: tuple[str, ...]) -> str | None:
    """One of the choices, or None when the query does not name one. Raises InvalidInputError for anything else."""
    value = request.query.get(name)
    if value is not None and value not in choices:
        raise refused_query(name, f"{name} query parameter must be one of {', '.join(choices)}")
    return value


def query_flag(request: web.Request, name: str) -> bool:
    """Whether a switch is on; off when the query does not name it. Raises InvalidInputError for other words."""
    return query_choice(request, name, ("true", "false")) == "true"


def query_number(request: web.Request, name: str, *, default: int, most: int | None) -> int:
    """A whole number from 1 to `most` (None: no end). Raises InvalidInputError for anything else."""
    text = request.query.get(name)
    if text is None:
        return default
    number = int(text) if _NUMBER.fullmatch(text) else 0
    if number < 1 or (most is not None and number > most):
        span = "of at least 1" if most is None else f"from 1 to {most}"
        raise refused_query(name, f"{name} query parameter must be a whole number {span}")
    return number


def query_cursor(request: web.Request, form: str) -> str | None:
    """Where a page goes on, or None for the first. Raises InvalidInputError for what is not of the cursors' form."""
    cursor = request.query.get("cursor") or None
    if cursor is not None and not re.fullmatch(form, cursor, re.ASCII):
        raise refused_query("cursor", "cursor query parameter must be the next_cursor of an earlier page")
    return cursor


def query_status(request: web.Request) -> str | None:
    """A template status in upper case, APPROVED unless the query names one; None for `all`."""
    status = request.query.get("status", "APPROVED")
    if not _STATUS.fullmatch(status):
        raise refused_query("status", "status query parameter must be a template status such as APPROVED, or ALL")
    return None if status.upper() == _ALL else status.upper()


def query_language(request: web.Request) -> str | None:
    """A language code, or None when the query names none."""
    language = request.query.get("language") or None
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise refused_query("language", "language query parameter must be a language code such as en or en_US")
    return language


def query_search(request: web.Request) -> str | None:
    """What to look for in names, or None when nothing is named. Raises InvalidInputError for what no name holds."""
    search = request.query.get("search") or None
    if search is not None and (len(search) > _LONGEST_SEARCH or not search.isprintable()):
        raise refused_query(
            "search", f"search query parameter must have at most {_LONGEST_SEARCH} printable characters"
        )
    return search


def refused_query(name: str, message: str) -> InvalidInputError:
    """The error that a wrong query parameter is answered with."""
    return InvalidInputError(message, details=[{"field": name, "message": message}])
