"""Meta's news of templates: any order, any number of times."""

from datetime import timedelta

import pytest

from services.templates.domain.statuses import StatusAtMeta
from shared.contracts.templates import Template
from shared.mongo import Database
from tests.templates.stage import NOON, MetaStub, Stage, body, entry, set_stage, update

LATER = NOON + timedelta(minutes=1)
LATEST = NOON + timedelta(minutes=2)


@pytest.fixture
def meta() -> MetaStub:
    """Meta, with one template."""
    return MetaStub([entry()])


@pytest.fixture
async def stage(database: Database, meta: MetaStub) -> Stage:
    """The service, with that template."""
    stage = await set_stage(database, meta)
    await stage.sync()
    stage.bus.published.clear()
    return stage


def submitted(meta_id: str | None, **changes: str) -> Template:
    """A template of ours on its way through Meta's review."""
    fields = {"template_id": "tpl_submitted", "name": "mine", "status": "PENDING"} | changes
    return Template(
        user_id="usr_1",
        phone_number_id="pn_1",
        waba_id="102",
        language="en_US",
        category="UTILITY",
        components=(body("Hi."),),
        meta_template_id=meta_id,
        created_at=NOON,
        updated_at=NOON,
        **fields,
    )


async def only(stage: Stage) -> Template:
    """The one template that is stored."""
    templates = [*await stage.listed(), *await stage.listed("DELETED")]
    assert len(templates) == 1
    return templates[0]


async def test_a_status_is_taken_over_and_announced(stage: Stage) -> None:
    await stage.hear(update("PAUSED", LATER))

    template = await only(stage)
    assert template.status == "PAUSED"
    assert stage.announced() == [template]


async def test_a_repetition_is_not_announced_again(stage: Stage) -> None:
    paused = update("PAUSED", LATER)

    await stage.hear(paused, paused)
    await stage.hear(paused)

    assert len(stage.announced()) == 1


async def test_an_older_saying_that_comes_late_changes_nothing(stage: Stage) -> None:
    await stage.hear(update("APPROVED", LATEST))
    await stage.hear(update("PAUSED", LATER))

    assert (await only(stage)).status == "APPROVED"
    assert stage.announced() == []


async def test_a_rejection_brings_its_reason_and_an_approval_takes_it_away(stage: Stage) -> None:
    await stage.hear(update("REJECTED", LATER, reason="INVALID_FORMAT"))
    rejected = await only(stage)
    await stage.hear(update("APPROVED", LATEST, reason="NONE"))

    assert (rejected.status, rejected.rejected_reason) == ("REJECTED", "INVALID_FORMAT")
    assert (await only(stage)).rejected_reason is None


async def test_an_event_that_is_no_status_leaves_everything_as_it_is(stage: Stage) -> None:
    before = await only(stage)

    await stage.hear(update("FLAGGED", LATER), update("SOMETHING_NEW", LATER))

    assert await only(stage) == before


async def test_what_meta_deleted_is_kept_as_deleted(stage: Stage) -> None:
    await stage.hear(update("DELETED", LATER))

    assert await stage.listed() == []
    assert (await only(stage)).status == "DELETED"


async def test_an_update_of_another_account_or_an_unknown_template_changes_nothing(stage: Stage) -> None:
    await stage.hear(update("PAUSED", LATER, waba_id="999"), update("PAUSED", LATER, meta_id="77", name="unheard_of"))

    assert (await only(stage)).status == "APPROVED"


async def test_another_template_that_once_had_the_name_does_not_touch_the_present_one(stage: Stage) -> None:
    await stage.hear(update("DELETED", LATER, meta_id="an_older_one"))

    assert (await only(stage)).status == "APPROVED"


async def test_a_submitted_template_whose_id_never_reached_us_is_known_by_its_name_and_learns_its_id(
    stage: Stage,
) -> None:
    await stage.repository.add_once(submitted(None), StatusAtMeta("PENDING", NOON), submitted_at=NOON)

    await stage.hear(update("APPROVED", LATER, meta_id="55", name="mine"))

    (mine,) = [one for one in await stage.listed() if one.name == "mine"]
    assert (mine.status, mine.meta_template_id) == ("APPROVED", "55")


async def test_a_draft_that_was_never_submitted_is_left_alone(stage: Stage) -> None:
    await stage.repository.add_once(submitted(None, status="DRAFT"), StatusAtMeta("DRAFT", NOON))

    await stage.hear(update("APPROVED", LATER, meta_id="55", name="mine"))

    (mine,) = [one for one in await stage.listed() if one.name == "mine"]
    assert (mine.status, mine.meta_template_id) == ("DRAFT", None)


async def test_a_deleted_template_whose_name_was_taken_since_stays_deleted_and_the_others_are_updated(
    stage: Stage, meta: MetaStub
) -> None:
    meta.entries = [entry("2")]
    stage.pass_time()
    await stage.sync()

    await stage.hear(update("APPROVED", LATEST, meta_id="1"), update("PAUSED", LATEST, meta_id="2"))

    assert [(one.meta_template_id, one.status) for one in await stage.listed()] == [("2", "PAUSED")]


async def test_quality_and_category_are_those_of_the_latest_news_in_any_order(stage: Stage) -> None:
    yellow = update("QUALITY_UPDATE", LATER, quality_score="YELLOW")
    red = update("QUALITY_UPDATE", LATEST, quality_score="RED")
    coming = update("CATEGORY_UPDATE", LATER, category="UTILITY", correct_category="MARKETING")
    changed = update("CATEGORY_UPDATE", LATEST, category="MARKETING")
    await stage.hear(coming)
    announced = await only(stage)

    await stage.hear(changed, red, coming, yellow, red)

    now = await only(stage)
    assert (announced.category, announced.correct_category) == ("UTILITY", "MARKETING")
    assert (now.category, now.correct_category, now.quality_score) == ("MARKETING", None, "RED")
    assert now.status == "APPROVED"
    assert stage.announced()[-1] == now


async def test_what_meta_told_people_stays_until_the_template_is_approved(stage: Stage) -> None:
    await stage.hear(update("PAUSED", LATER, explanation="Paused for low quality."))
    paused = await only(stage)

    await stage.hear(update("APPROVED", LATEST, explanation="Unpaused."))

    assert paused.status_reason == "Paused for low quality."
    assert (await only(stage)).status_reason is None
