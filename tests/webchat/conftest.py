"""A gateway, a shop, and visitors in a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser

from shared.mongo import Database
from tests.webchat.page import Page
from tests.webchat.shop import Shop, serving_shop
from tests.webchat.stage import Site, serving_site
from tests.webchat.visitor import Visitor

Come = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    """The public listener with one channel."""
    async with serving_site(database) as served:
        yield served


@pytest.fixture
async def shop(site: Site) -> AsyncIterator[Shop]:
    """Somebody's page with that channel's widget."""
    async with serving_shop(site.widget) as served:
        yield served


@pytest.fixture
async def come(browser: Browser, shop: Shop) -> AsyncIterator[Come]:
    """Bring a visitor to the shop; options are those of a browser context. Nobody may cause an error on the page."""
    visitors: list[Visitor] = []

    async def bring(**options: Any) -> Visitor:
        context = await browser.new_context(**({"viewport": {"width": 1000, "height": 760}, "locale": "en"} | options))
        visitor = Visitor(await context.new_page(), shop.url)
        visitors.append(visitor)
        await visitor.visit()
        return visitor

    yield bring
    for visitor in visitors:
        await visitor.page.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []


@pytest.fixture
async def visitor(come: Come) -> Visitor:
    """One who has opened the page, and not yet the chat."""
    return await come()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Whoever speaks HTTP."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def page(http: aiohttp.ClientSession, site: Site) -> Page:
    """A page of the shop."""
    return Page(http, site)
