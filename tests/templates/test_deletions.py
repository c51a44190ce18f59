"""Deleting templates: never while a campaign needs them, at Meta first, and here for good."""

import pytest

from shared.contracts.button_clicks import GetTemplateButtonClicks
from shared.contracts.campaigns import TemplateInUse
from shared.crashpoints import arm
from shared.errors import ConflictError, NotFoundError, ServiceUnavailableError, UpstreamRejectedError
from shared.mongo import Database
from tests.templates.drafting import create, delete, details, have_campaigns, sound, submit
from tests.templates.stage import MetaStub, Stage, set_stage, update
from tests.templates.test_submissions import AWAY, die


@pytest.fixture
def meta() -> MetaStub:
    """Meta, who takes everything."""
    return MetaStub()


@pytest.fixture
async def stage(database: Database, meta: MetaStub) -> Stage:
    """The service with the draft tpl_1."""
    stage = await set_stage(database, meta)
    await create(stage, sound())
    return stage


async def test_a_draft_is_deleted_here_alone_and_its_name_is_free_again(stage: Stage, meta: MetaStub) -> None:
    have_campaigns(stage)

    await delete(stage)

    assert meta.deleted == []
    assert stage.announced()[-1].status == "DELETED"
    for gone in (details(stage), delete(stage), submit(stage)):
        with pytest.raises(NotFoundError, match="Template not found"):
            await gone
    assert (await create(stage, sound("tpl_2"))).template.status == "DRAFT"


async def test_one_language_is_deleted_at_meta_and_stays_here_for_what_was_sent(stage: Stage, meta: MetaStub) -> None:
    have_campaigns(stage)
    await submit(stage)

    await delete(stage)

    assert meta.deleted == [("77", "order_update")]
    assert [one.status for one in await stage.listed("DELETED")] == ["DELETED"]
    clicks = await stage.bus.request(GetTemplateButtonClicks(template_id="tpl_1"), timeout_seconds=30)
    assert (clicks.template_name, clicks.total_clicks) == ("order_update", 0)


async def test_a_template_that_a_campaign_uses_stays(stage: Stage, meta: MetaStub) -> None:
    have_campaigns(stage, "camp_1", "camp_2")
    await submit(stage)

    with pytest.raises(ConflictError, match="Cannot delete a template that a campaign uses") as refused:
        await delete(stage)

    assert [detail["message"] for detail in refused.value.details] == [
        "campaign camp_1 uses it",
        "campaign camp_2 uses it",
    ]
    assert meta.deleted == []
    assert (await details(stage)).template.status == "PENDING"


async def test_nothing_is_deleted_while_campaigns_do_not_answer(stage: Stage, meta: MetaStub) -> None:
    async def away(_query: object) -> None:
        raise ServiceUnavailableError("campaigns is away")

    stage.bus.on(TemplateInUse, away)

    with pytest.raises(ServiceUnavailableError):
        await delete(stage)

    assert (await details(stage)).template.status == "DRAFT"


async def test_what_meta_does_not_delete_stays(stage: Stage, meta: MetaStub) -> None:
    have_campaigns(stage)
    await submit(stage)
    meta.error = UpstreamRejectedError("Meta refused: It is disabled.")

    with pytest.raises(UpstreamRejectedError):
        await delete(stage)

    assert (await details(stage)).template.status == "PENDING"


async def test_a_deletion_that_died_after_meta_is_finished_by_the_next(stage: Stage, meta: MetaStub) -> None:
    have_campaigns(stage)
    await submit(stage)
    arm("templates.deleted", die=die)
    with pytest.raises(Exception, match="internal error"):
        await delete(stage)
    arm(None)

    await delete(stage)

    assert [one.status for one in await stage.listed("DELETED")] == ["DELETED"]


async def test_a_template_is_not_deleted_while_nobody_knows_whether_meta_has_it(stage: Stage, meta: MetaStub) -> None:
    have_campaigns(stage)
    meta.answers.append(AWAY)
    with pytest.raises(type(AWAY)):
        await submit(stage)

    with pytest.raises(ConflictError, match="being submitted"):
        await delete(stage)


async def test_a_deletion_counts_though_metas_clock_be_ahead(stage: Stage) -> None:
    have_campaigns(stage)
    await submit(stage)
    ahead = stage.pass_time(30)
    stage.pass_time(-30)
    await stage.hear(update("APPROVED", ahead, "77"))

    await delete(stage)

    assert stage.announced()[-1].status == "DELETED"
