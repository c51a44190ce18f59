"""The send protocol: claim, intent, call, record, announce — each step once for a whole group.

The order is the promise. Whatever dies between two lines leaves every message in a state that the sweeper understands:

1. take rate tokens and do all that may refuse, before the first write;
2. claim: stored as ours, nothing posted;
3. intent: stored before the first byte leaves; from here on a message is never posted again by mistake;
4. post, and record what was seen, waves of finished calls together, stragglers later;
5. answer callers, announce, and only then forget that an announcement was due.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from services.messaging.clients.meta import MetaClient
from services.messaging.domain.messages import OutboundMessage
from services.messaging.domain.results import judge
from services.messaging.domain.states import Timing
from services.messaging.recording import Finished, Recorder
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.numbers import SendingNumber
from shared.crashpoints import crash_point
from shared.ids import new_id
from shared.insist import insist
from shared.sealing import KeyRing, SealingError

log = structlog.get_logger()

_NO_ACCESS = timedelta(minutes=1)  # until a number is looked for again that is gone, or whose token does not open

Calls = set[asyncio.Task[Finished]]


@dataclass(frozen=True, slots=True)
class _Access:
    """How a number's messages are posted; the token is open only here."""

    meta_phone_number_id: str
    authorization: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Walks groups of rendered messages of one timing through the protocol."""

    messages: MessageRepository
    meta: MetaClient
    recorder: Recorder
    keys: KeyRing
    monotonic: Callable[[], float] = time.monotonic
    _recording: set[asyncio.Task[None]] = field(default_factory=set)

    async def send_new(
        self,
        group: Sequence[OutboundMessage],
        numbers: dict[str, SendingNumber],
        timing: Timing,
        *,
        settle_seconds: float,
    ) -> set[str]:
        """Claim and send messages that are not stored yet; returns the ids that were ours.

        Returns after the first results have been recorded (see `_record_waves`): by then the documents are the truth.
        """
        attempt_id = new_id("try_")
        once = {message.id: message for message in group}  # the same message twice in a group is one message
        claimed = await insist(lambda: self.messages.claim_new(list(once.values()), attempt_id, timing))
        crash_point("messaging.claimed")
        mine = [message for message in once.values() if message.id in claimed]
        await self.send_claimed(mine, numbers, attempt_id, timing, settle_seconds=settle_seconds)
        return claimed

    async def send_claimed(
        self,
        group: Sequence[OutboundMessage],
        numbers: dict[str, SendingNumber],
        attempt_id: str,
        timing: Timing,
        *,
        settle_seconds: float,
    ) -> None:
        """Carry claimed messages through intent, call and record."""
        accesses = self._open_accesses(numbers)
        going = [message for message in group if message.phone_number_id in accesses]
        await self._give_back([message.id for message in group if message.phone_number_id not in accesses], attempt_id)
        if not going:
            return
        started = self.monotonic()
        ids = [message.id for message in going]
        intended = await insist(lambda: self.messages.intend(ids, attempt_id, timing))
        crash_point("messaging.intended")
        if self.monotonic() - started > timing.guard_seconds:
            # Too much of the lease has passed: somebody may soon take these for lost. Nothing was posted.
            await insist(lambda: self.messages.withdraw(ids, attempt_id))
            log.warning("intent_withdrawn", messages=len(intended))
            return
        calls = {
            asyncio.create_task(self._call(message.next_attempt(), accesses[message.phone_number_id], timing))
            for message in going
            if message.id in intended
        }
        await self._record_waves(calls, attempt_id, settle_seconds)

    async def drain(self) -> None:
        """Wait for the calls that outlived their group."""
        while self._recording:
            await asyncio.gather(*self._recording, return_exceptions=True)

    def _open_accesses(self, numbers: dict[str, SendingNumber]) -> dict[str, _Access]:
        """Open the tokens before the intent: afterwards a failure would look like a call whose answer was lost."""
        accesses = {}
        for phone_number_id, number in numbers.items():
            access = number.access
            try:
                token = self.keys.open(access.sealed_access_token, owner_id=phone_number_id, field="access_token")
            except SealingError as error:
                log.warning("token_not_opened", phone_number_id=phone_number_id, error=str(error))
                continue
            accesses[phone_number_id] = _Access(access.meta_phone_number_id, f"Bearer {token}")
        return accesses

    async def _give_back(self, ids: list[str], attempt_id: str) -> None:
        if ids:
            due_at = self.messages.now() + _NO_ACCESS
            await insist(lambda: self.messages.release(ids, attempt_id, due_at))

    async def _call(self, message: OutboundMessage, access: _Access, timing: Timing) -> Finished:
        observation = await self.meta.send(
            access.meta_phone_number_id,
            access.authorization,
            message.posted_body(),
            timeout_seconds=timing.http_timeout_seconds,
        )
        crash_point("messaging.posted")
        return message, judge(observation, tries=message.tries, is_resent=message.resends > 0)

    async def _record_waves(self, calls: Calls, attempt_id: str, settle_seconds: float) -> None:
        """Record finished calls together, in a task of its own; return after the first wave.

        So one hanging call does not hold the group's place in the queue, and a group that is cut short when the
        service stops loses no result.
        """
        if not calls:
            return
        first_wave: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._record_all(calls, attempt_id, settle_seconds, first_wave), name="record")
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.wait({task, first_wave}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()

    async def _record_all(
        self, calls: Calls, attempt_id: str, settle_seconds: float, first_wave: asyncio.Future[None]
    ) -> None:
        while calls:
            done, calls = await _next_wave(calls, settle_seconds)
            try:
                await self.recorder.record([task.result() for task in done], attempt_id)
            except Exception:  # the next waves must not be lost with this one
                # Its documents say DISPATCHING; when the lease ends, the sweeper takes them for unknown.
                log.exception("results_not_recorded", results=len(done))
            if not first_wave.done():
                first_wave.set_result(None)


async def _next_wave(calls: Calls, settle_seconds: float) -> tuple[Calls, Calls]:
    """The calls that come back first, with those that come soon after; and the others."""
    done, pending = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    if pending:
        more, pending = await asyncio.wait(pending, timeout=settle_seconds)
        done |= more
    return done, pending
