"""A sample of a header's media: fetched from where its owner keeps it, and uploaded to Meta for a handle.

The link is somebody else's choice, so it is fetched through the guard, without redirects, and cut off at 16 MB.
Source: Meta, "Resumable Upload API".
"""

import asyncio
from dataclasses import dataclass

import aiohttp

from services.templates.clients.graph import Graph
from shared.errors import InvalidInputError, UpstreamUnavailableError
from shared.outbound.addresses import parse_target
from shared.outbound.guard import UrlGuard

LARGEST_SAMPLE = 16 * 1024 * 1024

_FETCH_SECONDS = 20.0
_CONNECT_SECONDS = 3.0
_NAMES = {"image/jpeg": "sample.jpg", "image/png": "sample.png", "video/mp4": "sample.mp4", "application/pdf": "a.pdf"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and its MIME type."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class SampleClient:
    """Brings samples from the internet to Meta. `app_id` may be `app`, which Meta reads as the token's own app."""

    graph: Graph
    guard: UrlGuard
    app_id: str

    async def upload(self, url: str, access_token: str) -> str:
        """The handle of the sample that a link leads to.

        Raises InvalidInputError for a link that cannot be used, UpstreamRejectedError and UpstreamUnavailableError.
        """
        sample = await self._fetch(url)
        session = await self.graph.call(
            "POST",
            f"{self.app_id}/uploads",
            access_token,
            query={
                "file_name": _NAMES[sample.content_type],
                "file_length": str(len(sample.content)),
                "file_type": sample.content_type,
            },
        )
        path = str(session.get("id"))
        if not path.startswith("upload:"):
            raise UpstreamUnavailableError("Meta opened an upload without an id")
        uploaded = await self.graph.call("POST", path, access_token, raw=sample.content, headers={"file_offset": "0"})
        handle = uploaded.get("h")
        if not isinstance(handle, str) or not handle:
            raise UpstreamUnavailableError("Meta took an upload without giving a handle")
        return handle

    async def _fetch(self, url: str) -> Sample:
        try:
            target = parse_target(url)
            async with (
                asyncio.timeout(_FETCH_SECONDS),
                aiohttp.ClientSession(
                    connector=self.guard.connector(is_ordinary=target.is_ordinary),
                    connector_owner=True,
                    auto_decompress=False,
                ) as session,
                session.get(
                    target.url,
                    allow_redirects=False,
                    headers={"Accept-Encoding": "identity"},
                    timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS),
                ) as response,
            ):
                return await _read(response)
        except InvalidInputError as error:
            raise _refused(error.message.removeprefix("url ")) from None
        except (aiohttp.ClientError, OSError) as error:  # the guard's refusal and a time-out are kinds of OSError
            raise _refused(f"could not be fetched ({type(error).__name__})") from error


async def _read(response: aiohttp.ClientResponse) -> Sample:
    if response.status != 200:
        raise InvalidInputError(f"answered {response.status} instead of the file itself")
    kind = response.content_type.lower()
    if kind not in _NAMES:
        raise InvalidInputError(f"leads to {kind}; Meta takes {', '.join(_NAMES)}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise InvalidInputError("answered with compressed content")
    content = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > LARGEST_SAMPLE:
            raise InvalidInputError("leads to more than 16 MB")
    if not content:
        raise InvalidInputError("leads to an empty file")
    return Sample(bytes(content), kind)


def _refused(words: str) -> InvalidInputError:
    message = f"example.header_url {words}"
    return InvalidInputError(message, details=[{"field": "example.header_url", "message": message}])
