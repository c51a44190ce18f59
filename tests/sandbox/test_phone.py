"""The fake phone, in a real browser: a person chats as the customer."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.eventually import eventually
from tests.sandbox.conftest import NUMBER, RECIPIENT, Sandbox

BUTTONS = {
    "type": "button",
    "body": {"text": "Shall we call you?"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes please"}}]},
}


@pytest.fixture
async def phone(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    """The page of the usual recipient, who can write to the usual number."""
    context = await browser.new_context()
    page = await context.new_page()
    address = sandbox.client.make_url(f"/phone/{RECIPIENT.removeprefix('+')}?business={NUMBER}")
    await page.goto(str(address))
    yield page
    await context.close()


def written(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What the product has heard of the customer."""
    return [each for value in sandbox.product.values("messages") for each in value.get("messages", [])]


async def test_what_is_sent_is_shown_with_its_ticks(phone: Page, sandbox: Sandbox) -> None:
    await sandbox.send_text()

    bubble = phone.get_by_role("article").filter(has_text="Hello")
    await expect(bubble.locator("small")).to_have_class("read")
    await expect(bubble.locator("small")).to_have_attribute("title", "read")


async def test_what_is_typed_reaches_the_product_as_the_customers_words(phone: Page, sandbox: Sandbox) -> None:
    await phone.get_by_label("Message").fill("Where is <b>my</b> order?")
    await phone.get_by_role("button", name="Send").click()

    await expect(phone.locator("article.mine p")).to_have_text("Where is <b>my</b> order?")
    (value,) = await eventually(lambda: sandbox.product.values("messages"))
    (message,) = value["messages"]
    assert (message["from"], message["text"]["body"]) == (RECIPIENT.removeprefix("+"), "Where is <b>my</b> order?")
    assert value["metadata"]["phone_number_id"] == NUMBER
    await expect(phone.get_by_label("Message")).to_have_value("")


async def test_a_tap_on_a_button_names_the_message_that_had_it(phone: Page, sandbox: Sandbox) -> None:
    _, sent = await sandbox.send({"type": "interactive", "interactive": BUTTONS})

    await phone.get_by_role("button", name="Yes please").click()

    (message,) = await eventually(lambda: written(sandbox))
    assert message["interactive"] == {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes please"}}
    assert message["context"]["id"] == sent["messages"][0]["id"]


async def test_a_templates_words_and_quick_replies_are_those_of_the_template(phone: Page, sandbox: Sandbox) -> None:
    components = [
        {"type": "BODY", "text": "Hi {{1}}, your parcel is here.", "example": {"body_text": [["Asha"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Track order"}]},
    ]
    template = {"waba_id": "102290129340398", "name": "parcel", "language": "en_US", "category": "UTILITY"}
    await sandbox.call("POST", "/_sandbox/templates", template | {"components": components})
    payload = {"type": "payload", "payload": "track"}
    given = [
        {"type": "body", "parameters": [{"type": "text", "text": "Asha"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [payload]},
    ]

    await sandbox.send_template("parcel", given)
    await expect(phone.get_by_role("article")).to_contain_text("Hi Asha, your parcel is here.")
    await phone.get_by_role("button", name="Track order").click()

    (message,) = await eventually(lambda: written(sandbox))
    assert message["button"] == {"payload": "track", "text": "Track order"}


async def test_what_was_written_turns_blue_once_it_is_read(phone: Page, sandbox: Sandbox) -> None:
    await phone.get_by_label("Message").fill("Hello?")
    await phone.keyboard.press("Enter")
    await expect(phone.locator("article.mine small")).to_have_class("sent")
    (value,) = await eventually(lambda: sandbox.product.values("messages"))

    read = {"messaging_product": "whatsapp", "status": "read", "message_id": value["messages"][0]["id"]}
    await sandbox.call("POST", f"/v23.0/{NUMBER}/messages", read)

    await expect(phone.locator("article.mine small")).to_have_class("read")
