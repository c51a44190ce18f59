"""`GET /phone/<digits>`: what a recipient's phone shows, as a plain page that polls the control routes."""

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web


@dataclass(frozen=True, slots=True)
class PhoneRoutes:
    """The fake phone."""

    page: str = field(default_factory=Path(__file__).with_name("phone.html").read_text)

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.get(r"/phone/{digits:\d+}", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """The page; the number is read from the address by the page itself."""
        return web.Response(text=self.page, content_type="text/html")
