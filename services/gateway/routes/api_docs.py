"""`/openapi.json` and `/docs`: the API's documentation, complete without any other server."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from aiohttp import web

from services.gateway.openapi.files import APIS, DASHBOARD, EXTERNAL, WEBCHAT, file_text

_STATIC = Path(__file__).parents[1] / "static"
_PAGE = Template((_STATIC / "docs.html").read_text(encoding="utf-8"))
_ASSETS: Mapping[str, Path] = {
    "/docs/start.js": _STATIC / "docs.js",
    "/docs/page.css": _STATIC / "docs.css",
    "/docs/swagger-ui.css": _STATIC / "swagger-ui" / "swagger-ui.css",
    "/docs/swagger-ui-bundle.js": _STATIC / "swagger-ui" / "swagger-ui-bundle.js",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI's icons are data in its style sheet
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_REVALIDATED = {"Cache-Control": "no-cache"}  # kept by browsers, and asked for anew with its ETag

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class ApiDocs:
    """Pages and documents, by the path of each page."""

    pages: Mapping[str, str]

    def table(self) -> list[web.RouteDef]:
        """What is served where."""
        return [
            *(web.get(path, self._page(name)) for path, name in self.pages.items()),
            *(web.get(f"/{name}", _document(name)) for name in self.pages.values()),
            *(web.get(path, _asset(file)) for path, file in _ASSETS.items()),
        ]

    def _page(self, name: str) -> Handler:
        links = "".join(f'<a href="{path}">{APIS[each].title}</a>' for path, each in self.pages.items() if each != name)
        text = _PAGE.substitute(title=APIS[name].title, document=f"/{name}", links=links)

        async def page(_request: web.Request) -> web.Response:
            headers = {"Content-Security-Policy": _POLICY}
            return web.Response(text=text, content_type="text/html", headers=headers)

        return page


PUBLIC_DOCS = ApiDocs({"/docs": EXTERNAL, "/docs/webchat": WEBCHAT})
PRIVATE_DOCS = ApiDocs({"/docs": EXTERNAL, "/docs/dashboard": DASHBOARD, "/docs/webchat": WEBCHAT})


def _document(name: str) -> Handler:
    text = file_text(name)  # rendered at the start: later it would hold up requests for a tenth of a second

    async def document(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    return document


def _asset(file: Path) -> Handler:
    async def asset(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(file, headers=_REVALIDATED)

    return asset
