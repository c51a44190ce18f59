"""Takes turns that are due, as many at a time as configured, and keeps each claim while it works on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from services.agents.answering import Answering, OutdatedError
from services.agents.domain.turns import Turn, pause_after
from services.agents.replying import Replying
from services.agents.repositories.turns import TurnRepository
from shared.bus.context import WorkContext, working
from shared.clock import Clock
from shared.crashpoints import crash_point
from shared.errors import WaapiError
from shared.ids import new_id

log = structlog.get_logger()

POLL_SECONDS = 1.0  # for turns whose worker died, and those that another process has written down
RENEW_SECONDS = 1.0  # also how long a model goes on that another process has outdated
MOST_TRIES = 6  # to find an answer; then the customer gets the fallback text
LONGEST_SENDING = timedelta(minutes=50)  # messaging sends nothing that is an hour old


@dataclass(frozen=True, slots=True)
class Runner:
    """This process's workers."""

    turns: TurnRepository
    answering: Answering
    replying: Replying
    now: Clock
    concurrency: int
    _claims: dict[str, asyncio.Event] = field(default_factory=dict)  # set when the claim is lost
    _workers: set[asyncio.Task[None]] = field(default_factory=set)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work while the block lasts.

        On the way out models are stopped, and their turns left to other processes; what is being sent is sent.
        """
        stopping = asyncio.Event()
        taker = asyncio.create_task(self._take(stopping), name="agents.turns")
        try:
            yield
        finally:
            stopping.set()
            self._rung.set()
            await taker
            for lost in self._claims.values():
                lost.set()
            await self.idle()

    def look_at(self, due: datetime) -> None:
        """There will be something to do at `due`."""
        seconds = max(0.0, (due - self.now()).total_seconds())
        # A millisecond late rather than early: the clock is cut to milliseconds.
        asyncio.get_running_loop().call_later(seconds + 0.001, self._rung.set)

    def stop(self, attempt: str) -> None:
        """A claim is no longer good: if it is this process's, its model stops at once."""
        if attempt in self._claims:
            self._claims[attempt].set()

    async def take_due(self) -> None:
        """Begin with the turns that are due, while there is room."""
        while len(self._workers) < self.concurrency and (turn := await self.turns.claim()) is not None:
            lost = self._claims[turn.attempt] = asyncio.Event()
            worker = asyncio.create_task(self._work(turn, lost), name=turn.turn_id)
            self._workers.add(worker)
            worker.add_done_callback(partial(self._on_done, turn.attempt))

    async def idle(self) -> None:
        """Wait until nobody works."""
        while self._workers:
            await asyncio.wait(self._workers)

    async def _take(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            self._rung.clear()
            try:
                await self.take_due()
            except Exception as error:  # whatever it was, the turns are still there in a second
                log.warning("turns_not_taken", error=f"{type(error).__name__}: {error}")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._rung.wait()

    def _on_done(self, attempt: str, worker: asyncio.Task[None]) -> None:
        if len(self._workers) >= self.concurrency:
            self._rung.set()  # there is room again
        self._workers.discard(worker)
        self._claims.pop(attempt, None)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            log.error("turn_failed", exc_info=error)

    async def _work(self, turn: Turn, lost: asyncio.Event) -> None:
        with working(WorkContext(new_id("req_"), user_id=turn.user_id)):
            crash_point("agents.claimed")
            async with self._kept(turn, lost):
                try:
                    await self._finish(turn, lost)
                except OutdatedError:
                    await self.turns.postpone(turn, timedelta())  # changes nothing unless this process is stopping
                except Exception as error:  # a fault of ours, or a neighbour that is away: the same again, later
                    log.warning("turn_postponed", turn_id=turn.turn_id, error=str(error), exc_info=_is_ours(error))
                    await self.turns.postpone(turn, pause_after(turn.tries))

    async def _finish(self, turn: Turn, lost: asyncio.Event) -> None:
        answer = turn.answer
        if answer is None:
            given_up = turn.tries > MOST_TRIES
            answer = await (self.answering.give_up(turn) if given_up else self.answering.answer(turn, lost))
        elif answer.at + LONGEST_SENDING < self.now():
            log.error("answer_never_sent", turn_id=turn.turn_id)
            answer = None
        if answer is None:
            due = await self.turns.close(turn, head=None, next_after=None)
        else:
            crash_point("agents.answered")
            due = await self.replying.send(turn, answer)
            crash_point("agents.closed")
        if due is not None:  # the conversation has its next turn
            self.look_at(due)

    @asynccontextmanager
    async def _kept(self, turn: Turn, lost: asyncio.Event) -> AsyncIterator[None]:
        """Renew the claim meanwhile. Ended by a signal: a database operation is not to be cancelled."""
        done = asyncio.Event()
        keeper = asyncio.create_task(self._renew(turn, lost, done), name=f"{turn.turn_id} keeper")
        try:
            yield
        finally:
            done.set()
            await keeper

    async def _renew(self, turn: Turn, lost: asyncio.Event, done: asyncio.Event) -> None:
        while not done.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await done.wait()
                    return
            try:
                if not await self.turns.renew(turn):
                    lost.set()
                    return
            except Exception as error:  # the claim may be lost by then: every later step asks
                log.warning("claim_not_renewed", turn_id=turn.turn_id, error=str(error))


def _is_ours(error: Exception) -> bool:
    return not isinstance(error, WaapiError)
