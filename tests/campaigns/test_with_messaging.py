"""Campaigns with the real messaging behind them: what is promised of both together."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.campaigns.main import Campaigns, build
from shared.contracts.campaigns import (
    Campaign,
    ControlCampaign,
    CreateCampaign,
    FinishCreation,
    GetCampaign,
    RetryFailed,
    StageRecipients,
)
from shared.contracts.contacts import ChangeConsent, RecipientRow
from shared.contracts.messaging import GetCredits
from shared.contracts.template_drafts import GetTemplate, TemplateDetails
from shared.mongo import Client, Database
from tests.campaigns.neighbours import details
from tests.emptying import empty
from tests.messaging.meta import cut, refuse
from tests.messaging.stage import NUMBER, USER, Stage, recipient, status, template
from tests.messaging.stage import stage_on as messaging_on
from tests.servers import fresh_name

OFFER = template("offer", category="MARKETING")
CAMPAIGN = "camp_1"
EVERYBODY = 16


@dataclass
class Both:
    """Campaigns and messaging on one bus."""

    messaging: Stage
    campaigns: Campaigns

    async def start(self, number: int = EVERYBODY) -> Campaign:
        """A campaign to so many recipients."""
        ask = self.messaging.bus.request
        await ask(
            CreateCampaign(
                campaign_id=CAMPAIGN,
                user_id=USER,
                phone_number_id=NUMBER,
                template_id=OFFER.template_id,
                name="Offer",
            ),
            timeout_seconds=5,
        )
        rows = tuple(
            RecipientRow(row=row, phone=recipient(row), variables={"1": f"name {row}"}) for row in range(number)
        )
        await ask(StageRecipients(campaign_id=CAMPAIGN, upload_id=CAMPAIGN, rows=rows), timeout_seconds=30)
        return await ask(FinishCreation(campaign_id=CAMPAIGN, auto_start=True), timeout_seconds=30)

    async def do(self, action: str) -> Campaign:
        """What a person does."""
        command = ControlCampaign.model_validate({"campaign_id": CAMPAIGN, "action": action})
        return await self.messaging.bus.request(command, timeout_seconds=30)

    async def look(self) -> Campaign:
        """As the API shows it."""
        return await self.messaging.bus.request(GetCampaign(campaign_id=CAMPAIGN), timeout_seconds=30)

    async def go_on(self, seconds: float = 1) -> None:
        """A while passes: tokens grow, both services do what is due."""
        await self.messaging.database["rates"].update_many({}, [{"$set": {"at": {"$subtract": ["$at", 60_000]}}}])
        self.messaging.clock.pass_time(seconds)
        await self.campaigns.dispatcher.round()
        await self.messaging.sweep()
        await self.campaigns.sweeper.sweep()
        await self.messaging.messaging.credits.ledger.sweep()

    async def finish(self) -> Campaign:
        """Until nothing changes any more."""
        for _ in range(60):
            await self.go_on(61)
            if (await self.look()).status == "COMPLETED":
                break
        await self.go_on(11)
        return await self.look()


@pytest.fixture(scope="session")
async def _both_databases(mongodb_client: Client) -> AsyncIterator[tuple[Database, Database]]:
    names = fresh_name(), fresh_name()
    yield mongodb_client[names[0]], mongodb_client[names[1]]
    for name in names:
        await mongodb_client.drop_database(name)


@pytest.fixture
async def both(_both_databases: tuple[Database, Database]) -> AsyncIterator[Both]:
    """A slow number, so that much of a batch waits at messaging."""
    for database in _both_databases:
        await empty(database)
    async with messaging_on(_both_databases[0], default_messages_per_second=5) as stage:
        await stage.know(OFFER)
        stage.bus.on(GetTemplate, _template)
        campaigns = await build(
            _both_databases[1], stage.bus, now=stage.clock, monotonic=lambda: stage.clock().timestamp()
        )
        campaigns.register()
        yield Both(stage, campaigns)


async def _template(_query: GetTemplate) -> TemplateDetails:
    return details(OFFER)


async def test_everybody_is_called_once_and_pays_one_credit_whatever_meta_answers(both: Both) -> None:
    both.messaging.meta.will(refuse(131026), cut, refuse(4), refuse(131056))
    await both.start()

    ended = await both.finish()
    calls = [call.body["to"] for call in both.messaging.meta.calls]
    await both.messaging.hear(*(status("sent", call.opaque, call.wamid) for call in both.messaging.meta.calls[1:2]))
    credits = await both.messaging.bus.request(GetCredits(user_id=USER), timeout_seconds=30)

    assert ended.counters.total == EVERYBODY
    assert ended.counters.reached + ended.counters.failed == EVERYBODY
    assert ended.counters.failed <= 2  # the refusal, and the answer that was lost
    assert len(set(calls)) == EVERYBODY
    assert len(calls) == EVERYBODY + 2  # those that Meta asked to wait with
    assert credits.total_granted == credits.total_used + credits.remaining_credits + 1  # the lost one stays reserved


async def test_after_the_answer_to_pause_meta_is_not_called_and_after_resume_everybody_is(both: Both) -> None:
    await both.start()
    await both.go_on()
    before = len(both.messaging.meta.calls)

    await both.do("pause")
    for _ in range(5):
        await both.go_on()
    paused = len(both.messaging.meta.calls)
    await both.do("resume")
    ended = await both.finish()

    assert 0 < before == paused < EVERYBODY
    assert (ended.status, ended.counters.reached) == ("COMPLETED", EVERYBODY)
    assert len({call.body["to"] for call in both.messaging.meta.calls}) == len(both.messaging.meta.calls) == EVERYBODY


async def test_after_the_answer_to_cancel_meta_is_not_called_and_the_rest_costs_nothing(both: Both) -> None:
    await both.start()
    await both.go_on()
    before = len(both.messaging.meta.calls)

    await both.do("cancel")
    for _ in range(5):
        await both.go_on(11)
    ended = await both.look()
    credits = await both.messaging.bus.request(GetCredits(user_id=USER), timeout_seconds=30)

    assert len(both.messaging.meta.calls) == before
    assert (ended.counters.reached, ended.counters.skipped, ended.counters.pending) == (before, EVERYBODY - before, 0)
    assert (credits.total_used, credits.remaining_credits) == (before, credits.total_granted - before)


async def test_who_opts_out_while_the_campaign_runs_is_not_called(both: Both) -> None:
    await both.start()
    await both.go_on()
    called = {call.body["to"] for call in both.messaging.meta.calls}
    waiting = next(recipient(row) for row in reversed(range(EVERYBODY)) if recipient(row) not in called)
    contact = await both.messaging.database["contacts"].find_one({"phone": waiting})
    assert contact is not None

    await both.messaging.bus.request(
        ChangeConsent(change_id="chg_1", contact_id=contact["_id"], opted_out=True, proof="api"), timeout_seconds=5
    )
    ended = await both.finish()

    assert waiting not in {call.body["to"] for call in both.messaging.meta.calls}
    assert (ended.status, ended.counters.skipped, ended.counters.reached) == ("COMPLETED", 1, EVERYBODY - 1)


async def test_failed_recipients_of_a_cancelled_campaign_can_be_tried_again(both: Both) -> None:
    both.messaging.meta.will(*[refuse(131026)] * 2)
    await both.start()
    await both.go_on()
    await both.do("cancel")
    for _ in range(3):
        await both.go_on(11)
    before = len(both.messaging.meta.calls)

    await both.messaging.bus.request(RetryFailed(campaign_id=CAMPAIGN), timeout_seconds=30)
    ended = await both.finish()

    assert len(both.messaging.meta.calls) == before + 2
    assert (ended.status, ended.counters.failed, ended.counters.pending) == ("COMPLETED", 0, 0)
