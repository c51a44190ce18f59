"""Campaign messages in groups: one document has lease and intent for all, and whatever it leaves is found."""

import asyncio
from datetime import timedelta

import pytest

from services.messaging.domain.messages import OutboundMessage, contact_id
from services.messaging.domain.states import ANNOUNCE_AFTER
from services.messaging.repositories.groups import SECOND_LOOK_AFTER, GroupRepository
from services.messaging.repositories.messages import MessageRepository
from shared.contracts.contacts import ContactRow, EraseContact, UpsertContacts
from shared.mongo import Document
from tests.eventually import eventually
from tests.messaging.meta import cut, held, refuse
from tests.messaging.stage import NUMBER, USER, Stage, batch, message_id, recipient, status

LEASE = timedelta(seconds=120)


async def groups_of(stage: Stage) -> list[Document]:
    return await stage.database["groups"].find().to_list()


async def send(stage: Stage, *numbers: int) -> None:
    await stage.bus.send(batch(numbers))
    await stage.drain()


async def prepared(stage: Stage, *numbers: int) -> list[OutboundMessage]:
    preparation = stage.messaging.batches.preparation
    ready, _ = await preparation.prepare_batch(batch(numbers), await preparation.list_numbers([NUMBER]))
    return ready


async def claim_and_freeze(stage: Stage, *numbers: int, intends: bool = False) -> list[OutboundMessage]:
    """A worker stores a group and its messages, perhaps the intent as well, and is heard of no more."""
    repository = GroupRepository(stage.database, stage.clock)
    messages = await prepared(stage, *numbers)
    await repository.begin("grp_1", messages, stage.settings.timing_for("utility"), "frozen")
    await MessageRepository(stage.database, "frozen", stage.clock).claim_grouped(messages, "grp_1")
    if intends:
        assert await repository.intend("grp_1") == stage.clock()
    return messages


async def test_while_a_group_is_under_way_only_its_own_document_is_awake(stage: Stage) -> None:
    answered = asyncio.Event()
    stage.meta.will(held(answered), held(answered))
    sending = asyncio.create_task(stage.messaging.batches.send_batch(batch(range(2))))
    assert await eventually(lambda: len(stage.meta.calls) == 2)

    (group,) = await groups_of(stage)
    under_way = [await stage.document(number) for number in range(2)]
    answered.set()
    await sending
    await stage.drain()

    assert group["wake_at"] == stage.clock() + LEASE
    assert group["intended_at"] == stage.clock()
    assert {document["state"] for document in under_way} == {"GROUPED"}
    assert not any("wake_at" in document for document in under_way)


async def test_when_all_is_announced_the_group_is_forgotten_and_the_messages_are_as_any_other(stage: Stage) -> None:
    stage.meta.will(refuse(131026))

    await send(stage, *range(3))

    assert await groups_of(stage) == []
    for number in range(3):
        document = await stage.document(number)
        assert document["attempt"] == 1
        assert document["intended_at"] == stage.clock()
        assert "wake_at" not in document
    assert sorted(await stage.states()) == ["FAILED", "SENT", "SENT"]
    assert len(stage.sent()) == 2


async def test_what_waits_for_meta_or_is_unknown_can_do_without_its_group(stage: Stage) -> None:
    stage.meta.will(refuse(130429), cut)

    await send(stage, *range(3))

    assert await groups_of(stage) == []
    assert sorted(await stage.states()) == ["RETRY_WAIT", "SENT", "UNKNOWN"]
    waiting = [document async for document in stage.database["messages"].find({"state": {"$ne": "SENT"}})]
    assert all("wake_at" in document and document["attempt"] == 1 for document in waiting)


async def test_a_group_that_was_not_intended_is_sent_when_its_lease_is_over(stage: Stage) -> None:
    await claim_and_freeze(stage, 1, 2)
    await stage.sweep()
    calls_within_lease = len(stage.meta.calls)

    stage.clock.pass_time(LEASE.total_seconds())
    await stage.sweep()

    assert calls_within_lease == 0
    assert await stage.states() == ["SENT", "SENT"]
    assert sorted(stage.meta.opaques()) == sorted(f"w1:{message_id(number)}:1" for number in (1, 2))


async def test_a_group_that_was_intended_is_unknown_when_its_lease_is_over_and_not_posted(stage: Stage) -> None:
    await claim_and_freeze(stage, 1, 2, intends=True)

    stage.clock.pass_time(LEASE.total_seconds())
    await stage.sweep()

    assert await stage.states() == ["UNKNOWN", "UNKNOWN"]
    assert [(await stage.document(number))["attempt"] for number in (1, 2)] == [1, 1]
    assert stage.meta.calls == []


async def test_a_status_that_came_while_the_group_was_left_settles_its_message(stage: Stage) -> None:
    await claim_and_freeze(stage, 1, intends=True)
    await stage.hear(status("delivered", f"w1:{message_id(1)}:1", "wamid.X"))

    stage.clock.pass_time(LEASE.total_seconds())
    await stage.sweep()
    await stage.sweep()

    assert await stage.states() == ["SENT"]
    assert [item.wa_message_id for item in stage.sent()] == ["wamid.X"]


async def test_who_wakes_up_after_the_lease_may_not_intend(stage: Stage) -> None:
    await claim_and_freeze(stage, 1)
    stage.clock.pass_time(LEASE.total_seconds())
    await stage.sweep()

    assert await GroupRepository(stage.database, stage.clock).intend("grp_1") is None


async def test_what_was_inserted_after_the_first_look_is_found_by_the_second(stage: Stage) -> None:
    (message,) = await prepared(stage, 1)
    repository = GroupRepository(stage.database, stage.clock)
    await repository.begin("grp_1", [message], stage.settings.timing_for("utility"), "frozen")
    stage.clock.pass_time(LEASE.total_seconds())
    await stage.sweep()
    await MessageRepository(stage.database, "frozen", stage.clock).claim_grouped([message], "grp_1")

    stage.clock.pass_time(SECOND_LOOK_AFTER.total_seconds())
    await stage.sweep()

    assert await stage.states() == ["SENT"]
    assert await groups_of(stage) == []


async def test_outcomes_that_could_not_be_announced_are_announced_by_the_sweeper(stage: Stage) -> None:
    stage.bus.is_away = True
    await stage.messaging.batches.send_batch(batch(range(2)))
    await stage.drain()
    left = await groups_of(stage)

    stage.bus.is_away = False
    stage.clock.pass_time(ANNOUNCE_AFTER.total_seconds())
    await stage.sweep()

    assert left == []
    assert {item.message_id for item in stage.sent()} == {message_id(number) for number in range(2)}
    assert await stage.database["messages"].count_documents({"wake_at": {"$exists": True}}) == 0


async def test_a_contact_that_opts_out_leaves_the_others_of_its_group_to_be_sent(stage: Stage) -> None:
    await claim_and_freeze(stage, 1, 2)
    await stage.database["messages"].update_many({}, {"$set": {"class": "marketing"}})

    first = await stage.document(1)
    await stage.messaging.contacts.consents.change_consent(
        change_id="consent_1",
        user_id=USER,
        contact_id=first["contact_id"],
        phone=recipient(1),
        opted_out=True,
        proof="keyword",
        at=stage.clock(),
    )
    await stage.sweep()

    assert [await stage.state(number) for number in (1, 2)] == ["FAILED", "SENT"]
    assert [call.body["to"] for call in stage.meta.calls] == [recipient(2)]


async def test_what_meta_puts_off_is_not_posted_once_more_to_who_was_erased_meanwhile(stage: Stage) -> None:
    person = UpsertContacts(user_id=USER, contacts=(ContactRow(phone=recipient(1)),))
    await stage.bus.request(person, timeout_seconds=30)
    answered = asyncio.Event()
    stage.meta.will(held(answered, then=refuse(131056)))
    sending = asyncio.create_task(stage.messaging.batches.send_batch(batch([1])))
    assert await eventually(lambda: len(stage.meta.calls) == 1)
    await stage.bus.request(EraseContact(contact_id=contact_id(USER, recipient(1))), timeout_seconds=30)

    answered.set()
    await sending
    await stage.drain()
    stage.clock.pass_time(60)
    await stage.sweep()
    await stage.sweep()
    stage.clock.pass_time(31)
    await stage.messaging.contacts.erasure.finish_all()

    assert len(stage.meta.calls) == 1
    assert [item.failure for item in stage.failed()] == ["recipient_erased"]
    assert (await stage.document(1))["to"] == "erased"


async def test_credits_of_what_is_in_a_group_stay_set_aside(stage: Stage) -> None:
    first, *_ = await claim_and_freeze(stage, 1, 2)
    assert first.credit is not None

    undecided = await stage.messaging.credits.ledger.charges.count_undecided([first.credit])

    assert undecided == {first.credit: 2}


@pytest.mark.parametrize("intends", [False, True])
async def test_a_group_that_is_held_twice_or_looked_at_twice_stays_as_it_is(stage: Stage, intends: bool) -> None:
    await claim_and_freeze(stage, 1, intends=intends)
    repository = GroupRepository(stage.database, stage.clock)

    for _ in range(2):
        await repository.close_campaign("cmp_1")

    assert await stage.state(1) == ("GROUPED" if intends else "CLAIMED")
    assert (await stage.document(1))["attempt"] == 0
