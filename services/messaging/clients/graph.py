"""Reading from Meta's Graph API: one node or list, and what came of asking for it."""

from dataclasses import dataclass

import aiohttp
import orjson

from services.messaging.domain.verification import Told
from shared.meta.errors import parse_graph_error

_ANSWER_SECONDS = 8.0  # three are asked at the same time, and a person waits
_LONGEST_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class GraphReader:
    """Reads with a number's own token; never follows a redirect."""

    session: aiohttp.ClientSession
    base_url: str  # with the Graph version, without a trailing slash

    async def read(self, path: str, authorization: str, fields: str | None = None) -> Told:
        """What Meta told us; raises nothing but cancellation."""
        try:
            async with self.session.get(
                f"{self.base_url}/{path}",
                params={"fields": fields} if fields else None,
                headers={"Authorization": authorization},
                timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS, sock_connect=3.0),
                allow_redirects=False,
            ) as response:
                return _told(response.status, await response.content.read(_LONGEST_ANSWER))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Told(silence=type(error).__name__)


def _told(status: int, raw: bytes) -> Told:
    refusal = parse_graph_error(raw)
    if refusal is not None:
        return Told(refusal=refusal)
    try:
        node = orjson.loads(raw)
    except orjson.JSONDecodeError:
        node = None
    if status != 200 or not isinstance(node, dict):
        return Told(silence=f"it answered {status} without a reason")
    return Told(node=node)
