"""What agents are told of a conversation: both sides, in order, in the words that the customer read."""

import pytest

from shared.contracts.content import TemplateContent
from shared.contracts.conversations import ConversationContext, GetConversationContext
from shared.contracts.inbound import MetaMessage, MetaMessagesReceived
from shared.errors import NotFoundError
from tests.messaging.stage import META_ID, TO, Stage, message_id, template, text

SHIPPED = template(
    "shipped_with_header",
    components=(
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "Hello {{1}}, it is on its way."},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]},
    ),
)


async def write(stage: Stage, words: str, number: int = 1) -> None:
    stage.clock.pass_time(5)
    item = MetaMessage(
        wa_message_id=f"wamid.in{number}",
        channel="whatsapp",
        meta_phone_number_id=META_ID,
        sender=TO.removeprefix("+"),
        type="text",
        text=words,
        content={"body": words},
        at=stage.clock(),
    )
    await stage.bus.publish(MetaMessagesReceived(items=(item,)))


async def context_of(stage: Stage, number: int = 1, limit: int = 30) -> ConversationContext:
    conversation_id = (await stage.document(number))["conversation_id"]
    query = GetConversationContext(conversation_id=conversation_id, limit=limit)
    return await stage.bus.request(query, timeout_seconds=30)


def lines(context: ConversationContext) -> list[tuple[str, str | None]]:
    return [(message.author, message.text) for message in context.messages]


async def test_both_sides_are_told_in_order_and_by_whom(stage: Stage) -> None:
    await stage.ask(text(1))
    await write(stage, "Who is this?")
    stage.clock.pass_time(5)

    context = await context_of(stage)

    assert lines(context) == [("business", "hello 1"), ("customer", "Who is this?")]
    assert (context.handled_by, context.sequence, context.channel) == ("agent", 1, "whatsapp")


async def test_a_template_is_told_as_the_customer_read_it(stage: Stage) -> None:
    await stage.know(SHIPPED)
    content = TemplateContent.model_validate(
        {"name": "shipped_with_header", "header": {"type": "text", "variables": ["17"]}, "variables": ["Asha"]}
    )

    await stage.ask(text(1, content=content))

    assert lines(await context_of(stage)) == [("business", "Order 17\nHello Asha, it is on its way.\n[Thanks]")]


async def test_what_meta_refused_was_said_to_nobody(stage: Stage) -> None:
    await stage.ask(text(1))
    await stage.database["messages"].update_one({"_id": message_id(1)}, {"$set": {"state": "FAILED"}})

    assert lines(await context_of(stage)) == []


async def test_only_the_last_messages_are_told(stage: Stage) -> None:
    await stage.ask(text(1))
    for number in range(3):
        await write(stage, f"Line {number}", number)

    assert lines(await context_of(stage, limit=2)) == [("customer", "Line 1"), ("customer", "Line 2")]


async def test_an_unknown_conversation_is_not_found(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        await stage.bus.request(GetConversationContext(conversation_id="0" * 24), timeout_seconds=30)
