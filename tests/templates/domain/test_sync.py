"""What a sync decides from what is stored and what Meta lists."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.templates.domain.meta_templates import MetaTemplate
from services.templates.domain.sync import KnownTemplate, listed_status, plan_sync, refreshed
from shared.contracts.templates import Template

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
BODY = {"type": "BODY", "text": "Hello."}


def listed(meta_id: str = "1", name: str = "hello", **changes: Any) -> MetaTemplate:
    """An approved entry of Meta's list."""
    fields: dict[str, Any] = {
        "id": meta_id,
        "name": name,
        "language": "en",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": (BODY,),
    }
    return MetaTemplate(**(fields | changes))


def known(
    meta_id: str | None = "1", name: str = "hello", submitted_at: datetime | None = None, **changes: Any
) -> KnownTemplate:
    """A stored approved template."""
    fields: dict[str, Any] = {
        "template_id": f"tpl_{meta_id}",
        "user_id": "usr_1",
        "phone_number_id": "pn_1",
        "waba_id": "102",
        "name": name,
        "language": "en",
        "category": "UTILITY",
        "status": "APPROVED",
        "components": (BODY,),
        "meta_template_id": meta_id,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return KnownTemplate(Template(**(fields | changes)), submitted_at)


def test_only_approved_templates_are_imported() -> None:
    plan = plan_sync([], [listed("1"), listed("2", "other", status="PENDING")], NOON)

    assert [one.id for one in plan.imports] == ["1"]


def test_known_templates_are_refreshed_whatever_their_status() -> None:
    plan = plan_sync([known("1")], [listed("1", status="PAUSED")], NOON)

    assert [(template.template_id, entry.status) for template, entry in plan.refreshes] == [("tpl_1", "PAUSED")]
    assert plan.imports == ()


def test_a_template_that_is_not_listed_any_more_has_vanished() -> None:
    plan = plan_sync([known("1"), known("2", "other")], [listed("2", "other")], NOON)

    assert [one.template_id for one in plan.vanished] == ["tpl_1"]


def test_a_template_submitted_less_than_ten_minutes_ago_may_simply_not_be_listed_yet() -> None:
    recent, earlier = NOON - timedelta(minutes=10), NOON - timedelta(minutes=10, seconds=1)

    plan = plan_sync([known("1", submitted_at=recent), known("2", "other", submitted_at=earlier)], [], NOON)

    assert [one.template_id for one in plan.vanished] == ["tpl_2"]


def test_a_draft_never_vanishes() -> None:
    plan = plan_sync([known(None, status="DRAFT")], [], NOON)

    assert plan.vanished == ()


def test_a_name_that_lives_on_under_another_id_replaces_the_old_template_at_once() -> None:
    plan = plan_sync([known("1", submitted_at=NOON)], [listed("2")], NOON)

    assert [one.template_id for one in plan.vanished] == ["tpl_1"]
    assert [one.id for one in plan.imports] == ["2"]


def test_a_draft_keeps_its_name_and_language_to_itself() -> None:
    plan = plan_sync([known(None, status="DRAFT")], [listed("2")], NOON)

    assert plan.imports == ()
    assert [(one.name, one.language) for one in plan.errors] == [("hello", "en")]


def test_a_submitted_template_whose_id_never_reached_us_is_recognised_by_its_name() -> None:
    plan = plan_sync([known(None, submitted_at=NOON, status="PENDING")], [listed("9")], NOON)

    template, entry = plan.refreshes[0]
    assert refreshed(template, entry, new_id=str).meta_template_id == "9"
    assert not plan.imports
    assert not plan.errors


def test_a_deleted_template_comes_back_under_its_own_id_only_when_it_can_be_used() -> None:
    gone = known("1", status="DELETED")

    assert len(plan_sync([gone], [listed("1")], NOON).refreshes) == 1
    assert plan_sync([gone], [listed("1", status="PENDING_DELETION")], NOON).refreshes == ()


def test_a_refresh_without_news_changes_nothing() -> None:
    template = known("1").template

    assert refreshed(template, listed("1"), new_id=str) == template


def test_a_refresh_takes_over_category_quality_and_components_but_not_the_status() -> None:
    said = {"type": "BODY", "text": "Hello {{1}}!"}
    entry = listed("1", category="MARKETING", quality_score="RED", components=(said,), status="PAUSED")

    after = refreshed(known("1").template, entry, new_id=lambda prefix: f"{prefix}1")

    assert (after.category, after.quality_score, after.components, after.status) == (
        "MARKETING",
        "RED",
        (said,),
        "APPROVED",
    )
    assert [one.variable_name for one in after.variables] == ["variable_1"]


def test_a_list_speaks_for_the_time_before_it_was_asked_for() -> None:
    assert listed_status(listed("1"), NOON).at == NOON - timedelta(seconds=5)
