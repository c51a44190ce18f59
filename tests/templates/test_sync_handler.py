"""A sync converges on what Meta holds."""

import asyncio
from typing import Any

import pytest

from shared.bus.memory import MemoryBus
from shared.contracts.base import Event
from shared.errors import BusUnavailableError, InvalidInputError, NotFoundError, UpstreamRejectedError
from shared.mongo import Database
from tests.templates.stage import NOON, TOKEN, MetaStub, Stage, body, entry, set_stage, update


@pytest.fixture
def meta() -> MetaStub:
    """Meta, with one template."""
    return MetaStub([entry()])


@pytest.fixture
async def stage(database: Database, meta: MetaStub) -> Stage:
    """The service."""
    return await set_stage(database, meta)


async def test_an_approved_template_is_imported_with_its_variables_and_announced(stage: Stage, meta: MetaStub) -> None:
    result = await stage.sync()

    (template,) = await stage.listed()
    assert [(one.template_id, one.name) for one in result.imported] == [(template.template_id, "hello")]
    assert (result.updated, result.errors) == ((), ())
    assert template.template_id.startswith("tpl_")
    assert template.variables[0].variable_id.startswith("var_")
    assert template.model_dump(exclude={"template_id", "variables"}) == {
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "waba_id": "102",
        "name": "hello",
        "language": "en_US",
        "category": "UTILITY",
        "status": "APPROVED",
        "parameter_format": "positional",
        "components": (body("Hello {{1}}."),),
        "meta_template_id": "1",
        "quality_score": None,
        "rejected_reason": None,
        "status_reason": None,
        "correct_category": None,
        "created_at": NOON,
        "updated_at": NOON,
    }
    assert stage.announced() == [template]
    assert meta.asked == [("102", TOKEN)]


async def test_a_second_sync_without_news_does_nothing(stage: Stage) -> None:
    await stage.sync()
    before = await stage.listed()
    stage.pass_time()

    again = await stage.sync()

    assert (again.imported, again.updated, again.errors) == ((), (), ())
    assert await stage.listed() == before
    assert len(stage.announced()) == 1


async def test_a_second_sync_takes_over_what_changed_and_only_that_is_announced(stage: Stage, meta: MetaStub) -> None:
    meta.entries = [entry("1"), entry("2", "other")]
    await stage.sync()
    meta.entries = [
        entry("1", status="PAUSED", category="MARKETING", quality_score={"score": "RED"}, components=[body("Bye.")]),
        entry("2", "other"),
    ]
    later = stage.pass_time()

    result = await stage.sync()

    (changed,) = [one for one in await stage.listed() if one.name == "hello"]
    assert [one.name for one in result.updated] == ["hello"]
    assert (changed.status, changed.category, changed.quality_score) == ("PAUSED", "MARKETING", "RED")
    assert (changed.components, changed.variables) == ((body("Bye."),), ())
    assert changed.updated_at >= later
    assert stage.announced()[2:] == [changed]


async def test_what_vanished_at_meta_becomes_deleted_and_its_name_is_free_again(stage: Stage, meta: MetaStub) -> None:
    await stage.sync()
    meta.entries = [entry("2", "hello")]
    stage.pass_time()

    result = await stage.sync()

    assert [one.name for one in result.updated] == ["hello"]
    assert [(one.meta_template_id, one.status) for one in await stage.listed()] == [("2", "APPROVED")]
    assert [(one.meta_template_id, one.status) for one in await stage.listed("DELETED")] == [("1", "DELETED")]


async def test_an_entry_that_cannot_be_taken_over_is_an_error_and_stops_nothing(stage: Stage, meta: MetaStub) -> None:
    bad: list[Any] = [
        entry("2", "without_components", components=None),
        entry("3", "too_great_a_number", components=[body("Hi.") | {"odd": 2**70}]),
    ]
    meta.entries = [*bad, entry("1")]

    result = await stage.sync()

    assert [one.name for one in result.imported] == ["hello"]
    assert sorted(one.name for one in result.errors) == ["too_great_a_number", "without_components"]


async def test_operators_in_metas_components_are_kept_as_text(stage: Stage, meta: MetaStub) -> None:
    meta.entries = [entry(components=[body("Now $5.") | {"$set": {"a.b": "$name"}}])]
    await stage.sync()
    meta.entries = [entry(components=[body("$category") | {"$where": "$$ROOT"}])]
    stage.pass_time()

    await stage.sync()

    assert [one.components for one in await stage.listed()] == [
        ({"type": "BODY", "text": "$category", "$where": "$$ROOT"},)
    ]


async def test_a_list_does_not_outweigh_a_change_that_meta_told_of_while_it_was_read(
    stage: Stage, meta: MetaStub
) -> None:
    await stage.sync()
    now = stage.pass_time()
    await stage.hear(update("PAUSED", now))

    await stage.sync()

    assert [one.status for one in await stage.listed()] == ["PAUSED"]


async def test_two_syncs_at_once_import_each_template_once(stage: Stage, meta: MetaStub) -> None:
    meta.entries = [entry(str(number), f"name_{number}") for number in range(40)]

    results = await asyncio.gather(stage.sync(), stage.sync())

    assert sum(len(one.imported) for one in results) == 40
    assert len(await stage.listed()) == 40


async def test_the_number_must_be_the_users_and_on_whatsapp(stage: Stage, meta: MetaStub) -> None:
    stage.messaging.add("pn_insta", "usr_1", None, platform="instagram")

    with pytest.raises(NotFoundError, match="Phone number not found"):
        await stage.sync(user_id="usr_other")
    with pytest.raises(NotFoundError):
        await stage.sync("pn_unknown")
    with pytest.raises(InvalidInputError, match="WhatsApp"):
        await stage.sync("pn_insta")

    assert meta.asked == []


async def test_metas_refusal_reaches_the_caller_and_changes_nothing(stage: Stage, meta: MetaStub) -> None:
    await stage.sync()
    meta.error = UpstreamRejectedError("Meta refused: no access")

    with pytest.raises(UpstreamRejectedError, match="no access"):
        await stage.sync()

    assert [one.status for one in await stage.listed()] == ["APPROVED"]


class BrokerAway(MemoryBus):
    """A bus whose broker is gone whenever `away` is set."""

    away = False

    async def publish(self, *events: Event) -> None:
        """Refuse while away."""
        if self.away:
            raise BusUnavailableError("the broker is away")
        await super().publish(*events)


async def test_a_change_that_the_broker_did_not_take_is_announced_by_the_relay(database: Database) -> None:
    bus = BrokerAway()
    stage = await set_stage(database, MetaStub([entry()]), bus)
    bus.away = True
    result = await stage.sync()
    bus.away = False
    stage.pass_time(2)

    relayed = [await stage.announcements.relay(), await stage.announcements.relay()]

    assert len(result.imported) == 1
    assert relayed == [1, 0]
    assert [one.name for one in stage.announced()] == ["hello"]


async def test_a_change_during_an_announcement_keeps_its_note(stage: Stage) -> None:
    await stage.sync()
    (first,) = stage.announced()
    await stage.repository.save_content(first.model_copy(update={"category": "MARKETING"}), NOON)

    await stage.repository.mark_announced([first])

    (left,) = await stage.repository.list_unannounced([first.template_id])
    assert left.category == "MARKETING"
    assert left.updated_at > first.updated_at, "though the clock stood still"


async def test_many_changes_are_announced_in_several_events(stage: Stage, meta: MetaStub) -> None:
    meta.entries = [entry(str(number), f"name_{number}") for number in range(120)]

    await stage.sync()

    assert len(stage.bus.published) == 3
    assert {one.name for one in stage.announced()} == {f"name_{number}" for number in range(120)}
