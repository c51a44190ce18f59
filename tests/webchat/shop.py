"""Somebody else's page, on a server and an origin of its own, into which a web chat was pasted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.webchat.stage import WEBCHAT_ID

# The page's own style is hostile: nothing of it may reach the chat, and nothing of the chat the page.
PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><title>Shop</title>
<style>
* {{ font-family: cursive; }}
button, p, h2, textarea {{ color: red !important; text-transform: uppercase; }}
</style></head><body>
<main><h1>Shop</h1><p id="said">Shoes and socks.</p><button id="buy">Buy</button></main>
{embed}
</body></html>"""


@dataclass
class Shop:
    """A shop whose pages hold what `embed` says."""

    url: str
    embed: str = ""
    language: str = "en"
    policy: str = ""

    async def page(self, _request: web.Request) -> web.Response:
        """The page."""
        headers = {"Content-Security-Policy": self.policy} if self.policy else {}
        text = PAGE.format(embed=self.embed, language=self.language)
        return web.Response(text=text, content_type="text/html", headers=headers)


def embed(widget: str, *, webchat_id: str = WEBCHAT_ID, **attributes: str) -> str:
    """The code that a channel's owner pastes, with further attributes."""
    more = "".join(f'\n  {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    colours = 'primary-color="#3B82F6"\n  secondary-color="#EFF6FF"'
    colours = "" if "primary_color" in attributes else f"\n  {colours}"
    return (
        f'<webchat-widget \n  agent-id="{webchat_id}"{colours}{more}>\n</webchat-widget>\n'
        f'<script src="{widget}" async></script>'
    )


@asynccontextmanager
async def serving_shop(widget: str) -> AsyncIterator[Shop]:
    """Serve it for as long as the block lasts."""
    shop = Shop("", embed(widget))
    app = web.Application()
    app.add_routes([web.get("/", shop.page), web.get("/other", shop.page)])
    async with TestServer(app) as server:
        shop.url = str(server.make_url("/"))
        yield shop
