"""What an operator pastes and tries: the embed code in a real page, and the page that makes it."""

import pytest
from playwright.async_api import Browser, Page, expect

from services.gateway.domain.embed_code import embed_code
from tests.eventually import eventually
from tests.webchat.conftest import Come
from tests.webchat.shop import Shop
from tests.webchat.stage import WEBCHAT_ID, Site

NAMES = (
    "Customer Support Chat",
    'Bob\'s "Shoes" & Söhne',
    "a --> b -- c --!> <script>hacked=1</script>",
    "💬 דברו איתנו",
    "-->",
)
COLOURS = {"primary_color": "#3B82F6", "secondary_color": "#EFF6FF"}


@pytest.mark.parametrize("name", NAMES)
async def test_the_embed_code_makes_a_chat_and_nothing_else(shop: Shop, site: Site, come: Come, name: str) -> None:
    await site.change(name=name)
    shop.embed = embed_code(site.url, WEBCHAT_ID, name, **COLOURS)
    visitor = await come()

    await visitor.open()
    await visitor.ask("Hello")

    await expect(visitor.panel.locator("h2")).to_have_text(name)
    beside = "[...document.body.childNodes].map(node => node.nodeName)"
    found = [node for node in await visitor.page.evaluate(beside) if node != "#text"]
    assert found == ["MAIN", "#comment", "WEBCHAT-WIDGET", "SCRIPT"]
    assert await visitor.page.evaluate("typeof hacked") == "undefined"
    loose = "[...document.body.childNodes].filter(n => n.nodeName === '#text').map(n => n.textContent.trim()).join('')"
    assert await visitor.page.evaluate(loose) == ""


async def tried(browser: Browser, site: Site, query: str = f"?agent_id={WEBCHAT_ID}") -> Page:
    """The page on which an operator tries the chat."""
    page = await browser.new_page()
    await page.goto(f"{site.url}/widget-config.html{query}")
    await expect(page.locator("#code")).not_to_be_empty()
    return page


async def test_what_is_chosen_on_the_page_shows_at_once_and_stands_in_the_code(browser: Browser, site: Site) -> None:
    page = await tried(browser, site)
    widget = page.locator("webchat-widget")
    await widget.locator(".launcher").click()

    await page.get_by_label("Primary colour").fill("#aa0000")
    await page.get_by_label("Heading").fill('The "best" <b>shop</b>')
    await page.get_by_label("Language").select_option("ar")

    await expect(widget.locator("h2")).to_have_text('The "best" <b>shop</b>')
    await expect(widget.get_by_role("dialog")).to_have_attribute("dir", "rtl")
    colour = "each => getComputedStyle(each).backgroundColor"
    assert await widget.locator(".launcher").evaluate(colour) == "rgb(170, 0, 0)"
    assert await page.locator("#code").text_content() == (
        f'<webchat-widget\n  agent-id="{WEBCHAT_ID}"\n  primary-color="#aa0000"\n  secondary-color="#eff6ff"\n'
        '  heading="The &quot;best&quot; &lt;b&gt;shop&lt;/b&gt;"\n  language="ar">\n</webchat-widget>\n'
        f'<script src="{site.url}/widget.js" async></script>'
    )
    await page.close()


async def test_the_chat_on_the_page_is_live(browser: Browser, site: Site) -> None:
    page = await tried(browser, site)
    widget = page.locator("webchat-widget")

    await widget.locator(".launcher").click()
    await widget.locator("textarea").fill("Hello")
    await widget.locator("textarea").press("Enter")

    await eventually(lambda: site.desk.texts == ["Hello"])
    await site.desk.only.answer("Hi")
    await expect(widget.locator(".message.agent").last).to_contain_text("Hi")
    await page.close()


async def test_the_page_s_policy_lets_nothing_in_and_its_code_can_be_copied(browser: Browser, site: Site) -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    evil = "agent_id=%22%3E%3Cimg%20src%3Dx%20onerror%3Dhacked%3D1%3E&primary_color=red"
    answer = await page.goto(f"{site.url}/widget-config.html?{evil}")

    await page.get_by_role("button", name="Copy the code").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()

    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert 'agent-id="&quot;&gt;&lt;img src=x onerror=hacked=1&gt;"' in copied
    assert await page.evaluate("typeof hacked") == "undefined"
    assert faults == []
    await context.close()
