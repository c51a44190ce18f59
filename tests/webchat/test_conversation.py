"""A visitor talks, on a page of somebody else's, in a real browser."""

from playwright.async_api import expect

from services.gateway.routes.widget_files import WIDGET_FILES
from shared.errors import InvalidInputError, ServiceUnavailableError
from tests.eventually import eventually
from tests.webchat.conftest import Come
from tests.webchat.shop import Shop, embed
from tests.webchat.stage import WEBCHAT_ID, Site
from tests.webchat.visitor import Visitor

QUESTION = "Where is my order?"
PACKED_BYTES_AT_MOST = 12_000


def test_the_widget_is_small() -> None:
    assert len(WIDGET_FILES["/widget.js"].packed) <= PACKED_BYTES_AT_MOST


async def test_nothing_but_the_script_is_asked_for_before_the_chat_is_opened(visitor: Visitor, site: Site) -> None:
    await expect(visitor.launcher).to_be_visible()

    assert visitor.requests == [visitor.url, site.widget]
    assert await visitor.page.context.cookies() == []


async def test_an_answer_is_shown_while_it_is_written_and_then_as_a_whole(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)
    await expect(visitor.panel.locator(".dots")).to_be_visible()

    await site.desk.only.say("Your order **17**")
    await expect(visitor.panel.locator(".live")).to_have_text("Your order 17")
    await site.desk.only.say(" is on its way 😀!")
    await expect(visitor.panel.locator(".live")).to_have_text("Your order 17 is on its way 😀!")
    await site.desk.only.answer("Your order **17** is on its way 😀!")

    await visitor.sees(QUESTION, "Your order 17 is on its way 😀!")
    await expect(visitor.panel.locator(".live")).to_be_empty()
    await expect(visitor.messages.locator("strong")).to_have_text("17")


async def test_what_was_said_is_there_again_after_a_reload(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)
    await site.desk.only.answer("Tomorrow.")
    await visitor.sees(QUESTION, "Tomorrow.")

    await visitor.visit("other")
    await expect(visitor.messages).to_have_count(0)
    await visitor.open()

    await visitor.sees(QUESTION, "Tomorrow.")
    assert len(site.desk.conversations) == 1


async def test_a_visitor_who_comes_in_the_middle_of_an_answer_sees_all_of_it(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)
    await site.desk.only.say("It left 😀 ")

    await visitor.visit()
    await visitor.open()
    await expect(visitor.panel.locator(".live")).to_have_text("It left 😀")
    await site.desk.only.say("yesterday.")

    await expect(visitor.panel.locator(".live")).to_have_text("It left 😀 yesterday.")


async def test_what_is_written_without_a_network_goes_out_with_it(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.page.context.set_offline(True)
    await visitor.write("First")
    await visitor.write("Second")
    await visitor.sees("First", "Second")
    await expect(visitor.panel.get_by_text("Waiting to be sent").first).to_be_visible()
    assert site.desk.texts == []

    await visitor.page.context.set_offline(False)
    await eventually(lambda: site.desk.texts == ["First", "Second"])

    await site.desk.only.answer("Both are here.")
    await visitor.sees("First", "Second", "Both are here.")
    await expect(visitor.panel.get_by_text("Waiting to be sent")).to_have_count(0)


async def test_what_was_not_sent_is_kept_over_a_reload_and_sent_once(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    site.desk.error = ServiceUnavailableError("The broker is away")
    await visitor.write(QUESTION)
    await expect(visitor.panel.get_by_text("Waiting to be sent")).to_be_visible()

    await visitor.visit()
    site.desk.error = None
    await visitor.open()

    await eventually(lambda: site.desk.texts == [QUESTION])
    await visitor.sees(QUESTION)


async def test_a_message_that_was_refused_says_so_and_can_be_tried_again(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    site.desk.error = InvalidInputError("No")
    await visitor.write(QUESTION)
    await expect(visitor.panel.get_by_text("Not sent")).to_be_visible()

    site.desk.error = None
    await visitor.panel.get_by_role("button", name="Try again").click()

    await eventually(lambda: site.desk.texts == [QUESTION])
    await expect(visitor.panel.get_by_text("Not sent")).to_have_count(0)


async def test_a_stream_that_ends_is_taken_up_where_it_ended(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)

    await visitor.page.context.set_offline(True)
    await site.desk.only.answer("One.")
    await site.desk.only.answer("Two.")
    await visitor.page.context.set_offline(False)

    await visitor.sees(QUESTION, "One.", "Two.")
    assert site.desk.texts == [QUESTION]


async def test_where_streams_do_not_come_through_entries_are_asked_for(visitor: Visitor, site: Site) -> None:
    held_back = []
    await visitor.page.clock.install()

    async def hold(route: object) -> None:
        held_back.append(route)

    await visitor.page.route("**/events", hold)
    await visitor.launcher.click()
    await eventually(lambda: held_back)
    await visitor.page.clock.run_for(20_000)

    await visitor.write(QUESTION)
    await eventually(lambda: site.desk.texts == [QUESTION])
    await site.desk.only.answer("Tomorrow.")

    await visitor.sees(QUESTION, "Tomorrow.")
    assert any("events?wait=" in url for url in visitor.requests)


async def test_a_person_who_takes_over_is_announced(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)

    await site.desk.only.hand_over("human")
    await expect(visitor.panel.get_by_text("A person is with you now")).to_be_visible()
    await expect(visitor.panel.locator(".dots")).to_have_count(0)
    await site.desk.only.answer("Ravi here.", author="human")
    await visitor.sees(QUESTION, "Ravi here.")
    await site.desk.only.hand_over("agent")

    await expect(visitor.panel.get_by_text("The assistant is with you again")).to_be_visible()


async def test_two_visitors_never_see_each_other(come: Come, site: Site) -> None:
    ann, ben = await come(), await come()
    await ann.open()
    await ben.open()
    await ann.ask("I am Ann")
    await ben.ask("I am Ben")

    for conversation in site.desk.conversations.values():
        name = conversation.entries[0].text
        await conversation.say(f"Hello, {name}")
        await conversation.answer(f"Hello, {name}")

    await ann.sees("I am Ann", "Hello, I am Ann")
    await ben.sees("I am Ben", "Hello, I am Ben")
    await ann.visit()
    await ann.open()
    await ann.sees("I am Ann", "Hello, I am Ann")


async def test_a_visitor_s_two_windows_show_the_same(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    second = Visitor(await visitor.page.context.new_page(), visitor.url)
    await second.visit()
    await second.open()

    await visitor.write(QUESTION)
    await second.sees(QUESTION)
    await site.desk.only.answer("Tomorrow.")

    await visitor.sees(QUESTION, "Tomorrow.")
    await second.sees(QUESTION, "Tomorrow.")


async def test_a_page_may_hold_several_widgets_and_the_script_twice(shop: Shop, site: Site, come: Come) -> None:
    shop.embed = embed(site.widget) + embed(site.widget, webchat_id="webchat_another", heading="Another")
    visitor = await come()
    widgets = visitor.page.locator("webchat-widget")

    boxes = [await widgets.nth(index).locator(".launcher").bounding_box() for index in (0, 1)]
    await visitor.open()
    await visitor.ask(QUESTION)

    first, second = (box for box in boxes if box)
    assert second["y"] + second["height"] <= first["y"]
    await expect(widgets.nth(1).get_by_role("dialog")).to_have_count(0)


async def test_a_site_whose_channel_is_not_there_is_told_and_asks_no_more(shop: Shop, site: Site, come: Come) -> None:
    shop.embed = embed(site.widget, webchat_id="webchat_unknown")
    visitor = await come()

    await visitor.launcher.click()

    await expect(visitor.panel.get_by_text("This chat is not available here")).to_be_visible()
    assert len([url for url in visitor.requests if "webchat_unknown" in url]) == 1


async def test_scripts_of_the_page_can_steer_it_and_hear_of_it(visitor: Visitor, site: Site) -> None:
    await visitor.page.evaluate(
        """() => {
          window.heard = [];
          for (const name of ["open", "close", "ready", "message", "handover"])
            document.addEventListener(`webchat:${name}`, (event) => heard.push([name, event.detail.author ?? null]));
        }"""
    )

    await visitor.call("open")
    await visitor.is_ready()
    await visitor.call("send", "From the page")
    await eventually(lambda: site.desk.texts == ["From the page"])
    await site.desk.only.answer("Heard.")
    await visitor.sees("From the page", "Heard.")
    await visitor.call("close")

    heard = await visitor.page.evaluate("heard")
    assert heard == [["open", None], ["ready", None], ["message", "agent"], ["close", None]]
    await expect(visitor.panel).to_be_hidden()


async def test_a_visitor_can_be_forgotten(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)

    await visitor.call("reset")

    await visitor.is_ready()
    await visitor.sees()
    await visitor.write("Somebody else")
    await eventually(lambda: len(site.desk.conversations) == 2)


async def test_news_while_the_chat_is_closed_are_counted(visitor: Visitor, site: Site) -> None:
    await visitor.open()
    await visitor.ask(QUESTION)
    await visitor.input.press("Escape")

    await site.desk.only.answer("Tomorrow.")

    await expect(visitor.launcher).to_have_attribute("aria-label", "Open chat (1 new)")
    await visitor.launcher.click()
    await expect(visitor.launcher).to_have_attribute("aria-label", "Close chat")


async def test_a_session_that_has_expired_is_replaced_without_a_word(visitor: Visitor, site: Site) -> None:
    await visitor.page.evaluate(
        "key => localStorage.setItem(key, JSON.stringify({token: 'wvt_old.x', session_id: 'session_old'}))",
        f"waapi.webchat.{WEBCHAT_ID}",
    )

    await visitor.visit()
    await visitor.open()
    await visitor.write(QUESTION)

    await eventually(lambda: site.desk.texts == [QUESTION])
    await visitor.sees(QUESTION)
