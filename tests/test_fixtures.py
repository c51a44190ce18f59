"""The fixtures that other tests stand on."""

import aio_pika
import pytest
from playwright.async_api import Browser

from shared.mongo import Database
from tests.eventually import eventually


async def test_a_database_is_empty_and_takes_transactions(database: Database) -> None:
    client = database.client

    async with client.start_session() as session, await session.start_transaction():
        await database.things.insert_one({"_id": 1}, session=session)

    assert await database.list_collection_names() == ["things"]
    assert await database.things.count_documents({}) == 1


async def test_a_broker_starts_empty_and_keeps_a_message(rabbit: str) -> None:
    connection = await aio_pika.connect(rabbit)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum"})

        await channel.default_exchange.publish(aio_pika.Message(b"hello"), routing_key="q")

        message = await queue.get(timeout=30)
        assert message is not None
        await message.ack()
        assert message.body == b"hello"


async def test_two_tests_in_turn_do_not_see_each_other(rabbit: str) -> None:
    connection = await aio_pika.connect(rabbit)
    async with connection:
        channel = await connection.channel()

        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.get_queue("q", ensure=True)


async def test_two_visitors_in_the_browser_share_nothing(browser: Browser) -> None:
    first, second = await browser.new_context(), await browser.new_context()
    async with first, second:
        one, other = await first.new_page(), await second.new_page()
        for page in (one, other):
            await page.route("http://shop.test/", lambda route: route.fulfill(body="<title>Shop</title>"))
            await page.goto("http://shop.test/")

        await one.evaluate("localStorage.setItem('who', 'Ann')")

        assert await one.evaluate("localStorage.getItem('who')") == "Ann"
        assert await other.evaluate("localStorage.getItem('who')") is None


async def test_eventually_returns_the_first_truthy_answer() -> None:
    answers = iter([None, 0, "yes", "later"])

    assert await eventually(lambda: next(answers)) == "yes"


async def test_eventually_raises_what_a_failing_condition_last_saw() -> None:
    def condition() -> bool:
        raise AssertionError("saw 3, wanted 4")

    with pytest.raises(AssertionError, match="saw 3, wanted 4"):
        await eventually(condition, timeout_seconds=0.05)
