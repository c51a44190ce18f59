"""What the repository promises beyond what the handlers' tests show."""

from shared.contracts.templates import FindTemplates
from shared.mongo import Database
from tests.templates.stage import MetaStub, entry, set_stage, update


async def test_every_query_and_update_uses_an_index(database: Database) -> None:
    meta = MetaStub([entry("1"), entry("2", "other")])
    stage = await set_stage(database, meta)
    await stage.sync()
    await database.command("profile", 2)

    meta.entries = [entry("1", category="MARKETING")]
    await stage.hear(update("PAUSED", stage.pass_time()))
    stage.pass_time()
    await stage.sync()
    await stage.listed()
    await stage.listed("APPROVED")
    await stage.bus.request(FindTemplates(waba_id="102", name="hello"), timeout_seconds=30)
    await stage.announcements.relay()
    await database.command("profile", 0)

    seen = database["system.profile"].find({"ns": f"{database.name}.templates", "planSummary": {"$exists": True}})
    plans = [(done["op"], done["planSummary"]) async for done in seen]
    assert {op for op, _ in plans} >= {"query", "update", "command"}
    assert [plan for plan in plans if "COLLSCAN" in plan[1]] == []
