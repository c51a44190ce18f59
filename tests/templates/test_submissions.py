"""Templates on their way to Meta: once, whatever happens between claim and answer."""

from datetime import timedelta
from typing import Any

import pytest

from shared.crashpoints import arm
from shared.errors import ConflictError, InvalidInputError, UpstreamRejectedError, UpstreamUnavailableError
from shared.mongo import Database
from tests.templates.drafting import SOUND, create, details, draft, edit, sound, submit
from tests.templates.stage import NOON, MetaStub, Stage, body, entry, set_stage, update

AWAY = UpstreamUnavailableError("Meta could not be reached (TimeoutError)")
NAME_EXISTS = {"code": 100, "subcode": 2388024}
REFUSED = UpstreamRejectedError("Meta refused: Variables can't be at the start or end of the template.")


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


async def test_a_draft_becomes_pending_under_metas_id(stage: Stage, meta: MetaStub) -> None:
    submitted = await submit(stage)

    assert submitted.model_dump() == {
        "template_id": "tpl_1",
        "status": "PENDING",
        "meta_template_id": "77",
        "submitted_at": NOON,
    }
    assert meta.written == [
        (
            "102",
            {
                "name": "order_update",
                "language": "en",
                "category": "UTILITY",
                "parameter_format": "POSITIONAL",
                "components": [SOUND],
            },
        )
    ]
    assert (stage.announced()[-1].status, stage.announced()[-1].meta_template_id) == ("PENDING", "77")
    assert (await details(stage)).submitted_at == NOON


async def test_metas_category_and_status_count(stage: Stage, meta: MetaStub) -> None:
    meta.answers.append({"id": "77", "status": "REJECTED", "category": "MARKETING"})

    submitted = await submit(stage)

    template = (await details(stage)).template
    assert (submitted.status, template.status, template.category) == ("REJECTED", "REJECTED", "MARKETING")


async def test_news_that_is_quicker_than_the_answer_stands(stage: Stage, meta: MetaStub) -> None:
    """Meta approves while its answer to the submission is still on its way."""

    async def approve_first(waba_id: str, access_token: str, body: dict[str, Any]) -> dict[str, Any]:
        await stage.hear(update("APPROVED", NOON, "77", name="order_update", language="en"))
        return {"id": "77", "status": "PENDING", "category": "UTILITY"}

    meta.create_template = approve_first  # type: ignore[method-assign]

    submitted = await submit(stage)

    assert submitted.status == "APPROVED"
    assert (await details(stage)).template.meta_template_id == "77"


async def test_metas_news_counts_after_a_submission_though_its_clock_be_behind(stage: Stage) -> None:
    await submit(stage)

    await stage.hear(update("APPROVED", NOON - timedelta(seconds=4), "77"))

    assert (await details(stage)).template.status == "APPROVED"


async def test_what_meta_refuses_stays_a_draft_with_metas_words(stage: Stage, meta: MetaStub) -> None:
    meta.answers.append(REFUSED)

    with pytest.raises(UpstreamRejectedError, match="Variables can't be at the start or end"):
        await submit(stage)

    found = await details(stage)
    assert (found.template.status, found.submitted_at) == ("DRAFT", None)
    assert found.template.status_reason == REFUSED.message
    assert (await submit(stage)).status == "PENDING"
    assert (await details(stage)).template.status_reason is None


@pytest.mark.parametrize("status", ["PENDING", "APPROVED", "PAUSED"])
async def test_only_a_draft_or_a_rejected_template_is_submitted(stage: Stage, meta: MetaStub, status: str) -> None:
    meta.answers.append({"id": "77", "status": status, "category": "UTILITY"})
    await submit(stage)

    with pytest.raises(
        ConflictError, match=f"Only a DRAFT or REJECTED template can be submitted; this one is {status}"
    ):
        await submit(stage)

    assert len(meta.written) == 1


async def test_a_rejected_template_is_edited_at_meta_and_pending_again(stage: Stage, meta: MetaStub) -> None:
    await submit(stage)
    await stage.hear(update("REJECTED", stage.pass_time(1), "77", reason="INVALID_FORMAT", explanation="Odd words."))
    rejected = (await details(stage)).template
    await edit(stage, components=(body("Hello {{1}}, all is well."),))

    again = await submit(stage)

    assert (rejected.rejected_reason, rejected.status_reason) == ("INVALID_FORMAT", "Odd words.")
    known_sample = {"example": {"body_text": [["John"]]}}
    expected = {"category": "UTILITY", "components": [body("Hello {{1}}, all is well.") | known_sample]}
    assert meta.written[1] == ("77", expected)
    template = (await details(stage)).template
    assert (again.status, template.rejected_reason, template.status_reason) == ("PENDING", None, None)
    await stage.hear(update("APPROVED", stage.pass_time(1), "77"))
    assert (await details(stage)).template.status == "APPROVED"


async def test_examples_come_from_sample_values_where_there_are_none(stage: Stage, meta: MetaStub) -> None:
    button = {"type": "URL", "text": "Track", "url": "https://shop.example.com/{{1}}"}
    reply = {"type": "QUICK_REPLY", "text": "Help"}
    parts = (body("Hi {{1}}, see {{2}} now."), {"type": "BUTTONS", "buttons": [reply, button]})
    said = [("first", 1, "BODY", "Ana"), ("second", 2, "BODY", "A-1"), ("link", 1, "BUTTON", "A-1042")]
    variables = tuple(
        {"variable_name": name, "position": position, "component_type": kind, "sample_value": sample}
        for name, position, kind, sample in said
    )
    made = await create(stage, draft("tpl_2", name="tracking", components=parts, variables=variables))

    await submit(stage, "tpl_2")

    assert made.warnings == ()
    assert meta.written[0][1]["components"] == [
        {**body("Hi {{1}}, see {{2}} now."), "example": {"body_text": [["Ana", "A-1"]]}},
        {"type": "BUTTONS", "buttons": [reply, {**button, "example": ["https://shop.example.com/A-1042"]}]},
    ]


async def test_a_headers_sample_is_uploaded_first(stage: Stage, meta: MetaStub) -> None:
    link = "https://shop.example.com/a.jpg"
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_url": link}}
    await create(stage, sound("tpl_2", name="promo", components=(header, SOUND)))

    await submit(stage, "tpl_2")

    assert stage.samples.uploaded == [link]
    assert meta.written[0][1]["components"][0] == {
        "type": "HEADER",
        "format": "IMAGE",
        "example": {"header_handle": [f"4::{link}"]},
    }


async def test_a_sample_that_cannot_be_fetched_leaves_a_draft(stage: Stage, meta: MetaStub) -> None:
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_url": "https://shop.example.com/a.jpg"}}
    await create(stage, sound("tpl_2", name="promo", components=(header, SOUND)))
    stage.samples.error = InvalidInputError("example.header_url could not be fetched")

    with pytest.raises(InvalidInputError, match="could not be fetched"):
        await submit(stage, "tpl_2")

    assert meta.written == []
    assert (await details(stage, "tpl_2")).template.status == "DRAFT"
    stage.samples.error = None
    assert (await submit(stage, "tpl_2")).status == "PENDING"


async def test_a_lost_answer_is_looked_up_at_meta_before_anything_is_submitted_again(
    stage: Stage, meta: MetaStub
) -> None:
    meta.answers.append(AWAY)
    with pytest.raises(UpstreamUnavailableError, match="whether Meta has the template is looked up within a minute"):
        await submit(stage)
    with pytest.raises(ConflictError, match="being submitted"):
        await submit(stage)
    meta.entries = [entry("88", "order_update", language="en", status="PENDING")]
    stage.pass_time()

    submitted = await submit(stage)

    assert (submitted.meta_template_id, submitted.status) == ("88", "PENDING")
    assert len(meta.written) == 1


async def test_metas_news_finds_a_template_whose_answer_was_lost(stage: Stage, meta: MetaStub) -> None:
    meta.answers.append(AWAY)
    with pytest.raises(UpstreamUnavailableError):
        await submit(stage)

    await stage.hear(update("APPROVED", stage.pass_time(), "88", name="order_update", language="en"))

    template = (await details(stage)).template
    assert (template.status, template.meta_template_id) == ("APPROVED", "88")


class DiedError(Exception):
    """The process ended here."""


def die(_status: int) -> None:
    raise DiedError


@pytest.mark.parametrize(("place", "is_at_meta"), [("templates.claimed", False), ("templates.submitted", True)])
async def test_a_submission_whose_worker_died_is_settled_by_looking(
    stage: Stage, meta: MetaStub, place: str, *, is_at_meta: bool
) -> None:
    arm(place, die=die)
    with pytest.raises(Exception, match="internal error"):
        await submit(stage)
    arm(None)
    meta.entries = [entry("77", "order_update", language="en", status="PENDING")] if is_at_meta else []
    with pytest.raises(ConflictError, match="being submitted"):
        await submit(stage)
    stage.pass_time(120)
    looked_at = await stage.service.submissions.settle_lost()
    stage.pass_time(700)
    await stage.service.submissions.settle_lost()

    template = (await details(stage)).template
    assert looked_at == 1
    assert (template.status, template.meta_template_id) == (("PENDING", "77") if is_at_meta else ("DRAFT", None))
    assert await stage.service.submissions.settle_lost() == 0
    assert len(meta.written) == (1 if is_at_meta else 0)


async def test_a_worker_that_died_before_meta_was_called_leaves_a_draft_and_nothing_to_ask(
    stage: Stage, meta: MetaStub
) -> None:
    arm("templates.claimed", die=die)
    with pytest.raises(Exception, match="internal error"):
        await submit(stage)
    arm(None)
    stage.pass_time(91)

    await stage.service.submissions.settle_lost()

    assert meta.asked == []
    assert (await submit(stage)).status == "PENDING"


async def test_what_meta_does_not_list_after_a_worker_died_may_be_submitted_again_at_once(
    stage: Stage, meta: MetaStub
) -> None:
    meta.answers.append(DiedError())
    with pytest.raises(Exception, match="internal error"):
        await submit(stage)
    with pytest.raises(ConflictError, match="being submitted; try again in 36 seconds") as refusal:
        await submit(stage)
    stage.pass_time(31)
    await stage.service.submissions.settle_lost()

    again = await submit(stage)

    assert (refusal.value.code, refusal.value.retry_after_seconds) == ("being_submitted", 36)
    assert (again.status, again.meta_template_id) == ("PENDING", "77")
    assert len(meta.asked) == 2  # both look-ups, before anything was handed over again


async def test_a_name_that_meta_took_without_listing_it_is_looked_up_instead_of_given_up(
    stage: Stage, meta: MetaStub
) -> None:
    taken = UpstreamRejectedError("Meta refused: Content in this language already exists", details=[NAME_EXISTS])
    meta.answers += [DiedError(), taken]
    with pytest.raises(Exception, match="internal error"):
        await submit(stage)
    stage.pass_time(31)
    await stage.service.submissions.settle_lost()

    with pytest.raises(UpstreamUnavailableError, match="whether Meta has the template is looked up within a minute"):
        await submit(stage)
    meta.entries = [entry("77", "order_update", language="en", status="PENDING")]
    stage.pass_time(61)
    await stage.service.submissions.settle_lost()

    template = (await details(stage)).template
    assert (template.status, template.meta_template_id) == ("PENDING", "77")


async def test_a_worker_whose_lease_is_over_does_not_call_meta_any_more(stage: Stage, meta: MetaStub) -> None:
    async def be_slow(url: str, access_token: str) -> str:
        stage.pass_time(91)
        await stage.service.submissions.settle_lost()
        return f"4::{url}"

    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_url": "https://shop.example.com/a.jpg"}}
    await create(stage, sound("tpl_2", name="promo", components=(header, SOUND)))
    stage.samples.upload = be_slow  # type: ignore[method-assign]

    with pytest.raises(ConflictError, match="by another worker"):
        await submit(stage, "tpl_2")

    assert meta.written == []
    assert (await details(stage, "tpl_2")).template.status == "DRAFT"


async def test_a_lost_resubmission_counts_once_meta_no_longer_lists_it_as_rejected(
    stage: Stage, meta: MetaStub
) -> None:
    await submit(stage)
    await stage.hear(update("REJECTED", stage.pass_time(), "77"))
    meta.answers.append(AWAY)
    with pytest.raises(UpstreamUnavailableError):
        await submit(stage)
    meta.entries = [entry("77", "order_update", language="en", status="REJECTED")]
    stage.pass_time(120)

    again = await submit(stage)

    assert again.status == "PENDING"
    assert [to for to, _ in meta.written] == ["102", "77", "77"]
