"""Every query about agents, prompts and channels uses an index; for turns see `turns.test_indexes`."""

import pytest

from shared.contracts.agents import (
    CreatePrompt,
    DeleteAgent,
    DeleteWebchatChannel,
    GetPrompt,
    GetWebchatChannel,
    ListAgents,
    ListPrompts,
    ListWebchatChannels,
    UpdateAgent,
    UpdateWebchatChannel,
)
from shared.errors import ConflictError
from tests.agents.stage import AGENT, PROMPT, USER, WEBCHAT, stage_on
from tests.explaining import Watched


async def test_the_lives_of_agents_and_channels_read_no_collection_as_a_whole(watched: Watched) -> None:
    async with stage_on(watched.database) as stage:
        await stage.ask(CreatePrompt(work_id="w1", prompt_id=PROMPT, user_id=USER, instructions="Answer."))
        await stage.ask(GetPrompt(user_id=USER, prompt_id=PROMPT))
        await stage.ask(ListPrompts(user_id=USER))
        await stage.create_agent()
        with pytest.raises(ConflictError):
            await stage.create_agent("agt_2")
        await stage.open_channel()
        await stage.ask(UpdateAgent(agent_id=AGENT, name="Another"))
        await stage.ask(UpdateWebchatChannel(webchat_id=WEBCHAT, name="Another"))
        await stage.ask(ListAgents(user_id=USER))
        await stage.ask(ListWebchatChannels(user_id=USER))
        for identifier in (WEBCHAT, f"agent_{WEBCHAT}"):
            await stage.ask(GetWebchatChannel(webchat_id=identifier))
        await stage.sweep()
        await stage.ask(DeleteAgent(agent_id=AGENT))
        await stage.ask(DeleteWebchatChannel(webchat_id=WEBCHAT))
        await stage.sweep()

        assert len(watched.queries.kept) > 20, "too little was asked: this proves little"
        assert await watched.collection_scans() == []
