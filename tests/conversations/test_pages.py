"""Pages of what stands in an index by its moment alone: of several of one moment none is shown twice, or left out."""

from datetime import timedelta

import pytest

from services.messaging.repositories.histories import HistoryRepository
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.clock import utc_now
from shared.contracts.threads import ListConversations
from shared.mongo import Database

NOON = utc_now()


@pytest.mark.parametrize("minutes", [(0, 0, 0, 0, 0), (0, 0, 0, 1, 1), (0, 1, 1, 1, 2), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_pages_show_each_conversation_once_and_the_latest_first(
    database: Database, minutes: tuple[int, ...], limit: int
) -> None:
    moments = {f"{number:024x}": NOON + timedelta(minutes=minute) for number, minute in enumerate(minutes)}
    thread = {"user_id": "usr_1", "phone_number_id": "pn_1", "channel": "whatsapp", "contact_id": "contact_1"}
    await database["conversations"].insert_many(
        [{"_id": id_, "last_message_at": at, "created_at": NOON} | thread for id_, at in moments.items()]
    )
    histories = HistoryRepository(database, TemplateCopyRepository(database, utc_now))

    seen, cursor = [], None
    for _ in range(len(minutes)):
        page = await histories.list_conversations(ListConversations(user_id="usr_1", limit=limit, cursor=cursor))
        seen += [each.conversation_id for each in page.items]
        if (cursor := page.next_cursor) is None:
            break

    assert seen == sorted(moments, key=lambda id_: (moments[id_], id_), reverse=True)
    assert cursor is None
