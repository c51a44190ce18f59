"""Agents: one for each number, whoever asks first; changed and deleted as documented."""

import asyncio
from typing import Any

import pytest

from shared.contracts.agents import Agent, AgentError, DeleteAgent, GetAgent, ListAgents, UpdateAgent
from shared.contracts.base import Request
from shared.contracts.numbers import DeletePhoneNumber, LinkAgent
from shared.errors import ConflictError, NotFoundError
from tests.agents.stage import AGENT, NUMBER, PROMPT, USER, Stage, create_agent
from tests.messaging.doubles import NOON

HAS_AN_AGENT = "Phone number already has an active agent. Update or delete the existing agent first."


async def test_a_new_agent_answers_on_its_number(stage: Stage) -> None:
    agent = await stage.create_agent()

    assert agent == Agent(
        agent_id=AGENT,
        user_id=USER,
        phone_number_id=NUMBER,
        prompt_id=PROMPT,
        name="Customer Support Agent",
        created_at=NOON,
        updated_at=NOON,
    )
    assert await stage.ask(GetAgent(agent_id=AGENT)) == agent
    assert await stage.agent_of() == AGENT


async def test_a_second_agent_for_a_number_is_refused_and_was_never_there(stage: Stage) -> None:
    await stage.create_agent()

    with pytest.raises(ConflictError, match=HAS_AN_AGENT):
        await stage.create_agent("agt_2")

    with pytest.raises(NotFoundError, match="Agent not found"):
        await stage.ask(GetAgent(agent_id="agt_2"))
    assert await stage.agent_of() == AGENT


async def test_of_many_who_ask_at_the_same_time_one_gets_the_number(stage: Stage) -> None:
    asked = [stage.create_agent(f"agt_{number}") for number in range(8)]

    results = await asyncio.gather(*asked, return_exceptions=True)

    made = [result for result in results if isinstance(result, Agent)]
    listed = await stage.ask(ListAgents(user_id=USER))
    assert [type(result) for result in results].count(ConflictError) == 7
    assert [agent.agent_id for agent in listed.items] == [made[0].agent_id] == [await stage.agent_of()]


@pytest.mark.parametrize("change", [{"phone_number_id": "pn_9"}, {"user_id": "usr_2"}], ids=["unknown", "foreign"])
async def test_an_unknown_number_and_anothers_look_the_same(stage: Stage, change: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match=r"^Phone number not found$"):
        await stage.create_agent(**change)

    assert await stage.agent_of() is None


async def test_creating_again_returns_the_agent_as_it_is_by_now(stage: Stage) -> None:
    await stage.create_agent()
    changed = await stage.ask(UpdateAgent(agent_id=AGENT, name="Sales Agent"))

    assert await stage.create_agent() == changed


async def test_a_creation_that_is_delivered_after_the_deletion_brings_nobody_back(stage: Stage) -> None:
    await stage.create_agent()
    await stage.ask(DeleteAgent(agent_id=AGENT))

    with pytest.raises(NotFoundError):
        await stage.create_agent()

    assert await stage.agent_of() is None


async def test_a_users_agents_are_listed_newest_first(stage: Stage) -> None:
    await stage.add_number("pn_2")
    await stage.add_number("pn_3", user_id="usr_2", waba_id="103")
    await stage.create_agent()
    stage.clock.pass_time(1)
    await stage.create_agent("agt_2", phone_number_id="pn_2")
    await stage.create_agent("agt_3", phone_number_id="pn_3", user_id="usr_2")

    listed = await stage.ask(ListAgents(user_id=USER))

    assert [agent.agent_id for agent in listed.items] == ["agt_2", "agt_1"]
    assert (await stage.ask(ListAgents(user_id="usr_9"))).items == ()


async def test_what_is_not_given_stays_and_what_is_cleared_becomes_none(stage: Stage) -> None:
    await stage.create_agent()
    stage.clock.pass_time(7200)
    await stage.ask(
        UpdateAgent(agent_id=AGENT, prompt_id="prompt_new456", debounce_ms=0, fallback_text="Soon.", daily_budget=0)
    )

    agent = await stage.ask(UpdateAgent(agent_id=AGENT, name="Sales Agent", cleared=("daily_budget",)))

    assert (agent.name, agent.prompt_id, agent.debounce_ms, agent.fallback_text) == (
        "Sales Agent",
        "prompt_new456",
        0,
        "Soon.",
    )
    assert agent.daily_budget is None
    assert (agent.created_at, agent.updated_at) == (NOON, stage.clock())


async def test_an_error_is_shown_until_the_agent_answers_again(stage: Stage) -> None:
    await stage.create_agent()
    error = AgentError(code="prompt_retired", message="Register it with POST /admin/prompts.", at=NOON)
    repository = stage.agents.agents.agents

    await repository.record_error(AGENT, error)
    shown = (await stage.ask(GetAgent(agent_id=AGENT))).last_error
    await repository.clear_error(AGENT)

    assert shown == error
    assert (await stage.ask(GetAgent(agent_id=AGENT))).last_error is None


async def test_a_deleted_agent_frees_its_number_for_another_and_for_deletion(stage: Stage) -> None:
    await stage.create_agent()
    with pytest.raises(ConflictError, match="Delete the agent first"):
        await stage.ask(DeletePhoneNumber(phone_number_id=NUMBER))

    await stage.ask(DeleteAgent(agent_id=AGENT))
    await stage.create_agent("agt_2")
    await stage.ask(DeleteAgent(agent_id="agt_2"))
    await stage.ask(DeletePhoneNumber(phone_number_id=NUMBER))

    requests: tuple[Request[Any], ...] = (
        GetAgent(agent_id=AGENT),
        UpdateAgent(agent_id=AGENT, name="x"),
        DeleteAgent(agent_id=AGENT),
    )
    for request in requests:
        with pytest.raises(NotFoundError, match="Agent not found"):
            await stage.ask(request)


async def test_a_link_that_is_delivered_after_the_deletion_is_taken_back(stage: Stage) -> None:
    await stage.create_agent()
    await stage.ask(DeleteAgent(agent_id=AGENT))
    await stage.ask(LinkAgent(phone_number_id=NUMBER, agent_id=AGENT, user_id=USER))  # the broker had it twice

    await stage.sweep()

    assert await stage.agent_of() is None
    assert (await stage.create_agent("agt_2")).agent_id == "agt_2"


async def test_a_link_that_is_right_is_looked_at_once_and_kept(stage: Stage) -> None:
    await stage.create_agent()

    await stage.sweep()

    assert await stage.agent_of() == AGENT
    assert await stage.database["phone_numbers"].count_documents({"agent_check_at": {"$exists": True}}) == 0


async def test_commands_know_their_agents_by_id_not_by_name(stage: Stage) -> None:
    await stage.add_number("pn_2")

    first, second = await stage.create_agent(), await stage.ask(create_agent("agt_2", phone_number_id="pn_2"))

    assert first.name == second.name
