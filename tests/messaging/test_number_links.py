"""What binds a number: one agent, and campaigns that hold it; two who want opposite things are never both right."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.agents import Agent, GetAgent
from shared.contracts.base import Request
from shared.contracts.messaging import GetPhoneNumber, ListPhoneNumbers, PhoneNumber
from shared.contracts.numbers import (
    DeletePhoneNumber,
    HoldNumber,
    LinkAgent,
    ReleaseNumber,
    ReleaseNumbers,
    UnlinkAgent,
    UpdatePhoneNumber,
)
from shared.errors import ConflictError, NotFoundError, ServiceUnavailableError
from tests.messaging.doubles import NOON
from tests.messaging.stage import NUMBER, USER, WABA, Stage, add_number, text

AGENT = "agt_1"
LINK = LinkAgent(phone_number_id=NUMBER, agent_id=AGENT, user_id=USER)
HOLD = HoldNumber(phone_number_id=NUMBER, user_id=USER, holder="camp_1")
DELETE = DeletePhoneNumber(phone_number_id=NUMBER)


async def ask(stage: Stage, request: Request[Any]) -> Any:
    """What the caller is told."""
    return await stage.bus.request(request, timeout_seconds=30)


async def number(stage: Stage) -> PhoneNumber:
    """Number pn_1 as it is shown."""
    shown: PhoneNumber = await ask(stage, GetPhoneNumber(phone_number_id=NUMBER))
    return shown


async def outcomes(stage: Stage, *requests: Request[Any]) -> list[Any]:
    """What callers are told who ask at the same time."""
    return list(await asyncio.gather(*(ask(stage, request) for request in requests), return_exceptions=True))


def own_agents(stage: Stage, *agents: str, on: str = NUMBER, error: Exception | None = None) -> list[str]:
    """Have an owner of agents who knows these, or who fails; the ids it was asked for."""
    asked: list[str] = []

    async def get_agent(query: GetAgent) -> Agent:
        asked.append(query.agent_id)
        if error is not None:
            raise error
        if query.agent_id not in agents:
            raise NotFoundError("Agent not found")
        return Agent(
            agent_id=query.agent_id,
            user_id=USER,
            phone_number_id=on,
            prompt_id="p",
            name="x",
            created_at=NOON,
            updated_at=NOON,
        )

    stage.bus.on(GetAgent, get_agent)
    return asked


async def test_a_linked_agent_is_shown_and_linking_again_changes_nothing(stage: Stage) -> None:
    first = await ask(stage, LINK)
    second = await ask(stage, LINK)

    assert (first.agent_id, second) == (AGENT, first)
    assert await number(stage) == first


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"agent_id": "agt_2"}, ConflictError),
        ({"user_id": "usr_2"}, NotFoundError),
        ({"phone_number_id": "pn_9"}, NotFoundError),
        ({"user_id": "usr_2", "agent_id": "agt_2"}, NotFoundError),
    ],
)
async def test_another_agent_or_another_user_does_not_get_a_linked_number(
    stage: Stage, change: dict[str, str], error: type[Exception]
) -> None:
    await ask(stage, LINK)

    with pytest.raises(error):
        await ask(stage, LINK.model_copy(update=change))

    assert (await number(stage)).agent_id == AGENT


async def test_only_the_agent_that_is_linked_is_unlinked(stage: Stage) -> None:
    await ask(stage, LINK)

    await ask(stage, UnlinkAgent(phone_number_id=NUMBER, agent_id="agt_2"))
    kept = (await number(stage)).agent_id
    for _ in range(2):
        await ask(stage, UnlinkAgent(phone_number_id=NUMBER, agent_id=AGENT))

    assert (kept, (await number(stage)).agent_id) == (AGENT, None)


@pytest.mark.parametrize("binding", [LINK, HOLD], ids=["agent", "campaign"])
async def test_of_binding_and_deleting_at_the_same_moment_one_wins(stage: Stage, binding: Request[Any]) -> None:
    bound, deleted = await outcomes(stage, binding, DELETE)

    is_there = await stage.database["phone_numbers"].find_one({"_id": NUMBER, "archived_at": None}) is not None
    assert isinstance(deleted, ConflictError) is is_there
    assert isinstance(bound, NotFoundError) is not is_there


async def test_a_number_is_held_until_the_last_holder_lets_go(stage: Stage) -> None:
    for holder in ("camp_1", "camp_2", "camp_2"):
        await ask(stage, HOLD.model_copy(update={"holder": holder}))

    for letting_go in (
        ReleaseNumber(phone_number_id=NUMBER, holder="camp_1"),
        ReleaseNumbers(phone_number_ids=(NUMBER, "pn_2"), holders=("camp_2", "camp_3")),
    ):
        with pytest.raises(ConflictError, match="campaign"):
            await ask(stage, DELETE)
        await ask(stage, letting_go)
    await ask(stage, DELETE)

    with pytest.raises(NotFoundError):
        await number(stage)


async def test_another_users_number_cannot_be_held(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        await ask(stage, HOLD.model_copy(update={"user_id": "usr_2"}))


async def test_a_deleted_number_sends_nothing_and_is_subscribed_to_nothing(stage: Stage) -> None:
    await ask(stage, DELETE)

    with pytest.raises(NotFoundError):
        await stage.ask(text())
    await stage.messaging.numbers.subscribe_wabas()

    assert stage.meta.calls == []
    assert stage.meta.subscriptions == []
    assert (await ask(stage, ListPhoneNumbers(user_id=USER))).items == ()


async def test_its_user_can_add_a_deleted_numbers_meta_id_again(stage: Stage) -> None:
    for again in ("pn_2", "pn_3"):
        await ask(stage, DeletePhoneNumber(phone_number_id=(await self_id(stage))))
        await ask(stage, add_number(again))

    assert await stage.database["phone_numbers"].count_documents({}) == 3
    assert (await ask(stage, ListPhoneNumbers(user_id=USER))).items[0].id == "pn_3"


async def self_id(stage: Stage) -> str:
    """The id of the user's one number."""
    (only,) = (await ask(stage, ListPhoneNumbers(user_id=USER))).items
    return str(only.id)


async def test_a_change_of_token_subscribes_anew(stage: Stage) -> None:
    await stage.messaging.numbers.subscribe_wabas()
    sealed = (await stage.database["phone_numbers"].find_one({"_id": NUMBER}) or {})["sealed_access_token"]

    await ask(stage, UpdatePhoneNumber(phone_number_id=NUMBER, display_name="Main"))
    await stage.messaging.numbers.subscribe_wabas()
    await ask(stage, UpdatePhoneNumber(phone_number_id=NUMBER, sealed_access_token=sealed))
    await stage.messaging.numbers.subscribe_wabas()

    assert stage.meta.subscriptions == [WABA, WABA]


async def test_a_link_is_asked_after_once_when_a_minute_has_passed(stage: Stage) -> None:
    asked = own_agents(stage, AGENT)
    await ask(stage, LINK)
    await stage.messaging.links.check_links()
    assert asked == []

    for _ in range(3):
        stage.clock.pass_time(61)
        await stage.messaging.links.check_links()

    assert asked == [AGENT]
    assert (await number(stage)).agent_id == AGENT


@pytest.mark.parametrize("known", [(), (AGENT,)], ids=["gone", "on another number"])
async def test_a_link_to_an_agent_that_is_not_there_is_taken_back(stage: Stage, known: tuple[str, ...]) -> None:
    own_agents(stage, *known, on="pn_9")
    await ask(stage, LINK)

    stage.clock.pass_time(61)
    await stage.messaging.links.check_links()

    assert (await number(stage)).agent_id is None


async def test_a_link_is_kept_while_nobody_can_say(stage: Stage) -> None:
    asked = own_agents(stage, error=ServiceUnavailableError("away"))
    await ask(stage, LINK)
    stage.clock.pass_time(61)

    with pytest.raises(ServiceUnavailableError):
        await stage.messaging.links.check_links()

    assert (await number(stage)).agent_id == AGENT
    stored = await stage.database["phone_numbers"].find_one({"_id": NUMBER})
    assert stored is not None
    assert stored["agent_check_at"] == NOON + timedelta(seconds=61 + 60)
    assert asked == [AGENT]
