"""Agents dies before any of its steps; what was begun is then either whole or gone, and repeating it is harmless."""

from contextlib import suppress

import pytest

from shared.contracts.agents import DeleteAgent, DeleteWebchatChannel, ListAgents, ListWebchatChannels
from shared.contracts.messaging import ListPhoneNumbers
from shared.contracts.numbers import DeletePhoneNumber
from shared.errors import NotFoundError
from tests.agents.dying import Died
from tests.agents.stage import AGENT, NUMBER, USER, WEBCHAT, Stage, create_agent, create_channel

MOST_STEPS = 12  # more than any of these takes; the tests assert that they got to the end


async def die_before(stage: Stage, step: int, command: object) -> bool:
    """Have the service die before this step of the command; False when it was done before it came so far."""
    stage.steps.taken, stage.steps.dies_before = 0, step
    with suppress(Died):
        await stage.ask(command)  # type: ignore[arg-type]  # any command
        return False
    return True


@pytest.mark.parametrize("is_repeated", [True, False], ids=["repeated", "left alone"])
async def test_an_agent_is_linked_or_was_never_there(stage: Stage, is_repeated: bool) -> None:
    for step in range(1, MOST_STEPS):
        died = await die_before(stage, step, create_agent(f"agt_{step}"))
        stage.steps.dies_before = 0
        if is_repeated:
            await stage.create_agent(f"agt_{step}")
        await stage.sweep()

        agents = [agent.agent_id for agent in (await stage.ask(ListAgents(user_id=USER))).items]
        linked = await stage.agent_of()
        assert agents == ([linked] if linked else [])
        assert linked == f"agt_{step}" or (step == 1 and not is_repeated)
        if linked:
            await stage.ask(DeleteAgent(agent_id=linked))
        if not died:
            break

    assert not died


async def test_a_deletion_that_was_begun_is_finished(stage: Stage) -> None:
    for step in range(1, MOST_STEPS):
        await stage.create_agent(f"agt_{step}")
        died = await die_before(stage, step, DeleteAgent(agent_id=f"agt_{step}"))
        await stage.sweep()

        agents = [agent.agent_id for agent in (await stage.ask(ListAgents(user_id=USER))).items]
        linked = await stage.agent_of()
        assert agents == ([linked] if linked else [])
        if linked:  # it died before anything was begun
            await stage.ask(DeleteAgent(agent_id=linked))
        if not died:
            break

    assert not died
    await stage.ask(DeletePhoneNumber(phone_number_id=NUMBER))


@pytest.mark.parametrize("is_repeated", [True, False], ids=["repeated", "left alone"])
async def test_a_channel_that_was_begun_is_opened(stage: Stage, is_repeated: bool) -> None:
    for step in range(1, MOST_STEPS + 4):
        name = f"webchat_{step}"
        died = await die_before(stage, step, create_channel(name))
        stage.steps.dies_before = 0
        if is_repeated:
            await stage.open_channel(name)
        await stage.sweep()

        channels = [each.webchat_id for each in (await stage.ask(ListWebchatChannels(user_id=USER))).items]
        numbers = (await stage.ask(ListPhoneNumbers(user_id=USER, platform="webchat"))).items
        agents = (await stage.ask(ListAgents(user_id=USER))).items
        assert [number.meta_phone_number_id for number in numbers] == channels
        assert [agent.webchat_id for agent in agents] == [number.meta_phone_number_id for number in numbers]
        if channels:
            await stage.ask(DeleteWebchatChannel(webchat_id=name))
        if not died:
            break

    assert not died


async def test_a_closing_that_was_begun_is_finished(stage: Stage) -> None:
    for step in range(1, MOST_STEPS):
        name = f"{WEBCHAT}{step}"
        await stage.open_channel(name)
        died = await die_before(stage, step, DeleteWebchatChannel(webchat_id=name))
        await stage.sweep()

        channels = (await stage.ask(ListWebchatChannels(user_id=USER))).items
        numbers = (await stage.ask(ListPhoneNumbers(user_id=USER, platform="webchat"))).items
        agents = (await stage.ask(ListAgents(user_id=USER))).items
        assert len(channels) == len(numbers) == len(agents)
        with suppress(NotFoundError):
            await stage.ask(DeleteWebchatChannel(webchat_id=name))
        if not died:
            break

    assert not died
    assert await stage.agent_of() is None


async def test_two_replicas_that_finish_the_same_agent_do_it_once(stage: Stage) -> None:
    assert await die_before(stage, 3, create_agent())

    await stage.sweep()
    await stage.sweep(after_seconds=0)

    assert await stage.agent_of() == AGENT
