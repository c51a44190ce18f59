"""`/widget.js`, and the page on which one tries it: a few small files, kept in memory, the same for everybody."""

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

# Comments and indentation, a quarter of the script, are for readers of this repository: they are not sent.
_FOR_READERS = re.compile(r"^\s*(?:(?:/\*\*.*?\*/|//[^\n]*)\s*)*|[ \t]+// [^\n]*$", re.MULTILINE | re.DOTALL)

_STATIC = Path(__file__).parents[1] / "static" / "widget"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
# Any page may load the widget; a new one reaches all of them within minutes.
_WIDGET_HEADERS = {
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class WidgetFile:
    """A file as it goes out; packed once, since it is the same every time."""

    body: bytes
    packed: bytes
    content_type: str
    headers: Mapping[str, str]
    etag: str

    @classmethod
    def read(cls, name: str, content_type: str, headers: Mapping[str, str]) -> "WidgetFile":
        """The file of this name."""
        text = (_STATIC / name).read_text(encoding="utf-8")
        body = (_FOR_READERS.sub("", text) if content_type == "text/javascript" else text).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        return cls(body, gzip.compress(body, compresslevel=9, mtime=0), content_type, headers, etag)

    async def serve(self, request: web.Request) -> web.Response:
        """200, or 304 for a browser that has it."""
        headers = {**self.headers, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if self.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        packs = "gzip" in request.headers.get("Accept-Encoding", "")
        if packs:
            headers["Content-Encoding"] = "gzip"
        body = self.packed if packs else self.body
        return web.Response(body=body, headers=headers, content_type=self.content_type, charset="utf-8")


WIDGET_FILES: Mapping[str, WidgetFile] = {
    "/widget.js": WidgetFile.read("widget.js", "text/javascript", _WIDGET_HEADERS),
    "/widget-config.html": WidgetFile.read("config.html", "text/html", _PAGE_HEADERS),
    "/widget-config.js": WidgetFile.read("config.js", "text/javascript", {"Cache-Control": "no-cache"}),
    "/widget-config.css": WidgetFile.read("config.css", "text/css", {"Cache-Control": "no-cache"}),
}


def widget_routes() -> list[web.RouteDef]:
    """What is served where."""
    return [web.get(path, _serving(file)) for path, file in WIDGET_FILES.items()]


def _serving(file: WidgetFile) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        return await file.serve(request)

    return serve
