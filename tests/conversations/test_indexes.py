"""Every query about conversations and what is said in them uses an index, and no conversation is sorted to be shown."""

from shared.contracts.conversations import GetAgentStats, HandOverConversation
from shared.contracts.threads import (
    GetConversation,
    ListConversationMessages,
    ListConversations,
)
from tests.conversations.stage import Stage, meta_message, tap
from tests.explaining import Watched
from tests.messaging.stage import NUMBER, USER, text


async def test_conversations_read_no_collection_as_a_whole(watched: Watched) -> None:
    async with Stage.set_up(watched.database) as stage:
        ask = stage.bus.request
        await stage.add_sent()
        for number in range(1, 5):
            await stage.whole.ask(text(number))
        await stage.hear(*(meta_message(number) for number in range(1, 4)), tap(4))
        listed = await ask(ListConversations(user_id=USER, limit=1), timeout_seconds=30)
        for query in ({}, {"phone_number_id": NUMBER}, {"channel": "whatsapp"}, {"handled_by": "agent"}):
            for cursor in (None, f"1772712000000-{listed.items[0].conversation_id}"):
                wanted = {"user_id": USER, "limit": 1, "cursor": cursor} | query
                await ask(ListConversations.model_validate(wanted), timeout_seconds=30)
        for each in listed.items:
            thread = each.conversation_id
            page = await ask(ListConversationMessages(conversation_id=thread, limit=1), timeout_seconds=30)
            more = ListConversationMessages(conversation_id=thread, limit=1, cursor=page.next_cursor)
            await ask(more, timeout_seconds=30)
            await ask(GetConversation(conversation_id=thread), timeout_seconds=30)
            await ask(HandOverConversation(conversation_id=thread, handled_by="human", by="api"), timeout_seconds=30)
        await ask(GetAgentStats(phone_number_id=NUMBER), timeout_seconds=30)
        stage.clock.pass_time(600)
        for _, work, _ in stage.conversing.loops():
            await work()

        assert len(watched.queries.kept) > 20, "too little was asked: this proves little"
        assert await watched.collection_scans() == []
        for collection in ("messages", "inbound_messages"):
            assert await watched.sorts_in_memory(collection) == []
        steps = await watched.queries.planned_with("DISTINCT_SCAN", watched.database)
        assert {shape.split(",")[0] for shape in steps} == {"{aggregate: inbound_messages", "{aggregate: messages"}
