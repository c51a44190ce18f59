"""Whatever the order and however often: the same news ends in the same state."""

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.webhooks import TemplateUpdate
from shared.mongo import Database
from tests.templates.stage import NOON, MetaStub, Stage, body, entry, set_stage, update

EVENTS = ("PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED", "FLAGGED", "REINSTATED", "DELETED", "ARCHIVED")
REASONS = (None, "NONE", "INVALID_FORMAT", "SCAM")
accounts = count(1)

# One database serves all examples of a test: each example has accounts of its own.
each_example_for_itself = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

sayings = st.lists(
    st.tuples(st.sampled_from("123"), st.sampled_from(EVENTS), st.integers(0, 4), st.sampled_from(REASONS)), max_size=12
)

entries = st.lists(
    st.builds(
        lambda meta_id, status, text, score: entry(
            str(meta_id),
            f"name_{meta_id}",
            status=status,
            components=[body(text)],
            quality_score={"score": score},
        ),
        st.integers(1, 6),
        st.sampled_from(("APPROVED", "PENDING", "PAUSED", "REJECTED", "PENDING_DELETION")),
        st.sampled_from(("Hello.", "Hello {{1}}.", "$1 for {{1}} and {{2}}")),
        st.sampled_from(("GREEN", "RED")),
    ),
    max_size=6,
    unique_by=lambda one: one["id"],
)


async def account(database: Database, meta: MetaStub) -> tuple[Stage, str]:
    """The service with a number of a new account."""
    waba_id = f"waba{next(accounts)}"
    stage = await set_stage(database, meta)
    stage.messaging.add("pn_1", "usr_1", waba_id)
    return stage, waba_id


async def state(stage: Stage, *, without: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Everything stored for the account, but what differs between any two accounts."""
    templates = [*await stage.listed(None), *await stage.listed("DELETED")]
    fields = [one.model_dump(exclude={"template_id", "waba_id", "variables"} | without) for one in templates]
    return sorted(fields, key=lambda one: str(one["meta_template_id"]))


async def state_after(database: Database, said: Sequence[tuple[str, str, int, str | None]]) -> list[dict[str, Any]]:
    """The state of three templates after hearing these things one by one."""
    stage, waba_id = await account(database, MetaStub([entry(number, f"name_{number}") for number in "123"]))
    await stage.sync()
    for meta_id, event, minute, reason in said:
        at = NOON + timedelta(minutes=minute)
        news: TemplateUpdate = update(event, at, meta_id, waba_id=waba_id, name=f"name_{meta_id}", reason=reason)
        await stage.hear(news)
    return await state(stage, without=frozenset({"updated_at"}))


@each_example_for_itself
@given(said=sayings, seed=st.integers(0, 1000))
async def test_updates_shuffled_and_doubled_end_as_in_order(
    database: Database, said: list[tuple[str, str, int, str | None]], seed: int
) -> None:
    shuffled = [*said, *said]
    random.Random(seed).shuffle(shuffled)

    assert await state_after(database, shuffled) == await state_after(database, said)


@each_example_for_itself
@given(first=entries, second=entries)
async def test_syncing_twice_is_syncing_once(
    database: Database, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    meta = MetaStub(first)
    stage, _ = await account(database, meta)
    for listed in (first, second):
        meta.entries = listed
        stage.pass_time()
        await stage.sync()
        once, announced = await state(stage), len(stage.announced())
        stage.pass_time()

        again = await stage.sync()

        assert (again.imported, again.updated, again.errors) == ((), (), ())
        assert (await state(stage), len(stage.announced())) == (once, announced)


@each_example_for_itself
@given(first=entries, second=entries)
async def test_after_a_sync_the_approved_templates_are_metas(
    database: Database, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    meta = MetaStub(first)
    stage, _ = await account(database, meta)
    await stage.sync()
    meta.entries = second
    stage.pass_time()
    await stage.sync()

    stored = {(one.meta_template_id, one.components[0]["text"]) for one in await stage.listed("APPROVED")}

    assert stored == {(one["id"], one["components"][0]["text"]) for one in second if one["status"] == "APPROVED"}
