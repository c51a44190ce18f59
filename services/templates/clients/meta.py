"""Meta's Graph API, as far as templates need it."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from shared.contracts.messaging import MetaError
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.meta.errors import parse_graph_error

_INVALID_CURSOR = 131059  # the list changed while it was read: start over
_PASSING = frozenset({2, 4, 613, 80007, 80008})  # overloaded, or a budget is used up: the same call succeeds later
_PASSING_RETRY_SECONDS = 60
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


class CursorLostError(Exception):
    """Meta no longer knows the cursor; only reading from the beginning helps."""


@dataclass(frozen=True, slots=True)
class MetaClient:
    """Reads templates. The token goes into a header, never into an address or a log.

    `base_url` holds the version, e.g. `https://graph.facebook.com/v25.0`.
    """

    session: aiohttp.ClientSession
    base_url: str
    page_size: int = 100  # templates a call; an account holds at most 6,000

    async def list_templates(self, waba_id: str, access_token: str, fields: tuple[str, ...]) -> list[Any]:
        """Every template of a WABA, page by page.

        Raises UpstreamRejectedError when Meta refuses (wrong token, unknown WABA) and UpstreamUnavailableError when it
        cannot be reached, is overloaded, or answers in other terms than its own.
        """
        try:
            return await self._read_pages(waba_id, access_token, fields)
        except CursorLostError:
            pass
        try:
            return await self._read_pages(waba_id, access_token, fields)
        except CursorLostError as error:
            raise UpstreamUnavailableError("Meta's list of templates keeps changing while it is read") from error

    async def _read_pages(self, waba_id: str, access_token: str, fields: tuple[str, ...]) -> list[Any]:
        entries: list[Any] = []
        query = {"fields": ",".join(fields), "limit": str(self.page_size)}
        seen: set[str] = set()
        while True:
            page = await self._get(f"{self.base_url}/{waba_id}/message_templates", query, access_token)
            entries.extend(_entries(page))
            after = _next_cursor(page)
            if after is None:
                return entries
            if after in seen:
                raise UpstreamUnavailableError("Meta's list of templates repeats itself")
            seen.add(after)
            query["after"] = after

    async def _get(self, url: str, query: dict[str, str], access_token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        try:
            async with self.session.get(
                url, params=query, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                return _understand(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UpstreamUnavailableError(f"Meta could not be reached ({type(error).__name__})") from error


def _understand(status: int, raw: bytes) -> dict[str, Any]:
    error = parse_graph_error(raw)
    if error is not None:
        raise _refusal(status, error)
    body = _json_object(raw) if status == 200 else None
    if body is None:
        raise UpstreamUnavailableError(f"Meta answered {status} in terms that are not its own")
    return body


def _refusal(status: int, error: MetaError) -> Exception:
    if error.code == _INVALID_CURSOR:
        return CursorLostError()
    reason = error.details or error.message
    if status >= 500:
        return UpstreamUnavailableError(f"Meta answered {status}: {reason}")
    if error.code in _PASSING:
        return UpstreamUnavailableError(f"Meta asks to wait: {reason}", retry_after_seconds=_PASSING_RETRY_SECONDS)
    return UpstreamRejectedError(f"Meta refused: {reason}", details=[error.model_dump(exclude_none=True)])


def _json_object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _entries(page: dict[str, Any]) -> list[Any]:
    entries = page.get("data")
    if not isinstance(entries, list):
        raise UpstreamUnavailableError("Meta's list of templates holds no data")
    return entries


def _next_cursor(page: dict[str, Any]) -> str | None:
    """The cursor of the next page; `next` itself is not followed or logged, since its address holds the token."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str):
        raise UpstreamUnavailableError("Meta's list of templates names a next page without a cursor")
    return after
