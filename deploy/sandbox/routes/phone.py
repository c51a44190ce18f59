"""`GET /phone/<digits>`: a customer's phone as a page: what came, what was written, and buttons to tap."""

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from ..numbers import Numbers
from ..phone import Phone
from .answers import json_answer


@dataclass(frozen=True, slots=True)
class PhoneRoutes:
    """The fake phone. What it writes goes through `POST /_sandbox/inbound`, as from anywhere else."""

    phone: Phone
    numbers: Numbers
    page: str = field(default_factory=Path(__file__).with_name("phone.html").read_text)

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get(r"/phone/{digits:\d+}", self.show),
            web.get(r"/_sandbox/phone/{digits:\d+}", self.chat),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The page; the number is read from the address by the page itself."""
        return web.Response(text=self.page, content_type="text/html")

    async def chat(self, request: web.Request) -> web.Response:
        """What the page shows, and which businesses it can write to."""
        messages = self.phone.chat(request.match_info["digits"])
        wrote = [str(message["business"]) for message in reversed(messages)]
        businesses = dict.fromkeys([*wrote, *self.numbers.ids()])
        return json_answer({"messages": messages, "businesses": list(businesses)})
