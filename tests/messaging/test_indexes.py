"""What the database reads for the questions that are asked all day: an index, and never every message."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.messaging import GetPhoneNumber, ListPhoneNumbers
from shared.contracts.numbers import DeletePhoneNumber, UpdatePhoneNumber
from tests.explaining import Watched
from tests.messaging.doubles import NOON
from tests.messaging.meta import answer, refuse
from tests.messaging.stage import NUMBER, USER, Stage, batch, message_id, stage_on, status, template, text

QUESTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "what is due": (
        {"find": "messages", "filter": {"wake_at": {"$lte": NOON}}, "sort": {"wake_at": 1}, "limit": 500},
        "wake_at_1",
    ),
    "whose wamid this is": ({"find": "messages", "filter": {"wamid": {"$in": ["wamid.1", "wamid.2"]}}}, "wamid_1"),
    "what a conversation holds": (
        {"find": "messages", "filter": {"conversation_id": "c"}, "sort": {"created_at": -1}, "limit": 50},
        "conversation_id_1_created_at_-1",
    ),
    "what was parked lately": (
        {
            "find": "parked_statuses",
            "filter": {"parked_at": {"$gt": NOON - timedelta(minutes=3)}},
            "sort": {"parked_at": 1},
        },
        "parked_at_1",
    ),
    "a template of this name": (
        {"find": "template_copies", "filter": {"waba_id": "102", "name": "hello", "status": "APPROVED"}},
        "waba_id_1_name_1",
    ),
    "whose WABA is not subscribed to": (
        {"find": "phone_numbers", "filter": {"subscribe_at": {"$lte": NOON}}},
        "subscribe_at_1",
    ),
    "a step of a group": (
        {
            "update": "messages",
            "updates": [
                {
                    "q": {"_id": {"$in": [message_id(1)]}, "aid": "try_1", "state": "CLAIMED"},
                    "u": {"$set": {"state": "DISPATCHING"}},
                    "multi": True,
                    "hint": {"_id": 1},
                }
            ],
        },
        "_id_",
    ),
    "a step of the sweeper": (
        {
            "update": "messages",
            "updates": [
                {
                    "q": {"_id": {"$in": [message_id(1)]}, "state": "QUEUED", "wake_at": {"$lte": NOON}},
                    "u": {"$set": {"state": "CLAIMED"}},
                    "multi": True,
                }
            ],
        },
        "_id_",
    ),
}


def stages(plan: Any) -> Iterator[dict[str, Any]]:
    """Every stage of an explained plan."""
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan
        for value in plan.values():
            yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_is_answered_by_its_index(stage: Stage, question: str) -> None:
    await stage.ask(text())
    command, index = QUESTIONS[question]

    explained = await stage.database.command("explain", command, verbosity="queryPlanner")

    found = list(stages(explained["queryPlanner"]["winningPlan"]))
    assert {each["stage"] for each in found}.isdisjoint({"COLLSCAN", "SORT"})
    assert index in {each.get("indexName", "_id_") for each in found}


async def test_a_message_with_nothing_left_to_do_is_not_in_the_sweepers_index(stage: Stage) -> None:
    for number in range(1, 11):
        await stage.ask(text(number))

    command = {"find": "messages", "filter": {"wake_at": {"$lte": NOON + timedelta(days=365)}}}
    explained = await stage.database.command("explain", command, verbosity="executionStats")

    assert explained["executionStats"]["totalKeysExamined"] == 0


async def test_messages_and_numbers_read_no_collection_as_a_whole(watched: Watched) -> None:
    async with stage_on(watched.database) as stage:
        await stage.know(template())
        await stage.ask(text(1))
        stage.meta.will(refuse(131056), refuse(190), answer(500, b"gone", "text/plain"))
        await stage.bus.send(batch(range(10, 15)))
        await stage.hear(status("read", wamid="wamid.unknown"), status("delivered", f"w1:{message_id(1)}:1"))
        for seconds in (5, 60, 600, 90_000):
            stage.clock.pass_time(seconds)
            await stage.sweep()
            await stage.drain()
        for query in ({}, {"platform": "whatsapp"}):
            await stage.bus.request(ListPhoneNumbers.model_validate({"user_id": USER} | query), timeout_seconds=30)
        await stage.bus.request(GetPhoneNumber(phone_number_id=NUMBER), timeout_seconds=30)
        await stage.bus.request(UpdatePhoneNumber(phone_number_id=NUMBER, waba_id="103"), timeout_seconds=30)
        await stage.bus.request(DeletePhoneNumber(phone_number_id=NUMBER), timeout_seconds=30)

        assert len(watched.queries.kept) > 25, "too little was asked: this proves little"
        assert await watched.collection_scans() == []
