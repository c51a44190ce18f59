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
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from services.messaging.announcements import Announcer
from services.messaging.clients.meta import MetaClient
from services.messaging.domain.messages import OutboundMessage, failed_item, sent_item
from services.messaging.domain.results import Accepted, Failed, Postponed, Unknown, Verdict, judge
from services.messaging.domain.states import Timing
from services.messaging.repositories.messages import MessageRepository
from services.messaging.repositories.numbers import SendingNumber
from shared.crashpoints import crash_point
from shared.ids import new_id
from shared.insist import insist
from shared.sealing import KeyRing

log = structlog.get_logger()

Finished = tuple[OutboundMessage, Verdict]


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Walks groups of rendered messages of one timing through the protocol."""

    messages: MessageRepository
    meta: MetaClient
    announcer: Announcer
    keys: KeyRing
    _stragglers: set[asyncio.Task[None]] = field(default_factory=set)

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
        claimed = await insist(lambda: self.messages.claim_new(group, attempt_id, timing))
        crash_point("messaging.claimed")
        mine = [message for message in group if message.id in claimed]
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
        if not group:
            return
        started = time.monotonic()
        ids = [message.id for message in group]
        intended = await insist(lambda: self.messages.intend(ids, attempt_id, timing))
        crash_point("messaging.intended")
        if time.monotonic() - started > timing.guard_seconds:
            # Too much of the lease has passed: somebody may soon take these for lost. Nothing was posted.
            await insist(lambda: self.messages.withdraw(ids, attempt_id))
            log.warning("intent_withdrawn", messages=len(intended))
            return
        going = [message.next_attempt() for message in group if message.id in intended]
        calls = self._start_calls(going, numbers, timing)
        await self._record_waves(calls, attempt_id, timing, settle_seconds)

    async def drain(self) -> None:
        """Wait for the calls that outlived their group."""
        while self._stragglers:
            await asyncio.gather(*self._stragglers, return_exceptions=True)

    def _start_calls(
        self, group: Sequence[OutboundMessage], numbers: dict[str, SendingNumber], timing: Timing
    ) -> set[asyncio.Task[Finished]]:
        tokens = {id_: self._authorization(number) for id_, number in numbers.items()}
        return {
            asyncio.create_task(
                self._call(
                    message,
                    numbers[message.phone_number_id].access.meta_phone_number_id,
                    tokens[message.phone_number_id],
                    timing,
                )
            )
            for message in group
        }

    def _authorization(self, number: SendingNumber) -> str:
        access = number.access
        token = self.keys.open(access.sealed_access_token, owner_id=access.phone_number_id, field="access_token")
        return f"Bearer {token}"

    async def _call(self, message: OutboundMessage, meta_id: str, authorization: str, timing: Timing) -> Finished:
        observation = await self.meta.send(
            meta_id, authorization, message.posted_body(), timeout_seconds=timing.http_timeout_seconds
        )
        crash_point("messaging.posted")
        return message, judge(observation, tries=message.tries)

    async def _record_waves(
        self, calls: set[asyncio.Task[Finished]], attempt_id: str, timing: Timing, settle_seconds: float
    ) -> None:
        """Record finished calls together. After the first wave the rest follows on its own, so that one hanging call
        does not hold the group's place in the queue.
        """
        pending = await self._record_next_wave(calls, attempt_id, settle_seconds)
        if pending:
            task = asyncio.create_task(self._record_rest(pending, attempt_id, settle_seconds), name="stragglers")
            self._stragglers.add(task)
            task.add_done_callback(self._forget)

    async def _record_rest(self, pending: set[asyncio.Task[Finished]], attempt_id: str, settle_seconds: float) -> None:
        while pending:
            pending = await self._record_next_wave(pending, attempt_id, settle_seconds)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._stragglers.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Their documents say DISPATCHING; when the lease ends, the sweeper takes them for unknown.
            log.error("results_not_recorded", error=f"{type(error).__name__}: {error}")

    async def _record_next_wave(
        self, calls: set[asyncio.Task[Finished]], attempt_id: str, settle_seconds: float
    ) -> set[asyncio.Task[Finished]]:
        done, pending = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            more, pending = await asyncio.wait(pending, timeout=settle_seconds)
            done |= more
        await self._record([task.result() for task in done], attempt_id)
        return pending

    async def _record(self, finished: list[Finished], attempt_id: str) -> None:
        accepted = [(message, verdict.wa_message_id) for message, verdict in finished if isinstance(verdict, Accepted)]
        if accepted:
            wamids = {message.id: wa_message_id for message, wa_message_id in accepted}
            accepted_at = await insist(lambda: self.messages.record_accepted(wamids, attempt_id))
        failed = []
        for message, verdict in finished:
            match verdict:
                case Failed():
                    failed_at = await insist(partial(self.messages.record_failed, message.id, attempt_id, verdict))
                    failed.append(failed_item(message, f"meta_{verdict.error.code}", verdict.error, failed_at))
                    await self.announcer.answer_failed(message, verdict.error)
                case Postponed():
                    await insist(partial(self.messages.record_postponed, message.id, attempt_id, verdict))
                case Unknown():
                    await insist(partial(self.messages.record_unknown, message, attempt_id, verdict))
                    await self.announcer.answer_unknown(message, verdict)
        crash_point("messaging.recorded")
        if accepted:
            await self.announcer.answer_sent(accepted)
            await self.announcer.announce_sent([sent_item(m, wamid, accepted_at) for m, wamid in accepted])
        if failed:
            await self.announcer.announce_failed(failed)
