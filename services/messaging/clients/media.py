"""Downloading what customers sent, from Meta.

Source: Meta, WhatsApp Cloud API, media: `GET /{media-id}` names a link that lasts five minutes and asks for the token;
Instagram's webhooks carry the link itself.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.meta.errors import parse_graph_error

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60.0, sock_connect=3.0, sock_read=15.0)
_LONGEST_NODE: Final = 64 * 1024
# A token is shown to these alone, and nothing else is fetched: a link comes from a webhook or an answer, and a forged
# one must not lead into our own network.
_HOSTS_OF_META: Final = (".fbsbx.com", ".facebook.com", ".fbcdn.net", ".whatsapp.net", ".cdninstagram.com")


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file, and what Meta says it is."""

    data: bytes
    mime_type: str | None


@dataclass(frozen=True, slots=True)
class MediaClient:
    """Downloads files up to `most_bytes`; never follows a redirect."""

    session: aiohttp.ClientSession
    whatsapp_url: str  # with the Graph version, without a trailing slash
    most_bytes: int

    async def download(self, authorization: str, *, file_id: str | None, link: str | None) -> Downloaded:
        """The file of an id (or, without one, behind a link).

        Raises UpstreamRejectedError when Meta has it no more, or it is too large; UpstreamUnavailableError.
        """
        url = link
        if file_id is not None:
            url = (await self._node(file_id, authorization)).get("url")
        if not isinstance(url, str) or not self._is_metas(url):
            raise UpstreamRejectedError("Meta named no link that leads to Meta", code="media_gone")
        return await self._get(url, authorization)

    async def _node(self, file_id: str, authorization: str) -> dict[str, Any]:
        raw, _ = await self._read(f"{self.whatsapp_url}/{file_id}", authorization, _LONGEST_NODE)
        try:
            node = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise UpstreamUnavailableError("Meta's answer is no JSON") from error
        return node if isinstance(node, dict) else {}

    async def _get(self, url: str, authorization: str) -> Downloaded:
        raw, mime_type = await self._read(url, authorization, self.most_bytes)
        return Downloaded(raw, mime_type)

    async def _read(self, url: str, authorization: str, most: int) -> tuple[bytes, str | None]:
        headers = {"Authorization": authorization}
        try:
            async with self.session.get(url, headers=headers, timeout=_TIMEOUT, allow_redirects=False) as response:
                if (response.content_length or 0) > most:
                    raise _too_large(most)
                raw = await _read_at_most(response.content, most)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamUnavailableError(f"Meta did not answer: {type(error).__name__}") from error
        if response.status == 200:
            return raw, response.headers.get("Content-Type")
        if (refusal := parse_graph_error(raw)) is not None:
            raise UpstreamRejectedError(f"{refusal.message} (code {refusal.code})", code="media_gone")
        if response.status in {404, 410}:
            raise UpstreamRejectedError("Meta has this file no more", code="media_gone")
        raise UpstreamUnavailableError(f"Meta answered {response.status} without a reason")

    def _is_metas(self, url: str) -> bool:
        parts, graph = urlsplit(url), urlsplit(self.whatsapp_url)
        if (parts.scheme, parts.netloc) == (graph.scheme, graph.netloc):
            return True
        host = f".{parts.hostname or ''}"
        return parts.scheme == "https" and parts.port in {None, 443} and host.endswith(_HOSTS_OF_META)


async def _read_at_most(stream: aiohttp.StreamReader, most: int) -> bytes:
    found = bytearray()
    async for piece in stream.iter_chunked(64 * 1024):
        found += piece
        if len(found) > most:
            raise _too_large(most)
    return bytes(found)


def _too_large(most: int) -> UpstreamRejectedError:
    return UpstreamRejectedError(f"The file is larger than {most} bytes", code="media_too_large")
