"""The protocol's steps on the real database, in histories that chance makes up: workers die or freeze anywhere."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pymongo.read_concern import ReadConcern

from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.results import (
    Accepted,
    Answered,
    Failed,
    Lost,
    NotConnected,
    Observation,
    Postponed,
    Refused,
    Unknown,
    judge,
)
from services.messaging.domain.states import DISPATCHING, GROUPED, QUEUED
from services.messaging.repositories.groups import GroupRepository
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.statuses import StatusRepository
from services.messaging.repositories.sweeping import SweepRepository
from services.messaging.settings import Settings
from shared.clock import utc_now
from shared.contracts.messaging import MetaError
from shared.ids import new_id
from shared.mongo import UNSAFE_WRITES, Database
from tests.messaging.doubles import NOON, ManualClock
from tests.messaging.stage import MASTER_KEYS, message_id, status

SETTINGS = Settings.model_validate({"master_keys": MASTER_KEYS})
ANSWERS: dict[str, tuple[bool, Observation]] = {  # whether Meta acts, and what is seen
    "accepts": (True, Answered("wamid.A")),
    "acts, and its answer is lost": (True, Lost("cut")),
    "never hears of it, and nobody can tell": (False, Lost("cut")),
    "refuses": (False, Refused(MetaError(message="no", code=131026))),
    "asks to wait": (False, Refused(MetaError(message="slow", code=130429))),
    "is not reached": (False, NotConnected("refused")),
}
numbers = count(1)


@dataclass(frozen=True)
class Round:
    """A worker gets hold of the message if it can, and goes as far as `reach`; then it dies, or freezes."""

    seconds: int  # that have passed since the round before
    reach: str
    meta: str
    thaws: bool  # who froze before this round records its result now
    is_heard_of: bool  # Meta's status comes before this round


rounds = st.builds(
    Round,
    seconds=st.sampled_from([1, 20, 40, 130, 700, 4000]),
    reach=st.sampled_from(["claimed", "intended", "posted", "recorded"]),
    meta=st.sampled_from(sorted(ANSWERS)),
    thaws=st.booleans(),
    is_heard_of=st.sampled_from([False, False, True]),
)


class RequeueingSweeps(SweepRepository):
    """The mutant: takes an intent whose worker is gone for one that was not carried out."""

    async def give_up_leases(self, ids: list[str]) -> None:  # type: ignore[override]
        now = self.now()
        await self._messages.update_many(
            self._due(ids, [DISPATCHING], now), {"$set": {"state": QUEUED, "wake_at": now}}
        )


@dataclass
class World:
    """One message, the repositories that move it, and what Meta knows of it."""

    database: Database
    message: OutboundMessage
    sweeps_type: type[SweepRepository] = SweepRepository
    is_grouped: bool = False  # whether the first attempt is that of a group with a document of its own
    clock: ManualClock = field(default_factory=ManualClock)
    frozen: list[tuple[str, Observation]] = field(default_factory=list)
    acted: list[int] = field(default_factory=list)  # the attempts that Meta acted on

    def __post_init__(self) -> None:
        self.messages = MessageRepository(self.database, "worker", self.clock)
        self.sweeps = self.sweeps_type(self.database, "worker", self.clock)
        self.groups = GroupRepository(self.database, self.clock)
        self.statuses = StatusRepository(self.database, self.clock)
        self.ids = [self.message.id]
        self.timing = SETTINGS.timing_for(self.message.message_class)

    async def play(self, history: list[Round]) -> None:
        """Every round, checking after each; then whatever time and statuses still bring."""
        for each in history:
            self.clock.pass_time(each.seconds)
            if each.is_heard_of:
                await self.hear()
            if each.thaws and self.frozen:
                await self.record(*self.frozen.pop())
            await self.work(each)
            await self.check()
        for _ in range(3):
            self.clock.pass_time(5000)
            await self.keep_house()
        await self.hear()
        await self.check_end()

    async def keep_house(self) -> None:
        """The steps of a sweep that post nothing."""
        await self.groups.wake_due()
        for step in (self.sweeps.lift, self.sweeps.give_up_leases, self.sweeps.fail_expired):
            await step(self.ids)

    async def work(self, each: Round) -> None:
        """One worker's attempt."""
        attempt_id = new_id("try_")
        await self.keep_house()
        is_first = await self.claim_new(attempt_id)
        if not is_first:
            claimed = await self.sweeps.claim_due(self.ids, attempt_id, self.timing)
            if not (claimed or await self.sweeps.claim_resend(self.ids, attempt_id, self.timing)):
                return
        if each.reach == "claimed" or not await self.intend(attempt_id, is_first=is_first):
            return
        if each.reach == "intended":
            return
        acts, observation = ANSWERS[each.meta]
        if acts:
            stored = await self.messages.find(self.message.id)
            is_counted_by_group = stored is not None and stored.state == GROUPED
            self.acted.append(stored.message.attempt + is_counted_by_group if stored else 0)
        if each.reach == "posted":
            self.frozen.append((attempt_id, observation))
        else:
            await self.record(attempt_id, observation)

    async def claim_new(self, attempt_id: str) -> bool:
        """Whether the message was not stored yet."""
        if not self.is_grouped:
            return bool(await self.messages.claim_new([self.message], attempt_id, self.timing))
        await self.groups.begin(attempt_id, [self.message], self.timing, "worker")
        return bool(await self.messages.claim_grouped([self.message], attempt_id))

    async def intend(self, attempt_id: str, *, is_first: bool) -> bool:
        """Whether the message may be posted; what a sweeper claims is in no group any more."""
        if self.is_grouped and is_first:
            return await self.groups.intend(attempt_id) is not None
        return bool(await self.messages.intend(self.ids, attempt_id))

    async def record(self, attempt_id: str, observation: Observation) -> None:
        """As the recorder does."""
        stored = await self.messages.find(self.message.id)
        assert stored is not None
        match judge(observation, tries=0, is_resent=stored.message.resends > 0):
            case Accepted(wa_message_id=wamid):
                await self.messages.record_accepted({self.message.id: wamid}, (), {attempt_id: self.clock()})
            case Failed() as verdict:
                await self.messages.record_failed(self.message.id, attempt_id, verdict)
            case Postponed() as verdict:
                await self.messages.record_postponed(self.message, attempt_id, verdict)
            case Unknown() as verdict:
                await self.messages.record_unknown(self.message, attempt_id, verdict)

    async def hear(self) -> None:
        """Meta tells of every attempt it acted on."""
        for attempt in self.acted:
            sent = status("sent", f"w1:{self.message.id}:{attempt}", f"wamid.{attempt}")
            await self.statuses.raise_ranks({self.message.id: [sent]})
        await self.sweeps.lift(self.ids)

    async def check(self) -> None:
        """What holds at every moment."""
        stored = await self.messages.find(self.message.id)
        resends = stored.message.resends if stored else 0
        assert len(self.acted) <= 1 + resends
        assert resends <= (1 if self.message.message_class == "authentication" else 0)
        if stored is not None and stored.state == "SENT":
            assert self.acted

    async def check_end(self) -> None:
        """What holds when nothing more can come."""
        await self.check()
        stored = await self.messages.find(self.message.id)
        if stored is not None:
            assert stored.state == "SENT" if self.acted else stored.state in {"FAILED", "UNKNOWN"}


async def play(
    database: Database, sweeps_type: type[SweepRepository], history: list[Round], *, is_code: bool, is_grouped: bool
) -> None:
    """A fresh message lives through a history."""
    number = next(numbers)
    message = OutboundMessage(
        id=message_id(number),
        user_id="usr_1",
        phone_number_id="pn_1",
        conversation_id=None,
        contact_id="contact_1",
        to="+919876543210",
        type="template",
        message_class="authentication" if is_code else "marketing",
        source="campaign",
        payload=b"{}",
        accepted_at=NOON,
        expires_at=NOON + timedelta(hours=1),
    )
    await World(database, message, sweeps_type, is_grouped).play(history)


def played_by_chance(database: Database, sweeps_type: type[SweepRepository], examples: int) -> Callable[[], None]:
    """Hypothesis in a thread of its own, each history on the loop that the database belongs to."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    @given(history=st.lists(rounds, min_size=1, max_size=6), is_code=st.booleans(), is_grouped=st.booleans())
    def example(history: list[Round], is_code: bool, is_grouped: bool) -> None:
        played = play(database, sweeps_type, history, is_code=is_code, is_grouped=is_grouped)
        asyncio.run_coroutine_threadsafe(played, loop).result()

    return example


@pytest.fixture
async def quick_database(database: Database) -> Database:
    """Without the wait for the disk, of which thousands of small steps would be made; nobody pulls the plug here."""
    quick = database.with_options(write_concern=UNSAFE_WRITES, read_concern=ReadConcern("local"))
    await MessageRepository(quick, "worker", utc_now).ensure_indexes()
    await GroupRepository(quick, utc_now).ensure_indexes()
    return quick


async def test_no_history_loses_a_message_or_calls_meta_more_often_than_declared(quick_database: Database) -> None:
    await asyncio.to_thread(played_by_chance(quick_database, SweepRepository, examples=40))


async def test_the_mutant_that_requeues_an_intent_is_caught(quick_database: Database) -> None:
    with pytest.raises(AssertionError):
        await asyncio.to_thread(played_by_chance(quick_database, RequeueingSweeps, examples=40))
