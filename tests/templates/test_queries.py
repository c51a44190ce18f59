"""Which templates are shown to whom."""

import pytest

from shared.contracts.templates import FindTemplates
from shared.errors import InvalidInputError, NotFoundError, ReplyTimeoutError, ServiceUnavailableError
from shared.mongo import Database
from tests.templates.stage import MetaStub, Stage, entry, set_stage


@pytest.fixture
async def stage(database: Database) -> Stage:
    """The service, with templates of WABA 102."""
    languages = [entry("1"), entry("2", language="bn"), entry("3", language="hi")]
    meta = MetaStub([*languages, entry("4", "other")])
    stage = await set_stage(database, meta)
    await stage.sync()
    meta.entries = [*languages[:2], entry("3", language="hi", status="PAUSED"), entry("5", "newest")]
    stage.pass_time()
    await stage.sync()
    return stage


async def test_a_list_shows_the_approved_templates_of_the_account_newest_first(stage: Stage) -> None:
    templates = await stage.listed("APPROVED")

    assert templates[0].name == "newest"
    assert {(one.name, one.language) for one in templates[1:]} == {("hello", "en_US"), ("hello", "bn")}


async def test_a_list_of_all_leaves_out_only_what_is_deleted(stage: Stage) -> None:
    templates = await stage.listed(None)

    assert {one.meta_template_id for one in templates} == {"1", "2", "3", "5"}


async def test_a_list_can_be_of_any_one_status(stage: Stage) -> None:
    assert [one.meta_template_id for one in await stage.listed("PAUSED")] == ["3"]
    assert [one.meta_template_id for one in await stage.listed("DELETED")] == ["4"]


async def test_numbers_of_one_account_share_its_templates_and_others_do_not_see_them(stage: Stage) -> None:
    stage.messaging.add("pn_same_account", "usr_1", "102")
    stage.messaging.add("pn_other_account", "usr_2", "103")

    assert len(await stage.listed("APPROVED", "pn_same_account")) == 3
    assert await stage.listed(None, "pn_other_account") == []


async def test_a_number_that_is_unknown_or_not_on_whatsapp_has_no_list(stage: Stage) -> None:
    stage.messaging.add("pn_insta", "usr_1", None, platform="instagram")

    with pytest.raises(NotFoundError):
        await stage.listed(None, "pn_unknown")
    with pytest.raises(InvalidInputError, match="WhatsApp"):
        await stage.listed(None, "pn_insta")


async def test_all_approved_languages_of_a_name_are_found(stage: Stage) -> None:
    async def languages(waba_id: str, name: str) -> set[str]:
        found = await stage.bus.request(FindTemplates(waba_id=waba_id, name=name), timeout_seconds=30)
        return {one.language for one in found.items}

    assert await languages("102", "hello") == {"en_US", "bn"}
    assert await languages("102", "nope") == set()
    assert await languages("103", "hello") == set()


async def test_when_messaging_is_silent_the_caller_hears_that_nothing_was_done(stage: Stage) -> None:
    stage.messaging.error = ReplyTimeoutError("no answer")

    with pytest.raises(ServiceUnavailableError):
        await stage.sync()
