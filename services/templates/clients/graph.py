"""One call to Meta's Graph API, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from shared.contracts.messaging import MetaError
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.meta.errors import parse_graph_error

_INVALID_CURSOR = 131059  # the list changed while it was read: start over
_PASSING = frozenset({1, 2, 4, 613, 80007, 80008})  # overloaded, or a budget is used up: the same call succeeds later
_PASSING_RETRY_SECONDS = 60
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


class CursorLostError(Exception):
    """Meta no longer knows the cursor; only reading from the beginning helps."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Calls Meta. The token goes into a header, never into an address or a log.

    `base_url` holds the version, e.g. `https://graph.facebook.com/v25.0`.
    """

    session: aiohttp.ClientSession
    base_url: str

    async def call(
        self,
        method: str,
        path: str,
        access_token: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON object. `body` is sent as JSON, `raw` as it is.

        Raises UpstreamRejectedError when Meta refuses, UpstreamUnavailableError when it cannot be reached, is
        overloaded, or answers in other terms than its own: then only Meta knows whether it acted.
        """
        sent = {"Authorization": f"Bearer {access_token}", **(headers or {})}
        data = raw
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = orjson.dumps(body)
        try:
            async with self.session.request(
                method,
                f"{self.base_url}/{path}",
                params=query,
                data=data,
                headers=sent,
                timeout=_TIMEOUT,
                allow_redirects=False,
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
