"""Nothing that answers a customer reads a whole collection."""

from shared.contracts.contacts import ConsentsChanged
from shared.contracts.turns import GetTurn
from tests.agents.turns.messaging import AGENT
from tests.agents.turns.stage import Sandbox, stage_on
from tests.agents.turns.test_outdating import hand_over, opt_out
from tests.explaining import watching
from tests.servers import RealServers, fresh_name


async def test_every_question_to_the_database_uses_an_index(servers: RealServers, sandbox: Sandbox) -> None:
    async with watching(servers.mongodb_url, fresh_name()) as watched, stage_on(watched.database, sandbox) as stage:
        await stage.agents.change(AGENT, {"daily_budget": 5})
        thread = stage.messaging.open()
        await stage.talk(thread, "One")
        await stage.switch(behaviour="empty")
        await stage.talk(thread, "Two")
        await stage.say(thread, "Three")
        await opt_out(stage, thread)
        await hand_over(stage, thread)
        await stage.bus.request(GetTurn(session_id="session_1"), timeout_seconds=30)

        assert await watched.collection_scans() == []
        assert any(isinstance(event, ConsentsChanged) for event in stage.bus.published)
        await watched.database.client.drop_database(watched.database.name)
