"""The version of a list: whoever still has the list of that version is given nothing anew."""

from shared.contracts.template_drafts import SetTemplateVariables
from shared.contracts.templates import ListTemplates, Templates
from shared.mongo import Database
from tests.templates.drafting import VARIABLES, create, delete, draft, edit, have_campaigns
from tests.templates.stage import MetaStub, Stage, entry, set_stage, update


async def ask(stage: Stage, known_version: str | None = None) -> Templates:
    """The list with the version that the caller knows."""
    query = ListTemplates(phone_number_id="pn_1", status=None, known_version=known_version)
    return await stage.bus.request(query, timeout_seconds=30)


async def test_a_list_of_the_known_version_is_not_sent_again(database: Database) -> None:
    stage = await set_stage(database, MetaStub(entries=[entry("1")]))
    await stage.sync()

    first = await ask(stage)
    again = await ask(stage, first.version)

    assert len(first.items) == 1
    assert again == Templates(items=(), version=first.version)


async def test_every_change_of_a_template_is_another_version(database: Database) -> None:
    meta = MetaStub(entries=[entry("1")])
    stage = await set_stage(database, meta)
    have_campaigns(stage)
    versions = [(await ask(stage)).version]

    async def look() -> None:
        versions.append((await ask(stage, versions[-1])).version)

    await stage.sync()
    await look()
    await create(stage, draft())
    await look()
    await edit(stage, category="MARKETING")
    await look()
    await stage.bus.request(SetTemplateVariables(template_id="tpl_1", variables=VARIABLES[:1]), timeout_seconds=30)
    await look()
    await stage.hear(update("PAUSED", stage.pass_time(), "1"))
    await look()
    await delete(stage)
    await look()
    meta.entries = [entry("1", category="MARKETING")]
    await stage.sync()
    await look()

    assert len(set(versions)) == 8


async def test_a_change_by_a_clock_that_is_behind_is_another_version_too(database: Database) -> None:
    stage = await set_stage(database, MetaStub())
    await create(stage, draft())
    before = await ask(stage)

    stage.time[0] = stage.pass_time(-3_600)
    await edit(stage, category="MARKETING")

    assert (await ask(stage, before.version)).items != ()


async def test_templates_of_another_number_are_another_list(database: Database) -> None:
    stage = await set_stage(database, MetaStub())
    stage.messaging.add("pn_2", "usr_1", "103")

    versions = {
        (await stage.bus.request(ListTemplates(phone_number_id=number), timeout_seconds=30)).version
        for number in ("pn_1", "pn_2")
    }

    assert len(versions) == 2
