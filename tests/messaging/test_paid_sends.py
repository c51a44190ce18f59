"""Templates by id with a credit each: what they cost, whom they reach, and what is said when they cannot be sent."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.messaging.domain.ledger import message_entry_id, run_entry_id
from services.messaging.repositories.charges import ChargeRepository
from shared.contracts.content import TemplateByIdContent
from shared.contracts.credits import GrantCredits, ReleaseCredits, ReleaseRuns, ReserveCredits, RunRelease
from shared.contracts.messaging import ContactInput, Credits, GetCredits, SendMessage
from shared.contracts.numbers import UpdatePhoneNumber
from shared.contracts.template_drafts import GetTemplate, TemplateDetails
from shared.contracts.templates import TemplateVariable
from shared.errors import (
    ConflictError,
    InsufficientCreditsError,
    InvalidInputError,
    NotFoundError,
    ServiceUnavailableError,
)
from tests.eventually import eventually
from tests.messaging.meta import cut, held, refuse
from tests.messaging.stage import KEYS, NUMBER, USER, Stage, batch, message_id, stage_on, status, template, text

TEMPLATE = template(
    "order_update",
    components=({"type": "BODY", "text": "Hi {{1}}, order {{2}}."},),
    variables=(
        TemplateVariable(
            variable_id="var_1", variable_name="name", position=1, component_type="BODY", extraction_field="name"
        ),
        TemplateVariable(variable_id="var_2", variable_name="order_id", position=2, component_type="BODY"),
    ),
)


def send(number: int = 1, values: dict[str, str] | None = None, **changes: Any) -> SendMessage:
    """A command as the dashboard's `send` gives it."""
    content = TemplateByIdContent(
        template_id=TEMPLATE.template_id, values={"1": "Sarah", "2": "17"} if values is None else values
    )
    fields: dict[str, Any] = {"content": content, "source": "dashboard"} | changes
    return text(number, **fields)


async def balance(stage: Stage) -> Credits:
    return await stage.bus.request(GetCredits(user_id=USER), timeout_seconds=30)


async def silence(_query: GetTemplate) -> TemplateDetails:
    """An owner of templates who does not answer, so that messaging's copies have to do."""
    raise ServiceUnavailableError("templates does not answer")


@pytest.fixture
async def paid(stage: Stage) -> Stage:
    """Messaging with the template; the user has the default 100 credits."""
    await stage.know(TEMPLATE)
    stage.bus.on(GetTemplate, silence)
    return stage


async def test_a_message_costs_one_credit(paid: Stage) -> None:
    outcome = await paid.ask(send())

    assert outcome.status == "sent"
    assert outcome.credits_remaining == 99
    assert await balance(paid) == Credits(remaining_credits=99, total_used=1, total_granted=100)


async def test_what_is_posted_is_the_template_with_its_values(paid: Stage) -> None:
    await paid.ask(send())

    assert paid.meta.calls[0].body["template"] == {
        "name": "order_update",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Sarah"}, {"type": "text", "text": "17"}]}
        ],
    }
    assert (await paid.document())["type"] == "template"


async def test_the_same_message_again_costs_nothing_more(paid: Stage) -> None:
    first = await paid.ask(send())

    again = await paid.ask(send())

    assert again == first
    assert (await balance(paid)).remaining_credits == 99
    assert len(paid.meta.calls) == 1


async def test_a_refused_message_costs_nothing(paid: Stage) -> None:
    paid.meta.will(refuse(131026))

    outcome = await paid.ask(send())

    assert outcome.status == "failed"
    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_a_message_that_meta_could_not_deliver_costs_nothing_after_all(paid: Stage) -> None:
    await paid.ask(send())
    wamid = (await paid.document())["wamid"]

    await paid.hear(status("failed", f"w1:{message_id()}:1", wamid))
    await paid.messaging.credits.ledger.sweep()

    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_a_message_that_meta_failed_before_it_answered_costs_nothing(paid: Stage) -> None:
    answers = asyncio.Event()
    paid.meta.will(held(answers))
    asking = asyncio.create_task(paid.ask(send()))
    await eventually(lambda: len(paid.meta.calls) == 1)
    await paid.hear(status("failed", f"w1:{message_id()}:1", "wamid.1"))
    await paid.messaging.credits.ledger.sweep()

    answers.set()
    await asking
    paid.clock.pass_time(60)
    await paid.messaging.credits.ledger.sweep()

    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_a_campaign_does_not_pay_for_what_meta_failed_before_it_answered(paid: Stage) -> None:
    run = {"user_id": USER, "campaign_id": "cmp_1", "run": 0}
    await paid.bus.request(ReserveCredits(**run, credits=1), timeout_seconds=30)
    answers = asyncio.Event()
    paid.meta.will(held(answers))
    sending = asyncio.create_task(paid.bus.send(batch([1])))
    await eventually(lambda: len(paid.meta.calls) == 1)
    await paid.hear(status("failed", f"w1:{message_id()}:1", "wamid.1"))

    answers.set()
    await sending
    await paid.drain()
    await paid.bus.request(ReleaseCredits(**run, released=0, closed=True), timeout_seconds=30)

    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_a_message_whose_outcome_nobody_knows_keeps_its_credit_for_a_day(paid: Stage) -> None:
    paid.meta.will(cut)
    await paid.bus.send(send())
    await paid.drain()
    ledger = paid.messaging.credits.ledger

    paid.clock.pass_time(3600)
    await ledger.sweep()
    held = await balance(paid)
    paid.clock.pass_time(24 * 3600)
    await ledger.sweep()
    await paid.sweep()
    paid.clock.pass_time(60)
    await ledger.sweep()

    assert held == Credits(remaining_credits=99, total_used=0, total_granted=100)
    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_a_reservation_whose_message_never_came_is_given_back(paid: Stage) -> None:
    ledger = paid.messaging.credits.ledger
    await ledger.reserve_message(USER, message_id(7))

    paid.clock.pass_time(600)
    await ledger.sweep()

    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_who_has_no_credits_is_told_so_and_nothing_is_stored(paid: Stage) -> None:
    await paid.messaging.credits.ledger.reserve_run(USER, "camp_1", 0, 100)

    with pytest.raises(InsufficientCreditsError, match="Not enough credits"):
        await paid.ask(send())

    assert paid.meta.calls == []
    assert await paid.states() == []
    assert await paid.database["credit_entries"].find_one({"_id": message_entry_id(message_id())}) is None


async def test_a_text_by_the_external_api_costs_nothing_unless_it_is_metered(paid: Stage) -> None:
    outcome = await paid.ask(text())

    assert outcome.credits_remaining is None
    assert (await balance(paid)).remaining_credits == 100


async def test_a_metered_text_by_the_external_api_costs_a_credit(database: Any) -> None:
    async with stage_on(database, meter_external_api=True) as stage:
        outcome = await stage.ask(text())

        assert outcome.credits_remaining == 99


async def test_values_come_from_the_contact_that_the_request_tells_of(paid: Stage) -> None:
    await paid.ask(send(values={"order_id": "17"}, contact=ContactInput(name="Ravi")))

    parameters = paid.meta.calls[0].body["template"]["components"][0]["parameters"]
    assert [parameter["text"] for parameter in parameters] == ["Ravi", "17"]


async def test_values_come_from_the_contact_that_is_known(paid: Stage) -> None:
    await paid.ask(text(1, contact=ContactInput(name="Ravi")))

    await paid.ask(send(2, values={"2": "17"}))

    parameters = paid.meta.calls[1].body["template"]["components"][0]["parameters"]
    assert [parameter["text"] for parameter in parameters] == ["Ravi", "17"]


async def test_what_is_missing_is_named(paid: Stage) -> None:
    with pytest.raises(InvalidInputError, match=r"variables\.2: a value for 2 \(order_id\) is required") as caught:
        await paid.ask(send(values={"1": "Sarah"}))

    assert caught.value.code == "missing_variable"
    assert caught.value.details == [{"field": "variables.2", "message": "a value for 2 (order_id) is required"}]
    assert (await balance(paid)).remaining_credits == 100


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"user_id": "usr_2"}, NotFoundError, "Template not found"),
        ({"waba_id": "1"}, InvalidInputError, "another WhatsApp Business Account"),
        ({"status": "PENDING"}, InvalidInputError, "this one is PENDING"),
        ({"status": "DELETED"}, NotFoundError, "Template not found"),
    ],
)
async def test_a_template_that_may_not_be_sent(
    paid: Stage, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    await paid.know(TEMPLATE.model_copy(update=changes | {"updated_at": TEMPLATE.updated_at + timedelta(seconds=1)}))

    with pytest.raises(error, match=words):
        await paid.ask(send())


async def test_an_unknown_template_does_not_exist(paid: Stage) -> None:
    with pytest.raises(NotFoundError, match="Template not found"):
        await paid.ask(send(content=TemplateByIdContent(template_id="tpl_unknown")))


async def test_a_number_whose_token_is_void_sends_nothing_until_it_has_another(paid: Stage) -> None:
    paid.meta.will(refuse(190))
    await paid.ask(send(1))

    with pytest.raises(ConflictError, match="no longer takes this phone number's access token"):
        await paid.ask(send(2))
    await paid.bus.send(batch([3]))
    sealed = KEYS.seal("another", owner_id=NUMBER, field="access_token")
    await paid.bus.request(UpdatePhoneNumber(phone_number_id=NUMBER, sealed_access_token=sealed), timeout_seconds=30)
    paid.clock.pass_time(61)
    await paid.sweep()

    assert await paid.state(3) == "SENT"
    assert (await paid.ask(send(2))).status == "sent"


async def test_a_campaign_pays_for_what_meta_accepts(paid: Stage) -> None:
    run = {"user_id": USER, "campaign_id": "cmp_1", "run": 0}
    await paid.bus.request(ReserveCredits(**run, credits=5), timeout_seconds=30)
    before = await balance(paid)
    await paid.bus.send(batch(range(3)))
    await paid.drain()

    await paid.bus.request(ReleaseCredits(**run, released=0, closed=True), timeout_seconds=30)

    assert before == Credits(remaining_credits=95, total_used=0, total_granted=100)
    assert await balance(paid) == Credits(remaining_credits=97, total_used=3, total_granted=100)


async def test_what_a_campaign_will_not_use_is_free_at_once(paid: Stage) -> None:
    run = {"user_id": USER, "campaign_id": "cmp_1", "run": 0}
    await paid.bus.request(ReserveCredits(**run, credits=5), timeout_seconds=30)

    for _ in range(2):
        await paid.bus.request(ReleaseCredits(**run, released=2), timeout_seconds=30)

    assert (await balance(paid)).remaining_credits == 97


async def test_runs_that_end_together_are_settled_by_one_command_whatever_is_wrong_with_one(paid: Stage) -> None:
    runs = [{"user_id": user, "campaign_id": f"cmp_{number}", "run": 0} for number, user in ((1, USER), (2, "usr_2"))]
    for run in runs:
        await paid.bus.request(ReserveCredits.model_validate(run | {"credits": 5}), timeout_seconds=30)
    await paid.bus.send(batch(range(3)))
    await paid.drain()
    unknown = {"user_id": USER, "campaign_id": "cmp_3", "run": 0}
    items = tuple(
        RunRelease.model_validate(run | {"released": released, "closed": closed})
        for run, released, closed in ((runs[0], 0, True), (unknown, 1, True), (runs[1], 2, False))
    )

    for _ in range(2):
        with pytest.raises(NotFoundError):
            await paid.bus.request(ReleaseRuns(items=items), timeout_seconds=30)

    other = await paid.bus.request(GetCredits(user_id="usr_2"), timeout_seconds=30)
    assert await balance(paid) == Credits(remaining_credits=97, total_used=3, total_granted=100)
    assert other == Credits(remaining_credits=97, total_used=0, total_granted=100)


async def test_a_campaign_that_costs_too_much_takes_nothing(paid: Stage) -> None:
    with pytest.raises(InsufficientCreditsError):
        await paid.bus.request(
            ReserveCredits(user_id=USER, campaign_id="cmp_1", run=0, credits=101), timeout_seconds=30
        )

    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)


async def test_a_grant_is_given_once(paid: Stage) -> None:
    grant = GrantCredits(grant_id="grant_1", user_id=USER, credits=50)

    first = await paid.bus.request(grant, timeout_seconds=30)

    assert first == await paid.bus.request(grant, timeout_seconds=30)
    assert first == Credits(remaining_credits=150, total_used=0, total_granted=150)


async def test_a_failure_that_comes_while_a_run_is_settled_is_counted_all_the_same(
    paid: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = paid.messaging.credits.ledger
    await ledger.reserve_run(USER, "camp_1", 0, 10)
    charged = {"_id": message_id(), "state": "SENT", "rank": 2, "charged": run_entry_id("camp_1", 0)}
    await paid.database["messages"].insert_one(charged)
    right = ChargeRepository.count_charged

    async def count_charged(self: ChargeRepository, entry_ids: Sequence[str]) -> Counter[str]:
        count = await right(self, entry_ids)
        if count:  # just after this look the message fails at Meta, and its entry is woken
            await paid.database["messages"].update_one({}, {"$unset": {"charged": ""}})
            await ledger.recount([], entry_ids)
        return count

    monkeypatch.setattr(ChargeRepository, "count_charged", count_charged)
    await ledger.release_run(USER, "camp_1", 0, 9, closed=True)
    for _ in range(3):
        paid.clock.pass_time(3600)
        await ledger.sweep()

    assert await balance(paid) == Credits(remaining_credits=100, total_used=0, total_granted=100)
