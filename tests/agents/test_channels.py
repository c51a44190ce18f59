"""Web chat channels: opened with a number and an agent of their own, closed with both."""

from typing import Any

import pytest

from shared.contracts.agents import (
    DeleteAgent,
    DeleteWebchatChannel,
    GetAgent,
    GetWebchatChannel,
    ListAgents,
    ListWebchatChannels,
    ThemeChange,
    UpdateAgent,
    UpdateWebchatChannel,
    WebchatTheme,
)
from shared.contracts.base import Request
from shared.contracts.messaging import GetPhoneNumber, ListPhoneNumbers
from shared.errors import ConflictError, NotFoundError
from tests.agents.stage import AGENT, PROMPT, USER, WEBCHAT, Stage

NUMBER_OF, AGENT_OF = f"pn_{WEBCHAT}", f"agent_{WEBCHAT}"


async def test_an_open_channel_has_a_number_and_an_agent_of_its_own(stage: Stage) -> None:
    channel = await stage.open_channel()

    number = await stage.ask(GetPhoneNumber(phone_number_id=NUMBER_OF))
    agent = await stage.ask(GetAgent(agent_id=AGENT_OF))
    assert (channel.phone_number_id, channel.agent_id, channel.prompt_id) == (NUMBER_OF, AGENT_OF, PROMPT)
    assert (number.platform, number.meta_phone_number_id, number.agent_id) == ("webchat", WEBCHAT, AGENT_OF)
    assert (agent.webchat_id, agent.phone_number_id, agent.prompt_id) == (WEBCHAT, NUMBER_OF, PROMPT)
    assert await stage.ask(GetWebchatChannel(webchat_id=WEBCHAT)) == channel
    assert await stage.ask(GetWebchatChannel(webchat_id=AGENT_OF)) == channel


async def test_opening_again_returns_the_channel_that_is_there(stage: Stage) -> None:
    first = await stage.open_channel()

    assert await stage.open_channel() == first
    assert len((await stage.ask(ListAgents(user_id=USER))).items) == 1


async def test_a_copied_prompt_does_not_follow_its_source(stage: Stage) -> None:
    await stage.create_agent()

    channel = await stage.open_channel(prompt_id=None, source_agent_id=AGENT)
    await stage.ask(UpdateAgent(agent_id=AGENT, prompt_id="prompt_new456"))

    assert (channel.prompt_id, channel.source_agent_id) == (PROMPT, AGENT)
    assert (await stage.ask(GetWebchatChannel(webchat_id=WEBCHAT))).prompt_id == PROMPT


async def test_opening_again_does_not_ask_for_a_source_that_is_gone_by_now(stage: Stage) -> None:
    await stage.create_agent()
    first = await stage.open_channel(prompt_id=None, source_agent_id=AGENT)
    await stage.ask(DeleteAgent(agent_id=AGENT))

    assert await stage.open_channel(prompt_id=None, source_agent_id=AGENT) == first


@pytest.mark.parametrize("change", [{"source_agent_id": "agt_9"}, {"user_id": "usr_2"}], ids=["unknown", "foreign"])
async def test_an_unknown_source_and_anothers_look_the_same(stage: Stage, change: dict[str, Any]) -> None:
    await stage.create_agent()

    with pytest.raises(NotFoundError, match=r"^Agent not found$"):
        await stage.open_channel(**{"prompt_id": None, "source_agent_id": AGENT} | change)

    assert (await stage.ask(ListWebchatChannels(user_id=USER))).items == ()


async def test_the_agents_new_prompt_is_the_channels(stage: Stage) -> None:
    await stage.open_channel()

    await stage.ask(UpdateAgent(agent_id=AGENT_OF, prompt_id="prompt_new456"))

    (listed,) = (await stage.ask(ListWebchatChannels(user_id=USER))).items
    assert listed.prompt_id == "prompt_new456"


async def test_a_change_leaves_what_it_does_not_name(stage: Stage) -> None:
    await stage.open_channel()
    await stage.ask(
        UpdateWebchatChannel(
            webchat_id=WEBCHAT,
            allowed_origins=("https://shop.example.com",),
            theme=ThemeChange(primary_color="#0F766E"),
            greeting="Hi!",
            quick_replies=("Prices",),
            language="es",
            daily_budget=50,
        )
    )

    channel = await stage.ask(
        UpdateWebchatChannel(webchat_id=WEBCHAT, theme=ThemeChange(mode="dark"), cleared=("language", "daily_budget"))
    )

    assert channel.allowed_origins == ("https://shop.example.com",)
    assert channel.theme == WebchatTheme(primary_color="#0F766E", mode="dark")
    assert (channel.greeting, channel.quick_replies) == ("Hi!", ("Prices",))
    assert (channel.language, channel.daily_budget) == (None, None)
    assert await stage.ask(GetWebchatChannel(webchat_id=WEBCHAT)) == channel


async def test_the_budget_of_a_channel_is_its_agents(stage: Stage) -> None:
    await stage.open_channel()

    await stage.ask(UpdateWebchatChannel(webchat_id=WEBCHAT, daily_budget=7))

    assert (await stage.ask(GetAgent(agent_id=AGENT_OF))).daily_budget == 7


async def test_a_channels_agent_is_not_deleted_without_it(stage: Stage) -> None:
    await stage.open_channel()

    with pytest.raises(ConflictError, match=f"DELETE /api/v1/webchat/channels/{WEBCHAT}$"):
        await stage.ask(DeleteAgent(agent_id=AGENT_OF))

    assert await stage.agent_of(NUMBER_OF) == AGENT_OF


async def test_a_closed_channel_leaves_neither_number_nor_agent(stage: Stage) -> None:
    await stage.open_channel()

    await stage.ask(DeleteWebchatChannel(webchat_id=WEBCHAT))

    assert (await stage.ask(ListWebchatChannels(user_id=USER))).items == ()
    assert (await stage.ask(ListAgents(user_id=USER))).items == ()
    assert (await stage.ask(ListPhoneNumbers(user_id=USER, platform="webchat"))).items == ()
    requests: tuple[Request[Any], ...] = (
        GetWebchatChannel(webchat_id=WEBCHAT),
        UpdateWebchatChannel(webchat_id=WEBCHAT, name="x"),
        DeleteWebchatChannel(webchat_id=WEBCHAT),
    )
    for request in requests:
        with pytest.raises(NotFoundError, match="Webchat channel not found"):
            await stage.ask(request)


async def test_an_opening_that_is_delivered_after_the_closing_opens_nothing(stage: Stage) -> None:
    await stage.open_channel()
    await stage.ask(DeleteWebchatChannel(webchat_id=WEBCHAT))

    with pytest.raises(NotFoundError):
        await stage.open_channel()

    assert (await stage.ask(ListWebchatChannels(user_id=USER))).items == ()
