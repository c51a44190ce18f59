"""The ledger on the real database, in histories that chance makes up: processes die or freeze between any two steps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pymongo.read_concern import ReadConcern

from services.messaging.domain.ledger import derived, message_entry_id
from services.messaging.domain.states import FAILED, SENT
from services.messaging.ledger import Ledger
from services.messaging.repositories.charges import ChargeRepository
from services.messaging.repositories.credits import CreditRepository
from services.messaging.repositories.groups import GroupRepository
from shared.errors import InsufficientCreditsError, NotFoundError
from shared.mongo import UNSAFE_WRITES, Database
from tests.messaging.doubles import ManualClock
from tests.messaging.stage import message_id

DEFAULT = 3
users = count(1)


class DeathError(Exception):
    """The process is gone."""


@dataclass
class Mortal:
    """The ledger's repository in a process that ends, or stands still, before its n-th step."""

    credits: CreditRepository
    steps: int | None = None
    thaws: asyncio.Event | None = None  # stands still until then, instead of dying
    is_still: asyncio.Event = field(default_factory=asyncio.Event)

    def __getattr__(self, name: str) -> Any:
        step = getattr(self.credits, name)
        return step if name == "now" else self._mortal(step)

    def _mortal(self, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            if self.steps is not None:
                self.steps -= 1
                if self.steps < 0:
                    await self._end()
            return await step(*arguments, **named)

        return call

    async def _end(self) -> None:
        if self.thaws is None:
            raise DeathError
        self.is_still.set()
        await self.thaws.wait()
        self.steps = None


class Twice(CreditRepository):
    """The mutant: takes a movement without looking whether it was taken meanwhile."""

    async def move(self, account: Any, movements: Any) -> bool:
        current = await self.find_account(account.user_id)
        return await super().move(current or account, movements)


@dataclass(frozen=True)
class Deed:
    """Something that is asked of the ledger, by a process that gets as far as `steps`."""

    what: str
    which: int
    steps: int | None
    freezes: bool


deeds = st.builds(
    Deed,
    what=st.sampled_from(
        ["reserve", "reserve", "reserve", "grant", "accept", "fail", "run", "release", "close", "sweep"]
    ),
    which=st.integers(0, 2),
    steps=st.none() | st.integers(0, 9),
    freezes=st.booleans(),
)


@dataclass
class World:
    """One user, whom several processes serve."""

    database: Database
    credits_type: type[CreditRepository]
    clock: ManualClock = field(default_factory=ManualClock)
    still: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.user = f"usr_{next(users)}"
        self.credits = self.credits_type(self.database, self.clock)
        self.charges = ChargeRepository(self.database, GroupRepository(self.database, self.clock), self.clock)
        self.granted = {f"grant:initial:{self.user}"}

    def ledger(self, credits: Any = None) -> Ledger:
        """The ledger in one process."""
        return Ledger(cast("CreditRepository", credits or self.credits), self.charges, DEFAULT)

    def message(self, which: int) -> str:
        """The id of one of the user's messages."""
        return message_id(1_000_000 * int(self.user.removeprefix("usr_")) + which)

    async def play(self, history: list[Deed]) -> None:
        """Every deed, checking after each; then all who stand still go on, and time brings the rest."""
        for deed in history:
            await self.do(deed)
            await self.check()
        for thaws, task in self.still:
            thaws.set()
            await task
            await self.check()
        for _ in range(4):
            self.clock.pass_time(400)
            await self.ledger().sweep()
            await self.check()
        await self.check_end()

    async def do(self, deed: Deed) -> None:
        """Have a process do it, or a part of it."""
        self.clock.pass_time(1)
        mortal = Mortal(self.credits, deed.steps, asyncio.Event() if deed.freezes else None)
        task = asyncio.create_task(self.attempt(deed, self.ledger(mortal)))
        waiting = asyncio.create_task(mortal.is_still.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            await task
        elif mortal.thaws is not None:
            self.still.append((mortal.thaws, task))

    async def attempt(self, deed: Deed, ledger: Ledger) -> None:
        """What a process does, as its callers see it."""
        run = f"camp_{self.user}"
        try:
            match deed.what:
                case "reserve":
                    await ledger.reserve_message(self.user, self.message(deed.which))
                case "grant":
                    await ledger.grant(self.user, f"{self.user}_{deed.which}", 2)
                case "accept":
                    if await self.is_ended(deed.which, SENT):
                        await ledger.capture_messages([self.message(deed.which)])
                case "fail":
                    if await self.is_ended(deed.which, FAILED):
                        await ledger.release_message(self.message(deed.which))
                case "run":
                    await ledger.reserve_run(self.user, run, deed.which, 2)
                case "release" | "close":
                    await ledger.release_run(self.user, run, deed.which, 1, closed=deed.what == "close")
                case _:
                    await ledger.sweep()
        except (DeathError, InsufficientCreditsError, NotFoundError):
            return

    async def is_ended(self, which: int, state: str) -> bool:
        """Whether a message ends like this; it does so once, and only one that was paid for is ever stored."""
        paid = await self.credits.list_entries([message_entry_id(self.message(which))])
        if not paid or paid[0].state == "new":
            return False
        document = {"state": state, "rank": 0, "credits_remaining": 0}
        result = await self.database["messages"].update_one(
            {"_id": self.message(which)}, {"$setOnInsert": document}, upsert=True
        )
        return result.upserted_id is not None

    async def check(self) -> None:
        """What holds at every moment."""
        account = await self.credits.find_account(self.user)
        entries = await self.credits.list_all(self.user)
        if account is None:
            return
        assert (account.granted, account.free) == derived(entries, account.applying)
        assert account.free >= 0
        for entry in entries:
            assert entry.captured + max(entry.released, entry.releasing or 0) <= entry.amount
            assert min(entry.captured, entry.released) >= 0

    async def check_end(self) -> None:
        """What holds when everything has been carried out."""
        balance = await self.ledger().get(self.user)
        entries = [entry for entry in await self.credits.list_all(self.user) if entry.state != "new"]
        ids = [self.message(which) for which in range(3)]
        sent = await self.database["messages"].count_documents({"_id": {"$in": ids}, "state": SENT})
        runs = [entry for entry in entries if entry.id.startswith("campaign:")]
        grants = sum(entry.amount for entry in entries if entry.kind == "grant")

        account = await self.credits.find_account(self.user)
        assert account is not None
        assert account.applying == frozenset()
        assert balance.total_granted == grants
        assert balance.total_used == sent
        assert balance.remaining_credits == grants - sent - sum(run.amount - run.released for run in runs)
        assert (await self.ledger().rebuild(self.user)) == (balance, balance)


def played_by_chance(database: Database, credits_type: type[CreditRepository], examples: int) -> Callable[[], None]:
    """Hypothesis in a thread of its own, each history on the loop that the database belongs to."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    @given(history=st.lists(deeds, min_size=3, max_size=10))
    def example(history: list[Deed]) -> None:
        world = World(database, credits_type)
        asyncio.run_coroutine_threadsafe(world.play(history), loop).result()

    return example


@pytest.fixture
async def quick_database(database: Database) -> Database:
    """Without the wait for the disk, of which thousands of small steps would be made; nobody pulls the plug here."""
    quick = database.with_options(write_concern=UNSAFE_WRITES, read_concern=ReadConcern("local"))
    clock = ManualClock()
    await CreditRepository(quick, clock).ensure_indexes()
    await ChargeRepository(quick, GroupRepository(quick, clock), clock).ensure_indexes()
    await quick["messages"].create_index("wake_at", partialFilterExpression={"wake_at": {"$exists": True}})
    return quick


async def test_no_history_makes_credits_or_loses_them(quick_database: Database) -> None:
    await asyncio.to_thread(played_by_chance(quick_database, CreditRepository, examples=60))


async def test_the_mutant_that_does_not_look_is_caught(quick_database: Database) -> None:
    with pytest.raises(AssertionError):
        await asyncio.to_thread(played_by_chance(quick_database, Twice, examples=200))
