"""Chunks of recipients come at once, twice and late."""

from itertools import permutations

import pytest

from shared.contracts.base import Reply
from shared.contracts.campaigns import AbortUpload
from shared.contracts.contacts import PreparedRecipients, PrepareRecipients, RecipientRow
from shared.errors import ConflictError
from tests.campaigns.neighbours import CAMPAIGN
from tests.campaigns.stage import Stage, phone, rows

ABORT = AbortUpload(campaign_id=CAMPAIGN, upload_id=CAMPAIGN)


def said(row: int, word: str) -> tuple[RecipientRow, ...]:
    """A chunk with the same person in it each time, and other words."""
    return (RecipientRow(row=row, phone=phone(1), variables={"1": word}, name=word),)


@pytest.mark.parametrize("order", list(permutations(["first", "second", "third"])))
async def test_who_is_in_a_file_twice_gets_the_words_of_the_first_row_in_whatever_order_chunks_come(
    stage: Stage, order: tuple[str, ...]
) -> None:
    await stage.create()
    chunks = {"first": said(1, "$first"), "second": said(2, "second"), "third": said(3, "third")}

    once = [await stage.add(chunks[name]) for name in order]
    again = [await stage.add(chunks[name]) for name in order]
    await stage.finish()
    (item,) = await stage.dispatch()

    assert item.variables == {"1": "$first"}
    assert stage.messaging.contacts[phone(1)].name == "$first"
    assert [each.accepted for each in once] == [1, 0, 0]
    assert [each.duplicates for each in once] == [0, 1, 1]
    assert again == once


async def test_of_a_chunk_that_ends_after_its_upload_was_undone_nothing_stays(stage: Stage) -> None:
    async def prepare_slowly(query: PrepareRecipients) -> Reply:
        if query.rows:
            await stage.bus.request(ABORT, timeout_seconds=30)
        return PreparedRecipients(rows=(await stage.messaging.prepare(query)).rows)

    await stage.create()
    stage.bus.on(PrepareRecipients, prepare_slowly)

    with pytest.raises(ConflictError, match="not open"):
        await stage.add(rows(range(1, 11)))

    assert await stage.database["recipients"].count_documents({}) == 0


async def test_what_a_killed_worker_left_of_an_undone_upload_goes_when_its_chunk_comes_again(stage: Stage) -> None:
    await stage.create()
    await stage.bus.request(ABORT, timeout_seconds=30)
    left = {"_id": "rcp_1", "campaign_id": CAMPAIGN, "upload": CAMPAIGN, "n": 1, "state": "pending"}
    await stage.database["recipients"].insert_one(left)

    with pytest.raises(ConflictError):
        await stage.add(rows([1]))

    assert await stage.database["recipients"].count_documents({}) == 0
