"""Every query that templates makes uses an index."""

from collections.abc import AsyncIterator

import pytest

from shared.contracts.button_clicks import GetLeadButtonActivity, GetTemplateButtonClicks, ListButtonClicks
from shared.contracts.conversations import ButtonsClicked
from shared.contracts.template_drafts import SetTemplateVariables
from shared.contracts.templates import DiscoverTemplates, FindTemplates
from shared.errors import ConflictError, UpstreamUnavailableError
from tests.explaining import Watched
from tests.templates.drafting import VARIABLES, create, delete, details, draft, edit, have_campaigns, sound, submit
from tests.templates.stage import MetaStub, Stage, entry, set_stage, update
from tests.templates.test_clicks import PHONE, tap
from tests.templates.test_counters import sent, told
from tests.templates.test_submissions import AWAY


@pytest.fixture
async def stage(watched: Watched) -> AsyncIterator[Stage]:
    """The service on a database that is watched; afterwards every query must have used an index."""
    stage = await set_stage(watched.database, MetaStub(entries=[entry(str(n), f"known_{n}") for n in range(20)]))
    await stage.sync()
    await stage.bus.publish(ButtonsClicked(items=tuple(tap(number) for number in range(20))))
    await stage.bus.publish(*(sent(number) for number in range(20)), told(1, "read"))
    yield stage
    assert await watched.collection_scans() == []
    assert len(watched.queries.kept) > 3, "nothing was asked: this proves nothing"


async def test_the_life_of_a_template_reads_no_collection_as_a_whole(stage: Stage) -> None:
    have_campaigns(stage)
    meta = stage.service.submissions.meta
    assert isinstance(meta, MetaStub)
    await create(stage, draft())
    with pytest.raises(ConflictError):
        await create(stage, draft("tpl_2"))
    await edit(stage, category="MARKETING")
    await stage.bus.request(SetTemplateVariables(template_id="tpl_1", variables=VARIABLES), timeout_seconds=30)
    meta.answers.append(AWAY)
    with pytest.raises(UpstreamUnavailableError):
        await submit(stage)
    stage.pass_time(100)
    await stage.service.submissions.settle_lost()
    stage.pass_time(800)
    await stage.service.submissions.settle_lost()
    await submit(stage)
    quality = update("QUALITY_UPDATE", stage.pass_time(), "77", quality_score="RED")
    category = update("CATEGORY_UPDATE", stage.pass_time(), "77", category="UTILITY", correct_category="MARKETING")
    await stage.hear(quality, category, update("APPROVED", stage.pass_time(), "77"))
    await stage.sync()
    await create(stage, sound("tpl_3", name="another"))
    await delete(stage, "tpl_3")
    await stage.announcements.relay()


async def test_questions_for_templates_read_no_collection_as_a_whole(stage: Stage) -> None:
    await create(stage, draft())

    await details(stage)
    for status in (None, "APPROVED", "DELETED"):
        await stage.listed(status)
    await stage.bus.request(FindTemplates(waba_id="102", name="known_1"), timeout_seconds=30)
    for query in ({}, {"search": "known"}, {"name": "known_1"}, {"status": None, "language": "en_US"}):
        wanted = DiscoverTemplates.model_validate({"user_id": "usr_1", "phone_number_id": "pn_1", **query})
        assert (await stage.bus.request(wanted, timeout_seconds=30)).total > 0


async def test_questions_for_taps_read_no_collection_as_a_whole(stage: Stage) -> None:
    await create(stage, draft())

    await stage.bus.request(GetTemplateButtonClicks(template_id="tpl_1"), timeout_seconds=30)
    for template_id in (None, "tpl_1"):
        await stage.bus.request(ListButtonClicks(user_id="usr_1", template_id=template_id), timeout_seconds=30)
    await stage.bus.request(GetLeadButtonActivity(user_id="usr_1", customer_phone=PHONE), timeout_seconds=30)


async def test_a_query_without_an_index_is_noticed(watched: Watched) -> None:
    await watched.database["things"].insert_one({"_id": 1, "colour": "red"})

    await watched.database["things"].find_one({"colour": "red"})
    await watched.database["things"].update_one({"colour": "red"}, {"$set": {"colour": "blue"}})
    await watched.database["things"].find_one({"_id": 1})

    scans = await watched.collection_scans()
    assert [shape.split(":")[0] for shape in scans] == ["{find", "{update"]
