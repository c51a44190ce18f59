"""A visitor of a shop's page talks with the product as it runs: every service a process of its own, a real browser."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.product.running import Product
from tests.product.tenants import Tenant
from tests.webchat.shop import serving_shop
from tests.webchat.visitor import Visitor

pytestmark = pytest.mark.system


@pytest.fixture
def channel(stack: Product, tenant: Tenant) -> dict[str, Any]:
    """A channel whose agent answers at once, a word at a time."""
    prompt = {"user_id": tenant.user_id, "prompt_id": "prompt_shop", "instructions": "You help a shop's customers."}
    stack.api.made("/admin/prompts", prompt)
    body = {"user_id": tenant.user_id, "prompt_id": "prompt_shop", "name": 'Bob\'s "Shoes" -- 💬'}
    made = stack.api.made("/api/v1/webchat/channels", body)
    changed = stack.api.call("PATCH", f"/api/v1/agents/{made['agent_id']}", {"debounce_ms": 0})
    assert changed.is_success, changed.text
    return made


@pytest.fixture
async def visitor(channel: dict[str, Any], browser: Browser) -> AsyncIterator[Visitor]:
    """One who has opened the chat on a page with the channel's own embed code."""
    async with serving_shop("") as shop, await browser.new_context(locale="en") as context:
        shop.embed = channel["embed_code"]
        came = Visitor(await context.new_page(), shop.url)
        await came.visit()
        await came.open()
        yield came
        assert came.faults == []


async def test_a_visitor_asks_and_sees_the_model_s_answer_again_after_a_reload(visitor: Visitor) -> None:
    await visitor.write("Where is my order?")

    await visitor.sees("Where is my order?", "You wrote: Where is my order?")
    await visitor.visit()
    await visitor.open()
    await visitor.sees("Where is my order?", "You wrote: Where is my order?")


async def test_words_come_while_the_model_still_speaks(stack: Product, visitor: Visitor) -> None:
    stack.api.control("PUT", "openai", {"chunk_ms": 200})
    try:
        await visitor.ask("Tell me sim_long_400 everything")
        live = visitor.panel.locator(".live .message:not(.dots)")
        await expect(live).to_contain_text("You wrote", timeout=20_000)
        await expect(visitor.messages).to_have_count(1)
    finally:
        stack.api.control("PUT", "openai", {"chunk_ms": 0})

    await expect(visitor.messages).to_have_count(2, timeout=20_000)
    await expect(live).to_have_count(0)


async def test_a_person_takes_over_from_the_dashboard(stack: Product, tenant: Tenant, visitor: Visitor) -> None:
    await visitor.write("Hello")
    await visitor.sees("Hello", "You wrote: Hello")
    listed = stack.api.call("GET", f"/api/v1/conversations?user_id={tenant.user_id}").json()["data"]
    [conversation] = [each for each in listed if each["channel"] == "webchat"]

    body = {"type": "text", "text": "Ravi here."}
    said = stack.api.call("POST", f"/api/v1/conversations/{conversation['conversation_id']}/messages", body)

    assert said.is_success, said.text
    await visitor.sees("Hello", "You wrote: Hello", "Ravi here.")
    await expect(visitor.panel.get_by_text("A person is with you now")).to_be_visible()
