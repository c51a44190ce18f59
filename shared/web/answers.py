"""Headers that several layers add to whichever response goes out, a success or an error."""

from aiohttp import web

_HEADERS: web.RequestKey[dict[str, str]] = web.RequestKey("waapi_answer_headers", dict)


def add_answer_header(request: web.Request, name: str, value: str) -> None:
    """Have the response to `request` carry a header, even when a later step refuses the request."""
    headers = request.get(_HEADERS)
    if headers is None:
        headers = request[_HEADERS] = {}
    headers[name] = value


def answer_headers(request: web.Request) -> dict[str, str]:
    """What has been added so far."""
    return request.get(_HEADERS) or {}
