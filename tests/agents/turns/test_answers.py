"""A customer writes, the agent answers once."""

from tests.agents.turns.stage import Stage


async def test_a_message_is_answered(stage: Stage) -> None:
    thread = stage.messaging.open()

    answer = await stage.talk(thread, "Where is my order?")

    assert answer == "You wrote: Where is my order?"
    assert await stage.state_of(thread) == "resting"


async def test_messages_in_quick_succession_get_one_answer(stage: Stage) -> None:
    thread = stage.messaging.open()

    await stage.say(thread, "Hello", "I ordered a book", "Where is it?")
    await stage.answer()

    assert stage.messaging.texts(thread) == ["You wrote: Hello / I ordered a book / Where is it?"]
