"""Hostile texts in every field, and in the model's own answer: shown as text, never run."""

import pytest
from playwright.async_api import expect

from tests.eventually import eventually
from tests.webchat.conftest import Come
from tests.webchat.shop import Shop, embed
from tests.webchat.stage import Site
from tests.webchat.visitor import Visitor

ATTACKS = (
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    '"><svg/onload=window.hacked=1>',
    "[click](javascript:window.hacked=1)",
    "[click](data:text/html,<script>window.hacked=1</script>)",
    '[click](https://shop.example/"onmouseover="window.hacked=1)',
    "**<iframe srcdoc='<script>parent.hacked=1</script>'>**",
    "`</code><img src=x onerror=window.hacked=1>`",
    "```\n</pre><img src=x onerror=window.hacked=1>\n```",
    "- <a href=javascript:window.hacked=1>x</a>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "https://shop.example/<img/src=x/onerror=window.hacked=1>",
    "\u202e</textarea><script>window.hacked=1</script>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example>",
)
MARKUP = "img, script, svg:not([aria-hidden]), iframe, style, link, a:not([href^='http'])"
POLICY = "default-src 'none'; script-src {site}; connect-src {site}; style-src 'unsafe-inline'; img-src data:"


async def is_harmless(visitor: Visitor, site: Site) -> None:
    """Nothing ran, nothing became markup, nobody else was asked."""
    assert await visitor.page.evaluate("window.hacked") is None
    assert (
        await visitor.widget.evaluate("(element, markup) => element.shadowRoot.querySelectorAll(markup).length", MARKUP)
        == 0
    )
    assert [url for url in visitor.requests if not url.startswith((visitor.url, site.url))] == []


async def test_what_a_model_or_a_visitor_says_is_never_markup(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    for number, attack in enumerate(ATTACKS):
        await visitor.write(attack)
        await expect(visitor.messages).to_have_count(2 * number + 1)
        await site.desk.has_received(number + 1)
        await site.desk.only.say(attack)
        await expect(visitor.panel.locator(".live")).not_to_be_empty()
        await site.desk.only.answer(attack, author=("agent", "human")[number % 2])
        await expect(visitor.messages).to_have_count(2 * number + 2)

    assert site.desk.texts == [attack.strip() for attack in ATTACKS]
    await is_harmless(visitor, site)
    await visitor.visit()
    await visitor.open()
    await expect(visitor.messages).to_have_count(2 * len(ATTACKS))
    await is_harmless(visitor, site)


@pytest.mark.parametrize("attack", ATTACKS[:3])
async def test_what_a_channel_s_owner_enters_is_never_markup(site: Site, come: Come, attack: str) -> None:
    await site.change(name=attack, greeting=attack, quick_replies=[attack])
    visitor = await come()

    await visitor.open()
    await expect(visitor.panel.locator("h2")).to_have_text(attack)
    await visitor.panel.locator(".quick button").click()

    await eventually(lambda: site.desk.texts == [attack])
    await is_harmless(visitor, site)


async def test_what_a_page_puts_into_attributes_is_never_markup_or_style(shop: Shop, site: Site, come: Come) -> None:
    evil = "red;}*{background:url(//evil.example)}"
    shop.embed = embed(
        site.widget,
        primary_color=evil,
        secondary_color="#12345G",
        heading="&lt;img src=x onerror=window.hacked=1&gt;",
        greeting="&lt;script&gt;window.hacked=1&lt;/script&gt;",
        language="constructor",
        theme="&quot;&gt;",
        position="x",
    )
    visitor = await come()
    await visitor.open()

    await expect(visitor.panel.locator("h2")).to_have_text("<img src=x onerror=window.hacked=1>")
    colour = await visitor.launcher.evaluate("each => getComputedStyle(each).backgroundColor")
    assert colour == "rgb(59, 130, 246)"
    await is_harmless(visitor, site)


@pytest.mark.parametrize("stored", ["[]", "not json", '{"token": {"x": 1}}', '"x"', "7"])
async def test_a_spoiled_store_does_no_harm(visitor: Visitor, site: Site, stored: str) -> None:
    await visitor.page.evaluate(
        """stored => {
          const id = document.querySelector("webchat-widget").getAttribute("agent-id");
          for (const key of [`waapi.webchat.${id}`, `waapi.webchat.${id}.outbox`]) localStorage.setItem(key, stored);
        }""",
        stored,
    )

    await visitor.visit()
    await visitor.open()
    await visitor.write("Hello")

    await eventually(lambda: site.desk.texts == ["Hello"])


async def test_it_works_under_a_strict_content_security_policy(shop: Shop, site: Site, come: Come) -> None:
    shop.policy = POLICY.format(site=site.url)
    visitor = await come()

    await visitor.open()
    await visitor.ask("Hello")
    assert await visitor.launcher.evaluate("each => getComputedStyle(each).borderRadius") == "50%"


async def test_a_page_that_the_channel_does_not_list_gets_nothing(site: Site, come: Come) -> None:
    await site.change(allowed_origins=["https://shop.example"])
    visitor = await come()

    await visitor.launcher.click()

    await expect(visitor.panel.get_by_role("status")).not_to_be_empty()
    assert site.desk.conversations == {}
    visitor.faults.clear()  # the browser's own words about a request that CORS has stopped


async def test_a_long_text_is_cut_by_the_input_and_a_long_word_wraps(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.input.fill("x" * 5000)
    await visitor.input.press("Enter")

    await eventually(lambda: site.desk.texts == ["x" * 4000])
    overflow = await visitor.panel.locator(".scroll").evaluate("each => each.scrollWidth > each.clientWidth")
    assert not overflow
