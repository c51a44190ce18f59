"""What a history of inbound messages ends in does not depend on how they came."""

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.inbound import MetaMessage
from tests.conversations.stage import Stage, at, delivered, meta_message, tap

KINDS = ("text", "reaction", "image", "system", "tap")
TOGETHER = 200


@given(seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_any_repetition_end_in_the_same_state(stage: Stage, seed: int) -> None:
    """Each example plays two hundred histories twice, once in order and once shuffled and doubled: 1,000 in all."""
    await stage.add_sent_once()
    chance = random.Random(seed)
    histories = [_history(f"91900{number:07d}", chance) for number in range(TOGETHER)]

    in_order = await _played(stage, histories)
    shuffled = await _played(stage, [_shuffled(history, chance) for history in histories])

    assert shuffled == in_order


def _history(sender: str, chance: random.Random) -> list[MetaMessage]:
    """Up to four things that one customer did."""
    return [_message(sender, place, chance) for place in range(chance.randint(1, 4))]


def _message(sender: str, place: int, chance: random.Random) -> MetaMessage:
    kind = chance.choice(KINDS)
    told: dict[str, Any] = {
        "wa_message_id": f"wamid.{sender}.{place}",
        "sender": sender,
        "sender_user_id": chance.choice([f"IN.{sender}", None]),
        "profile_name": chance.choice(["Asha", "Asha Rao"]),
        "at": at(chance.randint(0, 300)),
    }
    return tap(place, **told) if kind == "tap" else meta_message(place, type=kind, **told)


def _shuffled(messages: list[MetaMessage], chance: random.Random) -> list[MetaMessage]:
    doubled = messages + chance.choices(messages, k=2)
    chance.shuffle(doubled)
    return doubled


async def _played(stage: Stage, histories: list[list[MetaMessage]]) -> dict[str, Any]:
    """What is there in the end, and what was told, of histories that come in side by side."""
    for name in ("conversations", "contacts", "inbound_messages"):
        await stage.database[name].delete_many({})
    stage.bus.published.clear()
    for turn in range(max(map(len, histories))):
        group = [delivered(history[turn]) for history in histories if turn < len(history)]
        await stage.conversing.received.on_meta_messages_received(group)
    threads = await stage.database["conversations"].find({}, {"causes": 0}).sort("_id", 1).to_list()
    contacts = await stage.database["contacts"].find().sort("_id", 1).to_list()
    aliases = [{**contact, "aliases": sorted(contact.get("aliases", ()))} for contact in contacts]
    kept = await stage.database["inbound_messages"].find({}, {"sequence": 0}).sort("_id", 1).to_list()
    told = sorted((item.message_id, item.type, item.agent_id or "") for item in stage.received())
    return {
        "threads": threads,
        "contacts": aliases,
        "kept": kept,
        "told": told,
        "clicks": sorted(click.click_id for click in stage.clicks()),
    }
