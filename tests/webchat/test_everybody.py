"""The widget for everybody: any language, any colours, keyboard only, any screen."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.webchat.conftest import Come
from tests.webchat.shop import Shop
from tests.webchat.stage import Site
from tests.webchat.visitor import Visitor

WORDS = {
    "en": ("Close chat", "Write a message"),
    "es": ("Cerrar el chat", "Escribe un mensaje"),
    "pt": ("Fechar o chat", "Escreva uma mensagem"),
    "fr": ("Fermer la discussion", "Écrivez un message"),
    "hi": ("चैट बंद करें", "संदेश लिखें"),
    "ar": ("إغلاق المحادثة", "اكتب رسالة"),
}
COLOURS = [("#FFFF00", "#000000"), ("#000000", "#FFFFFF"), ("#777777", "#808080"), ("#ff00aa", "#00ffcc")]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RETRY = "Try again"
RECOLOUR = """(element, [primary, secondary]) => {
  element.setAttribute("primary-color", primary);
  element.setAttribute("secondary-color", secondary);
}"""


async def talk(visitor: Visitor, site: Site) -> None:
    """One of everything that can stand in a transcript."""
    await visitor.open()
    await visitor.ask("I ask")
    await site.desk.only.answer("See [the page](https://shop.example), `code`:\n\n- one\n- two\n\n```\nlet x = 1\n```")
    await site.desk.only.hand_over("human")
    await site.desk.only.answer("Ravi here", author="human")
    await expect(visitor.messages).to_have_count(3)
    await site.desk.only.say("An answer in the making")
    await visitor.page.context.set_offline(True)
    await visitor.write("Not sent")
    await expect(visitor.panel.get_by_role("button", name=RETRY)).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_serious(come: Come, site: Site, scheme: str) -> None:
    visitor = await come(color_scheme=scheme)
    await talk(visitor, site)

    assert await visitor.serious_findings() == []


async def test_axe_finds_nothing_serious_in_arabic(shop: Shop, site: Site, come: Come) -> None:
    shop.language = "ar"
    visitor = await come()
    await visitor.open()
    await visitor.ask("أين طلبي؟")
    await site.desk.only.answer("طلبك **17** في الطريق")
    await visitor.sees("أين طلبي؟", "طلبك 17 في الطريق")

    assert await visitor.serious_findings() == []


async def test_any_colours_can_be_read(site: Site, visitor: Visitor) -> None:
    await visitor.open()
    await visitor.ask("I ask")
    await site.desk.only.answer("See https://shop.example")
    await expect(visitor.messages).to_have_count(2)

    for primary, secondary in COLOURS:
        await visitor.widget.evaluate(RECOLOUR, [primary, secondary])
        await expect(visitor.launcher).to_have_css("background-color", f"rgb{tuple(bytes.fromhex(primary[1:]))}")
        for scheme in SCHEMES:
            await visitor.page.emulate_media(color_scheme=scheme)
            found = await visitor.serious_findings(runOnly=["color-contrast"])
            assert found == [], (primary, secondary, scheme)


async def test_it_speaks_the_page_s_language(shop: Shop, come: Come) -> None:
    shop.language = "fr-CA"
    visitor = await come()

    await expect(visitor.launcher).to_have_attribute("aria-label", "Ouvrir la discussion")


async def test_it_speaks_the_language_that_it_is_given(visitor: Visitor) -> None:
    await visitor.open()

    for language, (closing, writing) in WORDS.items():
        await visitor.widget.evaluate("(element, language) => element.setAttribute('language', language)", language)
        await expect(visitor.launcher).to_have_attribute("aria-label", closing)
        await expect(visitor.input).to_have_attribute("placeholder", writing)
        await expect(visitor.panel).to_have_attribute("lang", language)


async def test_arabic_runs_from_right_to_left(shop: Shop, come: Come, site: Site) -> None:
    await site.change(language="ar")
    visitor = await come()
    await visitor.open()
    await visitor.ask("مرحبا")
    await site.desk.only.answer("كيف يمكنني مساعدتك؟")
    await expect(visitor.messages).to_have_count(2)

    mine, theirs = [await visitor.messages.nth(index).bounding_box() for index in (0, 1)]

    assert mine is not None
    assert theirs is not None
    assert mine["x"] + mine["width"] < theirs["x"] + theirs["width"]
    assert await visitor.panel.evaluate("panel => getComputedStyle(panel).direction") == "rtl"


async def test_it_is_used_by_keyboard_alone(visitor: Visitor, site: Site) -> None:
    keyboard = visitor.page.keyboard
    await visitor.page.locator("#buy").focus()

    await keyboard.press("Tab")
    assert await visitor.focused() == "Open chat"
    await keyboard.press("Enter")
    await visitor.is_ready()
    assert await visitor.focused() == "Write a message"
    await keyboard.type("Where is it?")
    await keyboard.press("Shift+Enter")
    await keyboard.type("I wait.")
    await keyboard.press("Enter")
    await visitor.sees("Where is it?\nI wait.")
    await keyboard.press("Tab")
    assert await visitor.focused() == "Send"
    await keyboard.press("Escape")

    await expect(visitor.panel).to_be_hidden()
    assert await visitor.focused() == "Open chat"
    await expect(visitor.launcher).to_have_attribute("aria-expanded", "false")


async def test_an_input_method_s_enter_does_not_send(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.input.fill("にほん")

    await visitor.input.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "keyCode": 229})
    assert await visitor.input.input_value() == "にほん"
    await visitor.input.press("Enter")

    await visitor.sees("にほん")


async def test_whole_answers_are_announced_and_not_their_pieces(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    log = visitor.panel.get_by_role("log")
    await visitor.ask("I ask")

    await site.desk.only.say("Piece by")
    await expect(visitor.panel.locator(".live")).to_have_text("Piece by")

    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(log).not_to_contain_text("Piece by")
    assert await visitor.panel.locator(".live").get_attribute("aria-hidden") == "true"


async def test_a_narrow_screen_is_filled_and_keeps_the_focus(come: Come) -> None:
    visitor = await come(viewport={"width": 390, "height": 700})
    await visitor.open()

    box = await visitor.panel.bounding_box()
    for _ in range(8):
        await visitor.page.keyboard.press("Tab")

    assert box == {"x": 0, "y": 0, "width": 390, "height": 700}
    await expect(visitor.panel).to_have_attribute("aria-modal", "true")
    assert await visitor.page.evaluate("document.activeElement.localName") == "webchat-widget"


async def test_who_wants_no_motion_gets_none(come: Come) -> None:
    visitor = await come(reduced_motion="reduce")
    await visitor.open()
    await visitor.write("I ask")
    await expect(visitor.panel.locator(".dots")).to_be_visible()

    running = await visitor.widget.evaluate("element => element.shadowRoot.getAnimations().length")

    assert running == 0


async def test_forced_colours_leave_borders(come: Come, site: Site) -> None:
    visitor = await come(forced_colors="active")
    await visitor.open()
    await visitor.ask("I ask")
    await site.desk.only.answer("Answer")
    await expect(visitor.messages).to_have_count(2)

    width = await visitor.messages.nth(1).evaluate("line => getComputedStyle(line).borderTopWidth")

    assert width == "1px"


async def test_targets_are_large_enough(visitor: Visitor, site: Site) -> None:
    await talk(visitor, site)

    sizes = await visitor.widget.evaluate(
        """element => [...element.shadowRoot.querySelectorAll("button")]
          .filter((each) => each.offsetParent)
          .map((each) => each.getBoundingClientRect())
          .map(({ width, height }) => Math.min(width, height))"""
    )

    assert len(sizes) >= 4
    assert min(sizes) >= 24


async def test_the_page_s_style_and_the_widget_s_stay_apart(visitor: Visitor) -> None:
    await visitor.open()

    title = await visitor.panel.locator("h2").evaluate("each => [getComputedStyle(each).textTransform]")
    page = await visitor.page.locator("#said").evaluate("each => getComputedStyle(each).fontFamily")

    assert title == ["none"]
    assert page == "cursive"


async def test_the_page_may_style_it_by_custom_properties_and_parts(visitor: Visitor) -> None:
    await visitor.page.add_style_tag(
        content="webchat-widget { --webchat-radius: 3px } webchat-widget::part(title) { letter-spacing: 2px }"
    )
    await visitor.open()

    assert await visitor.panel.evaluate("each => getComputedStyle(each).borderTopLeftRadius") == "3px"
    assert await visitor.panel.locator("h2").evaluate("each => getComputedStyle(each).letterSpacing") == "2px"
