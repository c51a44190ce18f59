"""Finding templates to send: filters, pages, and what the database has to look at for them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.templates.domain.statuses import StatusAtMeta
from shared.contracts.templates import DiscoveredTemplates, DiscoverTemplates, Template
from shared.errors import InvalidInputError, NotFoundError
from shared.mongo import Database
from tests.templates.stage import NOON, MetaStub, Stage, body, set_stage

# Oldest first: (name, language, status)
ROWS = [
    ("invoice_ready", "en", "APPROVED"),
    ("invoice_ready", "bn", "APPROVED"),
    ("invoice_ready", "hi", "PAUSED"),
    ("order_update", "en_US", "APPROVED"),
    ("welcome.message", "en_US", "APPROVED"),
    ("draft_only", "en_US", "DRAFT"),
    ("old_one", "en_US", "DELETED"),
]


@pytest.fixture
async def stage(database: Database) -> Stage:
    """The service with an account's templates, each a minute newer than the one before."""
    stage = await set_stage(database, MetaStub())
    for minute, (name, language, status) in enumerate(ROWS):
        await add(stage, minute, name, language, status)
    return stage


async def add(stage: Stage, minute: int, name: str, language: str, status: str, *, waba_id: str = "102") -> None:
    """Store a template."""
    at = NOON + timedelta(minutes=minute)
    template = Template(
        template_id=f"tpl_{waba_id}_{minute:05d}",
        user_id="usr_1",
        phone_number_id="pn_1",
        waba_id=waba_id,
        name=name,
        language=language,
        category="UTILITY",
        status=status,
        components=(body("Hello {{1}}."),),
        meta_template_id=f"{waba_id}{minute}",
        created_at=at,
        updated_at=at,
    )
    assert await stage.repository.add_once(template, StatusAtMeta(status, at))


async def discover(stage: Stage, **query: Any) -> DiscoveredTemplates:
    """Ask, as the gateway does."""
    asked = DiscoverTemplates(**({"user_id": "usr_1", "phone_number_id": "pn_1"} | query))
    return await stage.bus.request(asked, timeout_seconds=30)


def shown(page: DiscoveredTemplates) -> list[tuple[str, str]]:
    """Names and languages, in order."""
    return [(item.name, item.language) for item in page.items]


async def test_approved_templates_come_newest_first(stage: Stage) -> None:
    page = await discover(stage)

    assert shown(page) == [
        ("welcome.message", "en_US"),
        ("order_update", "en_US"),
        ("invoice_ready", "bn"),
        ("invoice_ready", "en"),
    ]
    assert page.total == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "PAUSED"}, [("invoice_ready", "hi")]),
        ({"status": "DELETED"}, [("old_one", "en_US")]),
        ({"status": "NONSENSE"}, []),
        ({"status": None, "name": "draft_only"}, [("draft_only", "en_US")]),
        ({"language": "bn"}, [("invoice_ready", "bn")]),
        ({"language": "en-us", "search": "order"}, [("order_update", "en_US")]),
        ({"search": "VOICE_R"}, [("invoice_ready", "bn"), ("invoice_ready", "en")]),
        ({"search": "e.m"}, [("welcome.message", "en_US")]),
        ({"search": ".*"}, []),
        ({"search": "(a+)+$"}, []),
        ({"search": "["}, []),
        ({"search": ""}, None),
        ({"name": "invoice_ready"}, [("invoice_ready", "bn"), ("invoice_ready", "en")]),
        ({"name": "invoice_ready", "status": None, "language": "hi"}, [("invoice_ready", "hi")]),
        ({"name": "old_one", "status": "DELETED"}, [("old_one", "en_US")]),
    ],
)
async def test_filters_narrow_the_list(stage: Stage, query: dict[str, Any], found: list[Any] | None) -> None:
    page = await discover(stage, **query)

    assert shown(page) == (found if found is not None else shown(await discover(stage)))
    assert page.total == len(page.items)


async def test_all_means_everything_that_was_not_deleted(stage: Stage) -> None:
    page = await discover(stage, status=None)

    assert (page.total, "old_one" in {item.name for item in page.items}) == (6, False)


async def test_pages_together_are_the_whole_list(stage: Stage) -> None:
    whole = await discover(stage)
    pages = [await discover(stage, offset=offset, limit=3) for offset in (0, 3, 6)]

    assert [len(page.items) for page in pages] == [3, 1, 0]
    assert [item for page in pages for item in page.items] == list(whole.items)
    assert {page.total for page in pages} == {4}


async def test_other_accounts_templates_are_not_shown(stage: Stage) -> None:
    await add(stage, 99, "theirs", "en", "APPROVED", waba_id="103")
    stage.messaging.add("pn_2", "usr_2", "103")

    assert shown(await discover(stage, user_id="usr_2", phone_number_id="pn_2")) == [("theirs", "en")]
    assert ("theirs", "en") not in shown(await discover(stage))


@pytest.mark.parametrize(("user_id", "phone_number_id"), [("usr_1", "pn_nobody"), ("usr_2", "pn_1")])
async def test_a_number_that_is_not_the_callers_is_not_found(stage: Stage, user_id: str, phone_number_id: str) -> None:
    with pytest.raises(NotFoundError, match="Phone number not found"):
        await discover(stage, user_id=user_id, phone_number_id=phone_number_id)


async def test_an_instagram_account_has_no_templates(stage: Stage) -> None:
    stage.messaging.add("pn_insta", "usr_1", None, platform="instagram")

    with pytest.raises(InvalidInputError, match="WhatsApp"):
        await discover(stage, phone_number_id="pn_insta")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"name": "invoice_redy"}, "No template is called 'invoice_redy' on this account; did you mean invoice_ready?"),
        ({"name": "Invoice_ready"}, "No template is called 'Invoice_ready' on this account; did you mean invoice_rea"),
        ({"name": "qqqq"}, "No template is called 'qqqq' on this account"),
        ({"name": "old_one"}, "No template is called 'old_one' on this account"),
        ({"name": "draft_only"}, "No template 'draft_only' matches the query; there is en_US (DRAFT)"),
        (
            {"name": "invoice_ready", "language": "fr"},
            "No template 'invoice_ready' matches the query; there is bn (APPROVED), en (APPROVED), hi (PAUSED)",
        ),
    ],
)
async def test_a_name_that_finds_nothing_says_what_there_is(stage: Stage, query: dict[str, Any], message: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        await discover(stage, **query)

    assert refused.value.message.startswith(message)


async def test_a_page_behind_the_last_of_a_name_is_empty_and_no_error(stage: Stage) -> None:
    page = await discover(stage, name="invoice_ready", offset=2)

    assert (page.items, page.total) == ((), 2)


@pytest.mark.parametrize(
    ("query", "documents"),
    [
        ({}, 5),
        ({"status": None}, 5),
        ({"language": "bn"}, 1),
        ({"search": "INVOICE"}, 2),
        ({"status": None, "language": "en_US", "search": "order"}, 1),
        ({"offset": 40}, 5),
    ],
)
async def test_a_page_reads_its_own_documents_in_order_and_counting_reads_no_more(
    database: Database, stage: Stage, query: dict[str, Any], documents: int
) -> None:
    await asyncio.gather(*(add(stage, 100 + number, f"t{number:03d}", "fr", "APPROVED") for number in range(100)))
    await database.command("profile", 2)

    await discover(stage, **({"limit": 5} | query))

    await database.command("profile", 0)
    counted, listed = await profiled(database)
    assert "IXSCAN" in counted["planSummary"] or "COUNT_SCAN" in counted["planSummary"]
    assert (counted["docsExamined"] <= documents, listed["docsExamined"]) == (True, documents)
    assert ("IXSCAN" in listed["planSummary"], listed.get("hasSortStage", False)) == (True, False)


@pytest.mark.parametrize("query", [{}, {"status": None}, {"language": "bn"}])
async def test_a_name_is_looked_up_without_reading_the_rest_of_the_account(
    database: Database, stage: Stage, query: dict[str, Any]
) -> None:
    await asyncio.gather(*(add(stage, 100 + number, f"t{number:03d}", "fr", "APPROVED") for number in range(100)))
    await database.command("profile", 2)

    await discover(stage, name="invoice_ready", **query)

    await database.command("profile", 0)
    assert [done["docsExamined"] <= 3 for done in await profiled(database)] == [True, True]


async def profiled(database: Database) -> list[dict[str, Any]]:
    """What the database noted about the queries for templates, in order."""
    noted = database["system.profile"].find({"ns": f"{database.name}.templates", "planSummary": {"$exists": True}})
    return [done async for done in noted.sort("ts", 1)]
