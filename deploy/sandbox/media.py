"""Media links: Meta fetches them after it accepted the message, and a bad one fails it later with 131053.

Only links to this machine are fetched; others are believed.
"""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

CACHE_SECONDS = 600  # per exact URL
TIMEOUT_SECONDS = 10
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaKind:
    """What Meta takes."""

    types: tuple[str, ...]
    max_bytes: int


KINDS = {
    "image": MediaKind(("image/jpeg", "image/png"), 5 * _MEBIBYTE),
    "video": MediaKind(("video/mp4", "video/3gpp"), 16 * _MEBIBYTE),
    "audio": MediaKind(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * _MEBIBYTE),
    "document": MediaKind(("text/plain", "application/"), 100 * _MEBIBYTE),
    "sticker": MediaKind(("image/webp",), 500 * 1024),
}

Link = tuple[str, str]  # kind, URL


def local_links(node: Any) -> Iterator[Link]:
    """Every media link to this machine in a message, with its kind."""
    if isinstance(node, list):
        for element in node:
            yield from local_links(element)
    elif isinstance(node, dict):
        for name, member in node.items():
            if name in KINDS and isinstance(member, dict) and _is_local(member.get("link")):
                yield name, member["link"]
            yield from local_links(member)


def _is_local(link: Any) -> bool:
    host = urlsplit(link).hostname if isinstance(link, str) else None
    if host is None or host == "localhost":
        return host is not None
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


@dataclass(frozen=True, slots=True)
class MediaFetcher:
    """Fetches links in the background and remembers each for ten minutes."""

    checked: dict[Link, tuple[float, bool]] = field(default_factory=dict)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    def fetch(self, links: list[Link], then: Callable[[bool], None]) -> None:
        """Call `then` with whether all links are media that Meta takes."""
        task = asyncio.get_running_loop().create_task(self._fetch_all(links, then))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    def reset(self) -> None:
        """Stop what is under way and forget what was fetched."""
        for task in self.running:
            task.cancel()
        self.checked.clear()

    async def _fetch_all(self, links: list[Link], then: Callable[[bool], None]) -> None:
        then(all([await self._is_good(link) for link in links]))

    async def _is_good(self, link: Link) -> bool:
        at, good = self.checked.get(link, (0.0, False))
        if not at or time.monotonic() - at > CACHE_SECONDS:
            good = await _download(*link)
            self.checked[link] = time.monotonic(), good
        return good


async def _download(kind: str, url: str) -> bool:
    expected = KINDS[kind]
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    with suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            if answer.status != 200 or not answer.content_type.startswith(expected.types):
                return False
            size = 0
            async for chunk in answer.content.iter_chunked(65_536):
                size += len(chunk)
                if size > expected.max_bytes:
                    return False
            return size > 0
    return False
