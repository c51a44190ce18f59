"""What a crash, a refusal or silence left behind: every message whose `wake_at` has come gets its next step.

Any number of sweepers may run; each step is conditional on the state it starts from, and each moves `wake_at`, so that
no message is looked at for ever.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from services.messaging.announcements import Announcer
from services.messaging.dispatch import Dispatcher, linger
from services.messaging.domain.messages import StoredMessage, failed_item, sent_item
from services.messaging.domain.states import DISPATCHING, FAILED, SENT, UNKNOWN, Timing, policy_for
from services.messaging.repositories.erasure import ErasureRepository
from services.messaging.repositories.groups import GroupRepository
from services.messaging.repositories.numbers import NumberRepository, SendingNumber
from services.messaging.repositories.rates import Lane, RateRepository
from services.messaging.repositories.sweeping import SweepRepository
from shared.contracts.messaging import FailedMessage
from shared.crashpoints import crash_point
from shared.ids import new_id

log = structlog.get_logger()

_ROUND = 500
_ROUNDS_AT_MOST = 20  # then the pause of the caller, so that nothing can keep a sweep busy for ever
_GROUP = 50
_GROUPS_AT_ONCE = 4
_ALL_BUSY = timedelta(seconds=1)
NUMBER_GONE = timedelta(minutes=1)  # until its messages are looked at again; its token may be void, too

Claim = Callable[[Sequence[str], str, Timing], Awaitable[list[StoredMessage]]]


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Finds messages that wait for somebody, and gives each the step its state asks for."""

    sweeps: SweepRepository
    groups: GroupRepository
    numbers: NumberRepository
    rates: RateRepository
    erasure: ErasureRepository
    dispatcher: Dispatcher
    announcer: Announcer
    timing_for: Callable[[str], Timing]
    round_size: int = _ROUND
    group_size: int = _GROUP
    groups_at_once: int = _GROUPS_AT_ONCE
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def sweep(self) -> None:
        """One round: everything that is due now."""
        if left := await self.groups.wake_due():
            log.warning("groups_opened_up", groups=left)
        for _ in range(_ROUNDS_AT_MOST):
            due = await self.sweeps.list_due(self.round_size)
            by_state: defaultdict[str, list[StoredMessage]] = defaultdict(list)
            for stored in due:
                by_state[stored.state].append(stored)
            if lost := by_state.pop(DISPATCHING, []):
                await self.sweeps.give_up_leases(_ids(lost))
                log.warning("leases_given_up", messages=len(lost))
            await self._announce_due(by_state.pop(SENT, []), by_state.pop(FAILED, []))
            await self._decide(by_state.pop(UNKNOWN, []))
            await self._send_again([stored for rest in by_state.values() for stored in rest])
            crash_point("messaging.swept")
            if len(due) < self.round_size:
                return

    async def settle(self, ids: Sequence[str]) -> None:
        """Lift open outcomes that a status has settled, tell the callers who still wait, and announce them."""
        if ids:
            await self.sweeps.lift(ids)
            sent, failed = await self.sweeps.list_by_ids(ids, SENT), await self.sweeps.list_by_ids(ids, FAILED)
            await self._announce(sent, failed)

    async def drain(self) -> None:
        """Wait for the groups that are being sent."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _announce_due(self, sent: list[StoredMessage], failed: list[StoredMessage]) -> None:
        # While the broker is away these stay due, and must not stand before everything else in each round.
        await self.sweeps.begin_announcing(_ids([*sent, *failed]))
        await self._announce(sent, failed)

    async def _announce(self, sent: list[StoredMessage], failed: list[StoredMessage]) -> None:
        await self.dispatcher.recorder.consequences.of_acceptance([stored.message for stored in sent])
        for stored in failed:
            await self.dispatcher.recorder.consequences.of_failure(stored.message)
        await self.announcer.answer_stored([*sent, *failed])
        await self.announcer.announce_sent(
            [
                sent_item(stored.message, stored.wa_message_id, stored.ended_at, held=stored.held_by_meta)
                for stored in sent
                if stored.wa_message_id is not None and stored.ended_at is not None
            ]
        )
        await self.announcer.announce_failed([_failed(stored) for stored in failed])

    async def _decide(self, unknown: list[StoredMessage]) -> None:
        """Reconcile first; only what no status has touched is subject to its class's policy."""
        await self.settle([stored.message.id for stored in unknown if stored.rank > 0])
        silent = [stored for stored in unknown if stored.rank == 0]
        if reported := [stored for stored in silent if stored.reported_unknown]:
            await self.sweeps.begin_announcing(_ids(reported))
            await self.announcer.announce_failed([_failed(stored, unknown=True) for stored in reported], UNKNOWN)
        undecided = [stored for stored in silent if not stored.reported_unknown]
        may_repeat = [s for s in undecided if s.message.resends < policy_for(s.message.message_class).max_resends]
        await self._start(await self._as_many_as_fit(may_repeat), self.sweeps.claim_resend)
        # Those that were claimed (or have to wait) are left alone by this; one too late for a repetition is not.
        await self.sweeps.report_unknown(_ids(undecided))

    async def _send_again(self, waiting: list[StoredMessage]) -> None:
        """Claim and send what is due, unless it has expired or a status tells that Meta has it."""
        await self.settle([stored.message.id for stored in waiting if stored.rank > 0])
        now = self.sweeps.now()
        expired = [stored for stored in waiting if stored.rank == 0 and stored.message.expires_at <= now]
        await self.sweeps.fail_expired(_ids(expired))
        going = [stored for stored in waiting if stored.rank == 0 and stored.message.expires_at > now]
        if going:  # what is left of people who are being erased ends here, and is not claimed
            await self.erasure.finish_for({stored.message.contact_id for stored in going})
        going.sort(key=lambda stored: stored.message.campaign_id is not None)  # a campaign's own come after the others
        await self._start(await self._within_rate(await self._as_many_as_fit(going)), self.sweeps.claim_due)

    async def _as_many_as_fit(self, wanting: list[StoredMessage]) -> list[StoredMessage]:
        """While Meta hangs, groups take long; what does not fit beside them waits a second, not the whole round."""
        room = max(0, self.groups_at_once - len(self._running)) * self.group_size
        await self.sweeps.postpone(_ids(wanting[room:]), _ALL_BUSY)
        return wanting[:room]

    async def _within_rate(self, waiting: list[StoredMessage]) -> list[StoredMessage]:
        """As many of each number's messages as its rate allows now; the others become due when there is more."""
        if not waiting:
            return []
        numbers = await self.numbers.list_sending({stored.message.phone_number_id for stored in waiting})
        by_lane: defaultdict[tuple[str, Lane], list[StoredMessage]] = defaultdict(list)
        for stored in waiting:
            by_lane[stored.message.phone_number_id, _lane_of(stored)].append(stored)
        going: list[StoredMessage] = []
        for (phone_number_id, lane), wanting in by_lane.items():
            going += await self._take(wanting, numbers.get(phone_number_id), lane)
        return going

    async def _take(
        self, wanting: list[StoredMessage], number: SendingNumber | None, lane: Lane
    ) -> list[StoredMessage]:
        if number is None or number.is_refused:  # its messages expire in their time, unless it comes back
            await self.sweeps.postpone(_ids(wanting), NUMBER_GONE)
            return []
        grant = await self.rates.take(
            number.access.phone_number_id,
            len(wanting),
            messages_per_second=number.messages_per_second,
            lane=lane,
            sweeper=self.sweeps.worker,
        )
        if not grant.is_ours:
            return []
        await self.sweeps.postpone(_ids(wanting[grant.count :]), grant.wait, grant.spacing)
        return wanting[: grant.count]

    async def _start(self, group: list[StoredMessage], claim: Claim) -> None:
        """Claim now, and send in the background: a hanging call must not hold up the round."""
        by_timing: defaultdict[Timing, list[str]] = defaultdict(list)
        for stored in group:
            by_timing[self.timing_for(stored.message.message_class)].append(stored.message.id)
        for timing, ids in by_timing.items():
            for start in range(0, len(ids), self.group_size):
                attempt_id, claiming_at = new_id("try_"), self.dispatcher.monotonic()
                claimed = await claim(ids[start : start + self.group_size], attempt_id, timing)
                task = asyncio.create_task(self._send(claimed, attempt_id, timing, claiming_at), name="swept_group")
                self._running.add(task)
                task.add_done_callback(self._finished)

    async def _send(self, claimed: list[StoredMessage], attempt_id: str, timing: Timing, claiming_at: float) -> None:
        messages = [stored.message for stored in claimed]
        numbers = await self.numbers.list_sending({message.phone_number_id for message in messages})
        started = await self.dispatcher.send_claimed(messages, numbers, attempt_id, timing, claiming_at=claiming_at)
        await linger({call for calls in started.values() for call in calls})

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("swept_group_failed", error=f"{type(error).__name__}: {error}")  # the leases bring it back


def _ids(group: Sequence[StoredMessage]) -> list[str]:
    return [stored.message.id for stored in group]


def _lane_of(stored: StoredMessage) -> Lane:
    return "campaign" if stored.message.campaign_id is not None else "one_to_one"


def _failed(stored: StoredMessage, *, unknown: bool = False) -> FailedMessage:
    failure = "outcome_unknown" if unknown else stored.failure or "failed"
    failed_at = stored.ended_at or stored.message.accepted_at
    return failed_item(stored.message, failure, stored.error, failed_at, unknown=unknown)
