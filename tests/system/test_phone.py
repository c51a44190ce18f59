"""A person with the fake phone in a browser, and the whole product at the other end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.product.running import Product
from tests.product.tenants import Line

pytestmark = pytest.mark.system

CUSTOMER = "4915177100001"
PATIENCE_MS = 20_000  # under load; what is awaited comes within a second


@pytest.fixture
async def phone(browser: Browser, stack: Product, line: Line) -> AsyncIterator[Page]:
    """The phone of somebody who can write to the tenant's number."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{stack.api.sandbox}/phone/{CUSTOMER}?business={line.meta_phone_number_id}")
    yield page
    await context.close()


async def say(phone: Page, *texts: str) -> None:
    """Type and send, one after the other."""
    for text in texts:
        await phone.get_by_label("Message").fill(text)
        await phone.get_by_role("button", name="Send").click()
        await expect(phone.get_by_label("Message")).to_have_value("")


def answers(phone: Page) -> Locator:
    """What the business has written."""
    return phone.locator("article:not(.mine) p")


async def test_who_asks_is_answered_once_who_asks_in_pieces_too_and_stop_is_confirmed(
    stack: Product, phone: Page, agent: dict[str, Any]
) -> None:
    # Long enough for three messages to be typed on a busy machine.
    stack.api.call("PATCH", f"/api/v1/agents/{agent['agent_id']}", {"debounce_ms": 3000})
    await say(phone, "Where is my order?")
    await expect(answers(phone)).to_have_text(["You wrote: Where is my order?"], timeout=PATIENCE_MS)
    await expect(phone.locator("article.mine small")).to_have_class("read", timeout=PATIENCE_MS)

    await say(phone, "Hello", "I ordered a book", "Is it there?")
    await expect(answers(phone)).to_have_count(2, timeout=PATIENCE_MS)
    await expect(answers(phone).nth(1)).to_contain_text("I ordered a book")
    await expect(answers(phone).nth(1)).to_contain_text("Is it there?")

    await say(phone, "STOP")
    await expect(answers(phone).nth(2)).to_contain_text("no more", timeout=PATIENCE_MS)
    await expect(answers(phone)).to_have_count(3)
