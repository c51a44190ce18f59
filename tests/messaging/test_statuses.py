"""Meta's statuses: any order and any number of them end in the same state, and strangers are kept for a while."""

from datetime import timedelta
from itertools import count, groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.messaging.domain.states import RANKS
from tests.messaging.doubles import NOON
from tests.messaging.stage import Stage, heard, message_id, status, text

History = list[list[str]]  # the names of one message's statuses, in the groups in which they come

histories = st.lists(st.lists(st.sampled_from(sorted(RANKS)), max_size=4), min_size=1, max_size=4)
numbers = count(1000)


def opaque(number: int = 1) -> str:
    return f"w1:{message_id(number)}:1"


async def sent_messages(stage: Stage, how_many: int) -> list[int]:
    """The numbers of messages that Meta has accepted."""
    fresh = [next(numbers) for _ in range(how_many)]
    messages = stage.messaging.dispatcher.messages
    timing = stage.settings.timing_for("service")
    await messages.claim_new([stage.outbound(text(number)) for number in fresh], "try_1", timing)
    await messages.record_accepted({message_id(number): f"wamid.{number}" for number in fresh})
    return fresh


@given(each=st.lists(histories, min_size=20, max_size=20))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_ranks_and_announcements_only_rise_whatever_comes_in_whatever_order(
    stage: Stage, each: list[History]
) -> None:
    sent = dict(zip(await sent_messages(stage, len(each)), each, strict=True))
    stage.bus.published.clear()

    for turn in range(4):
        names = [(number, name) for number, history in sent.items() for name in (history[turn : turn + 1] or [[]])[0]]
        group = [heard(status(name, opaque(number), f"wamid.{number}")) for number, name in names]
        await stage.messaging.statuses.on_meta_statuses_received(group)

    announced = sorted(stage.changes(), key=lambda item: item.message_id)
    ranks = {id_: [RANKS[item.status] for item in items] for id_, items in groupby(announced, lambda i: i.message_id)}
    for number, history in sent.items():
        came = {RANKS[name] for names in history for name in names}
        first_told = list(dict.fromkeys(ranks.get(message_id(number), [])))
        document = await stage.document(number)
        assert document["rank"] == max(came, default=0)
        assert document["state"] == "SENT"
        assert first_told == sorted(first_told)
        assert max(first_told, default=0) == max(came, default=0)


async def test_each_status_that_raises_the_rank_is_announced_with_its_message(stage: Stage) -> None:
    outcome = await stage.ask(text())

    for name in ("sent", "delivered", "read"):
        await stage.hear(status(name, opaque()))

    assert [item.id for item in stage.changes()] == [
        f"message.{name}:{message_id()}" for name in ("sent", "delivered", "read")
    ]
    assert {item.conversation_id for item in stage.changes()} == {outcome.conversation_id}
    assert (await stage.document())["status_at"] == {"sent": NOON, "delivered": NOON, "read": NOON}


async def test_statuses_that_come_together_are_announced_in_the_order_of_their_ranks(stage: Stage) -> None:
    await stage.ask(text())

    await stage.hear(status("read", opaque()), status("sent", opaque()), status("delivered", opaque()))

    assert [item.status for item in stage.changes()] == ["sent", "delivered", "read"]


async def test_a_status_that_comes_too_late_to_raise_anything_is_not_announced(stage: Stage) -> None:
    await stage.ask(text())
    await stage.hear(status("read", opaque()))

    await stage.hear(status("delivered", opaque()))

    assert [item.status for item in stage.changes()] == ["read"]


async def test_a_failed_status_after_the_acceptance_is_announced_with_its_reason(stage: Stage) -> None:
    await stage.ask(text())

    await stage.hear(status("failed", opaque()))

    (change,) = stage.changes()
    assert change.error is not None
    assert (change.status, change.error.code) == ("failed", 131026)
    document = await stage.document()
    assert (document["state"], document["failed_error"]["code"]) == ("SENT", 131026)
    assert "wake_at" not in document


async def test_a_failure_that_is_told_after_the_arrival_is_ignored(stage: Stage) -> None:
    await stage.ask(text())
    await stage.hear(status("delivered", opaque()))

    await stage.hear(status("failed", opaque()))

    assert [item.status for item in stage.changes()] == ["delivered"]


async def test_a_status_without_our_data_is_found_by_its_wamid(stage: Stage) -> None:
    await stage.ask(text())

    await stage.hear(status("delivered", None, "wamid.1"))

    assert [item.message_id for item in stage.changes()] == [message_id()]


async def test_a_status_of_a_wamid_nobody_knows_yet_is_applied_once_its_message_is_known(stage: Stage) -> None:
    await stage.hear(status("delivered", None, "wamid.1"))
    await stage.messaging.statuses.apply_parked()
    announced_before = stage.changes()

    await stage.ask(text())
    await stage.messaging.statuses.apply_parked()
    await stage.messaging.statuses.apply_parked()

    assert announced_before == []
    assert [item.id for item in stage.changes()] == [f"message.delivered:{message_id()}"]
    assert await stage.database["parked_statuses"].count_documents({}) == 0


async def test_a_strangers_status_is_parked_once_however_often_it_comes(stage: Stage) -> None:
    stranger = status("delivered", None, "wamid.other")

    await stage.hear(stranger, stranger)
    await stage.hear(stranger, status("delivered", "another system's data", "wamid.third"))

    parked = [document["_id"] async for document in stage.database["parked_statuses"].find().sort("_id", 1)]
    assert parked == ["wamid.other:delivered", "wamid.third:delivered"]


async def test_a_parked_status_is_looked_at_only_while_a_message_of_ours_may_still_follow(stage: Stage) -> None:
    await stage.hear(status("delivered", None, "wamid.1"))
    stage.clock.pass_time(3 * 60)

    await stage.ask(text(at=stage.clock()))
    await stage.messaging.statuses.apply_parked()

    assert stage.changes() == []


async def test_our_data_of_a_message_we_never_had_changes_nothing(stage: Stage) -> None:
    await stage.hear(status("delivered", opaque(99)))

    assert stage.changes() == []
    assert await stage.database["parked_statuses"].count_documents({}) == 0


@pytest.mark.parametrize("name", ["warning", "deleted", "$state"])
async def test_a_status_of_a_name_we_do_not_know_is_ignored(stage: Stage, name: str) -> None:
    await stage.ask(text())

    await stage.hear(status(name, opaque()), status("sent", opaque()))

    assert [item.status for item in stage.changes()] == ["sent"]


async def test_the_time_of_a_status_is_kept_as_meta_told_it(stage: Stage) -> None:
    await stage.ask(text())
    delivered_at = NOON - timedelta(minutes=3)

    await stage.hear(status("delivered", opaque(), at=delivered_at))

    assert (await stage.document())["status_at"]["delivered"] == delivered_at
    assert [item.at for item in stage.changes()] == [delivered_at]


async def test_a_status_of_a_sent_message_leaves_nothing_to_do_for_the_sweeper(stage: Stage) -> None:
    await stage.ask(text())

    await stage.hear(status("delivered", opaque()))

    assert "wake_at" not in await stage.document()
