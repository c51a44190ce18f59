"""A process of campaigns dies at every single thing it does; another goes on: nothing is lost, doubled or miscounted.

As with a real broker, the message that was being handled is delivered again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from services.campaigns.main import Campaigns, build
from shared.contracts.base import Message
from shared.contracts.campaigns import (
    ControlCampaign,
    CreateCampaign,
    FinishCreation,
    RetryFailed,
    StageRecipients,
)
from shared.contracts.messaging import BatchMessage
from shared.errors import WaapiError
from shared.mongo import Database
from tests.campaigns.dying import Died, DyingBus, DyingDatabase, Fate
from tests.campaigns.neighbours import CAMPAIGN, NUMBER, TEMPLATE, USER
from tests.campaigns.stage import Stage, rows, stage_on
from tests.emptying import empty

PEOPLE = 4
LONGER_THAN_ANY_LEASE = 200

CREATE = CreateCampaign(campaign_id=CAMPAIGN, user_id=USER, phone_number_id=NUMBER, template_id=TEMPLATE, name="Spring")
STAGE = StageRecipients(campaign_id=CAMPAIGN, upload_id=CAMPAIGN, rows=rows(range(1, PEOPLE + 1)))
START = FinishCreation(campaign_id=CAMPAIGN, auto_start=True)


@dataclass
class Run:
    """One process after the other, on the same database, with the same neighbours."""

    stage: Stage
    fate: Fate

    @classmethod
    async def begin(cls, database: Database, at: int) -> "Run":
        """A stage whose campaigns die at a step."""
        await empty(database)
        stage = await stage_on(database, registered=False)
        run = cls(stage, Fate(at))
        stage.campaigns = await run._process("mortal", run.fate)
        return run

    async def _process(self, worker: str, fate: Fate) -> Campaigns:
        database = DyingDatabase(self.stage.database, fate).as_database()
        bus = DyingBus(self.stage.bus, fate)
        return await build(database, bus, now=self.stage.clock, monotonic=self._seconds, worker=worker, indexes=False)

    def _seconds(self) -> float:
        return self.stage.clock().timestamp()

    async def deliver(self, message: Message) -> None:
        """The broker hands a message over, and again if the process died of it."""
        await self.survive(lambda campaigns: handlers_of(campaigns)[type(message)](message))

    async def survive(self, act: Callable[[Campaigns], Awaitable[object]]) -> None:
        """Do it; whoever dies of it is followed by another, after the leases of the dead are over."""
        try:
            await act(self.stage.campaigns)
        except Died:
            self.stage.campaigns = await self._process("heir", Fate())
            self.stage.clock.pass_time(LONGER_THAN_ANY_LEASE)
            await act(self.stage.campaigns)

    async def start(self) -> None:
        """Create and start, which nobody dies of: another story tells what would happen."""
        fate, self.fate.at = self.fate.at, 0
        for message in (CREATE, STAGE, START):
            await self.deliver(message)
        self.fate.at, self.fate.passed = fate, 0

    async def dispatch(self) -> None:
        """One round of whichever process lives, a second after the one before."""
        self.stage.clock.pass_time(1)
        await self.survive(lambda campaigns: campaigns.dispatcher.round())

    async def sweep(self, seconds: float = 6) -> None:
        """The same for the sweeper."""
        self.stage.clock.pass_time(seconds)
        await self.survive(lambda campaigns: campaigns.sweeper.sweep())

    async def answer(self, *, refused: int = 0) -> None:
        """Meta answers everything that was handed over so far, the first ones with a refusal."""
        seen: dict[str, BatchMessage] = {item.message_id: item for item in self.stage.messaging.items}
        items = list(seen.values())
        await self.survive(lambda campaigns: self.stage.fail_at(campaigns, items[:refused]))
        await self.survive(lambda campaigns: self.stage.accept_at(campaigns, items[refused:]))

    async def settle(self) -> None:
        """Let time do the rest."""
        for _ in range(4):
            await self.dispatch()
            await self.answer()
            await self.sweep(LONGER_THAN_ANY_LEASE)


def handlers_of(campaigns: Campaigns) -> dict[type[Message], Callable[..., Awaitable[object]]]:
    """What the broker would call."""
    return {
        CreateCampaign: campaigns.creation.create_campaign,
        StageRecipients: campaigns.staging.stage_recipients,
        FinishCreation: campaigns.creation.finish_creation,
        ControlCampaign: campaigns.control.control_campaign,
        RetryFailed: campaigns.control.retry_failed,
    }


async def straight_through(run: Run) -> None:
    """Created, started, sent."""
    for message in (CREATE, STAGE, START):
        await run.deliver(message)
    await run.dispatch()
    await run.answer()
    await run.sweep()


async def paused_and_resumed(run: Run) -> None:
    """Paused and resumed before anybody is sent to."""
    await run.start()
    await run.deliver(ControlCampaign(campaign_id=CAMPAIGN, action="pause"))
    assert run.stage.messaging.held[CAMPAIGN] == (True, False)
    await run.dispatch()
    assert run.stage.messaging.batches == []
    await run.deliver(ControlCampaign(campaign_id=CAMPAIGN, action="resume"))
    await run.dispatch()
    await run.answer()
    await run.sweep()


async def retried(run: Run) -> None:
    """Two fail, and are tried again."""
    await run.start()
    for _ in range(3):
        await run.dispatch()
        await run.sweep()
        await run.answer(refused=2)
    await run.deliver(RetryFailed(campaign_id=CAMPAIGN))


async def cancelled(run: Run) -> None:
    """Cancelled before anybody is sent to."""
    await run.start()
    await run.deliver(ControlCampaign(campaign_id=CAMPAIGN, action="cancel"))
    assert run.stage.messaging.held[CAMPAIGN] == (True, True)
    await run.sweep()


@pytest.fixture
async def spare(database: Database) -> Database:
    """The database with its indexes made once."""
    await build(database, (await stage_on(database)).bus)
    return database


async def steps_of(database: Database, story: Callable[[Run], Awaitable[None]]) -> int:
    run = await Run.begin(database, 0)
    await story(run)
    return run.fate.passed


async def check(run: Run, *, sent: int, messages: int, status: str) -> None:
    """Everybody once, the counters right, the credits given back, the number free, every change announced once."""
    stage, messaging = run.stage, run.stage.messaging
    campaign = await stage.look_at(stage.campaigns)
    counters = campaign.counters
    assert (campaign.status, counters.total, counters.pending) == (status, PEOPLE, 0)
    assert (counters.reached, counters.skipped) == (sent, PEOPLE - sent)
    assert len({item.message_id for item in messaging.items}) == messages
    assert messaging.holders == set()
    assert {key: closed for key, (_, closed) in messaging.released.items()} == dict.fromkeys(messaging.reserved, True)
    assert messaging.free == 1_000_000 - sent, "a credit for each who was reached, no more"
    unannounced = await stage.database["campaigns"].count_documents({"unheard.0": {"$exists": True}})
    assert unannounced == 0


STORIES = {
    "straight through": (straight_through, {"sent": 4, "messages": 4, "status": "COMPLETED"}),
    "paused and resumed": (paused_and_resumed, {"sent": 4, "messages": 4, "status": "COMPLETED"}),
    "retried": (retried, {"sent": 4, "messages": 6, "status": "COMPLETED"}),
    "cancelled": (cancelled, {"sent": 0, "messages": 0, "status": "CANCELLED"}),
}


@pytest.mark.parametrize("name", STORIES)
async def test_a_campaign_outlives_a_death_at_every_step(spare: Database, name: str) -> None:
    story, expected = STORIES[name]
    steps = await steps_of(spare, story)

    for at in range(1, steps + 1):
        run = await Run.begin(spare, at)
        try:
            await story(run)
            await run.settle()
            await check(run, **expected)  # type: ignore[arg-type]
        except (AssertionError, WaapiError) as error:
            raise AssertionError(f"died at step {at} of {steps}: {error}") from error


async def test_a_creation_whose_answer_was_lost_is_answered_alike_once_more(stage: Stage) -> None:
    await stage.create()
    first, made = await stage.add(rows([1, 2, 1])), await stage.finish()

    await stage.create()
    again = await stage.add(rows([1, 2, 1]))

    assert (again, await stage.finish()) == (first, made)
    assert await stage.states() == {"pending": 2}
