"""What a crash, a refusal or silence left behind: every message whose `wake_at` has come gets its next step.

Any number of sweepers may run; each step is conditional on the state it starts from.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from services.messaging.announcements import Announcer
from services.messaging.dispatch import Dispatcher
from services.messaging.domain.messages import StoredMessage, failed_item, sent_item
from services.messaging.domain.states import DISPATCHING, FAILED, SENT, UNKNOWN, Timing, policy_for
from services.messaging.repositories.numbers import NumberRepository
from services.messaging.repositories.rates import RateRepository
from services.messaging.repositories.sweeping import SweepRepository
from shared.contracts.messaging import FailedMessage
from shared.crashpoints import crash_point
from shared.ids import new_id

log = structlog.get_logger()

_ROUND = 500
_GROUP = 50
_SETTLE_SECONDS = 0.25
_GROUPS_AT_ONCE = 4
_NUMBER_GONE = timedelta(minutes=1)

Claim = Callable[[Sequence[str], str, Timing], Awaitable[list[StoredMessage]]]


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Finds messages that wait for somebody, and gives each the step its state asks for."""

    sweeps: SweepRepository
    numbers: NumberRepository
    rates: RateRepository
    dispatcher: Dispatcher
    announcer: Announcer
    timing_for: Callable[[str], Timing]
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def sweep(self) -> None:
        """One round: everything that is due now."""
        while True:
            due = await self.sweeps.list_due(_ROUND)
            by_state: defaultdict[str, list[StoredMessage]] = defaultdict(list)
            for stored in due:
                by_state[stored.state].append(stored)
            if lost := by_state.pop(DISPATCHING, []):
                await self.sweeps.give_up_leases(_ids(lost))
                log.warning("leases_given_up", messages=len(lost))
            await self._announce(by_state.pop(SENT, []), by_state.pop(FAILED, []))
            await self._settle_unknown(by_state.pop(UNKNOWN, []))
            await self._send_again([stored for rest in by_state.values() for stored in rest])
            crash_point("messaging.swept")
            if len(due) < _ROUND:
                return

    async def settle(self, ids: Sequence[str]) -> None:
        """Lift unknown outcomes that a status has settled, tell the callers who still wait, and announce them."""
        await self.sweeps.lift_unknown(ids)
        lifted = await self.sweeps.list_by_ids(ids, SENT)
        failed = await self.sweeps.list_by_ids(ids, FAILED)
        for stored in (*lifted, *failed):
            await self.announcer.answer_stored(stored)
        await self._announce(lifted, failed)

    async def drain(self) -> None:
        """Wait for the groups that are being sent."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _announce(self, sent: list[StoredMessage], failed: list[StoredMessage]) -> None:
        if sent:
            items = [
                sent_item(stored.message, stored.wa_message_id, stored.ended_at)
                for stored in sent
                if stored.wa_message_id is not None and stored.ended_at is not None
            ]
            await self.announcer.announce_sent(items)
        if failed:
            await self.announcer.announce_failed([_failed(stored) for stored in failed])

    async def _settle_unknown(self, unknown: list[StoredMessage]) -> None:
        """Reconcile first; only what no status has touched is subject to its class's policy."""
        if not unknown:
            return
        await self.settle([stored.message.id for stored in unknown if stored.rank > 0])
        silent = [stored for stored in unknown if stored.rank == 0]
        reported = [stored for stored in silent if stored.reported_unknown]
        if reported:
            items = [_failed(stored, unknown=True) for stored in reported]
            await self.announcer.announce_failed(items, UNKNOWN)
        undecided = [stored for stored in silent if not stored.reported_unknown]
        again = [s for s in undecided if s.message.resends < policy_for(s.message.message_class).max_resends]
        await self._start(again, self.sweeps.claim_resend)
        await self.sweeps.report_unknown(_ids([stored for stored in undecided if stored not in again]))

    async def _send_again(self, waiting: list[StoredMessage]) -> None:
        if not waiting:
            return
        await self.sweeps.fail_expired(_ids(waiting))
        await self._start(await self._within_rate(waiting), self.sweeps.claim_due)

    async def _within_rate(self, waiting: list[StoredMessage]) -> list[StoredMessage]:
        """As many of each number's messages as its rate allows now; the others become due when there is more."""
        numbers = await self.numbers.list_sending({stored.message.phone_number_id for stored in waiting})
        by_number: defaultdict[str, list[StoredMessage]] = defaultdict(list)
        for stored in waiting:
            by_number[stored.message.phone_number_id].append(stored)
        going: list[StoredMessage] = []
        for phone_number_id, wanting in by_number.items():
            number = numbers.get(phone_number_id)
            if number is None:  # its messages expire in their time, unless it comes back
                await self.sweeps.postpone(_ids(wanting), _NUMBER_GONE)
                continue
            grant = await self.rates.take(
                phone_number_id, len(wanting), messages_per_second=number.messages_per_second, lane="one_to_one"
            )
            going += wanting[: grant.count]
            await self.sweeps.postpone(_ids(wanting[grant.count :]), grant.wait)
        return going

    async def _start(self, group: list[StoredMessage], claim: Claim) -> None:
        """Claim now, and send in the background: a hanging call must not hold up the round."""
        by_timing: defaultdict[Timing, list[str]] = defaultdict(list)
        for stored in group:
            by_timing[self.timing_for(stored.message.message_class)].append(stored.message.id)
        for timing, ids in by_timing.items():
            for start in range(0, len(ids), _GROUP):
                if len(self._running) >= _GROUPS_AT_ONCE:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                attempt_id = new_id("try_")
                claimed = await claim(ids[start : start + _GROUP], attempt_id, timing)
                task = asyncio.create_task(self._send(claimed, attempt_id, timing), name="swept_group")
                self._running.add(task)
                task.add_done_callback(self._finished)

    async def _send(self, claimed: list[StoredMessage], attempt_id: str, timing: Timing) -> None:
        messages = [stored.message for stored in claimed]
        numbers = await self.numbers.list_sending({message.phone_number_id for message in messages})
        await self.dispatcher.send_claimed(messages, numbers, attempt_id, timing, settle_seconds=_SETTLE_SECONDS)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("swept_group_failed", error=f"{type(error).__name__}: {error}")  # the leases bring it back


def _ids(group: Sequence[StoredMessage]) -> list[str]:
    return [stored.message.id for stored in group]


def _failed(stored: StoredMessage, *, unknown: bool = False) -> FailedMessage:
    failure = "outcome_unknown" if unknown else stored.failure or "failed"
    failed_at = stored.ended_at or stored.message.accepted_at
    return failed_item(stored.message, failure, stored.error, failed_at, unknown=unknown)
