"""Writing down what calls to Meta showed, and telling those who wait for it.

Everything is recorded before anybody is told: while the broker is away telling takes long, and a result that is not
stored by the end of its lease counts as unknown. Results that come while others are being written are written together.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from services.messaging.announcements import Announcer, Answer
from services.messaging.consequences import Consequences
from services.messaging.domain.messages import OutboundMessage, failed_item, outcome, queued_item, sent_item
from services.messaging.domain.results import Accepted, Failed, Postponed, Unknown, Verdict
from services.messaging.groups import Group
from services.messaging.repositories.messages import MessageRepository
from shared.contracts.messaging import FailedMessage, QueuedMessage, SentMessage
from shared.crashpoints import crash_point
from shared.gathering import Gathering
from shared.insist import insist

log = structlog.get_logger()

_ANNOUNCE_EVERY_SECONDS = 0.05  # the caller has his answer; listeners may hear of several at once
_RECORD_EVERY_SECONDS = 0.02  # where nobody waits; a crash leaves what was not recorded for a status to settle
_TOGETHER = 100  # results in one write, and events in one message

Item = SentMessage | QueuedMessage | FailedMessage


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of a result: to whoever waits for the message, and to everybody."""

    answer: Answer | None = None
    item: Item | None = None
    is_recorded: bool = True


_NOTHING = Told()
_LOST = Told(is_recorded=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt's call to Meta means."""

    message: OutboundMessage
    verdict: Verdict
    attempt_id: str
    sealed_access_token: str = ""  # the one that was used
    group: Group | None = None  # whose document holds lease and intent, and the duty to announce

    @property
    def intended_at(self) -> datetime | None:
        """When the intent was stored, where only the group's document says so."""
        return self.group.intended_at if self.group is not None else None


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records verdicts, all accepted ones of a write in one update."""

    messages: MessageRepository
    announcer: Announcer
    consequences: Consequences
    _recording: Gathering[Result, Told] = field(init=False)
    _campaigns: Gathering[Result, Told] = field(init=False)  # of their own: nobody who waits stands behind them
    _announcing: Gathering[Item, None] = field(init=False)
    _announcing_groups: Gathering[SentMessage, None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_recording", Gathering(self._record, limit=_TOGETHER))
        campaigns = Gathering(self._record, limit=_TOGETHER, pause_seconds=_RECORD_EVERY_SECONDS)
        object.__setattr__(self, "_campaigns", campaigns)
        object.__setattr__(
            self, "_announcing", Gathering(self._announce, limit=_TOGETHER, pause_seconds=_ANNOUNCE_EVERY_SECONDS)
        )
        announcing = Gathering(self._announce_grouped, limit=_TOGETHER, pause_seconds=_ANNOUNCE_EVERY_SECONDS)
        object.__setattr__(self, "_announcing_groups", announcing)

    async def record(self, result: Result) -> None:
        """Store what became of a call, answer who waits for it, and announce it.

        Answering is each call's own business: while the broker is away it takes seconds, and the next results must not
        wait for their record that long.
        """
        recording = self._recording if result.message.campaign_id is None else self._campaigns
        told = await recording.add(result)
        if told.answer is not None:
            await self.announcer.answer([told.answer])
        if result.group is not None and isinstance(told.item, SentMessage):
            await self._announcing_groups.add(told.item)
        elif told.item is not None:
            await self._announcing.add(told.item)
        if result.group is not None and told.is_recorded:
            result.group.done(result.message.id)

    async def drained(self) -> None:
        """Wait until everything is recorded and announced."""
        await self._recording.drained()
        await self._campaigns.drained()
        await self._announcing.drained()
        await self._announcing_groups.drained()

    async def _record(self, results: Sequence[Result]) -> list[Told]:
        """Store a group of results; returns what is to be told of each."""
        accepted = [result for result in results if isinstance(result.verdict, Accepted)]
        others = [result for result in results if not isinstance(result.verdict, Accepted)]
        sent, *rest = await asyncio.gather(
            self._record_accepted(accepted), *map(self._record_other, others), return_exceptions=True
        )
        told: dict[str, Told] = _unless_lost(sent, accepted) or {}
        for result, outcome_of_other in zip(others, rest, strict=True):
            told[result.message.id] = _unless_lost(outcome_of_other, [result]) or _LOST
        crash_point("messaging.recorded")
        return [told.get(result.message.id, _LOST) for result in results]

    async def _record_accepted(self, results: Sequence[Result]) -> dict[str, Told]:
        wamids = {each.message.id: each.verdict.wa_message_id for each in results if isinstance(each.verdict, Accepted)}
        if not wamids:
            return {}
        held = {each.message.id for each in results if isinstance(each.verdict, Accepted) and each.verdict.held}
        intended_at = {result.attempt_id: result.intended_at for result in results if result.intended_at is not None}
        sent_at = await insist(lambda: self.messages.record_accepted(wamids, held, intended_at))
        await insist(lambda: self.consequences.of_acceptance([result.message for result in results]))
        told: dict[str, Told] = {}
        for message in (result.message for result in results):
            wa_message_id = wamids[message.id]
            waits = message.reply is not None
            answer = (message.reply, outcome(message, "sent", wa_message_id=wa_message_id)) if waits else None
            told[message.id] = Told(answer, sent_item(message, wa_message_id, sent_at, held=message.id in held))
        return told

    async def _record_other(self, result: Result) -> Told:
        """Record one outcome that is no acceptance; what is to be told of it now, if anything."""
        message, attempt_id, intended_at = result.message, result.attempt_id, result.intended_at
        match result.verdict:
            case Failed(error=error) as verdict:
                await insist(partial(self.consequences.of_refusal, message, error, result.sealed_access_token))
                failed_at = await insist(
                    partial(self.messages.record_failed, message.id, attempt_id, verdict, intended_at)
                )
                await insist(partial(self.consequences.of_failure, message))
                if failed_at is not None:
                    failure = f"meta_{error.code}"
                    told = outcome(message, "failed", error=error, failure=failure)
                    return Told((message.reply, told), failed_item(message, failure, error, failed_at))
            case Postponed() as verdict:
                await insist(partial(self.consequences.of_postponement, message, verdict.error))
                await insist(partial(self.messages.record_postponed, message, attempt_id, verdict, intended_at))
                if message.attempt <= 1:  # listeners know from the first time that it waits
                    return Told(item=queued_item(message, verdict.reason, self.messages.now()))
            case Unknown(error=error) as verdict:
                await insist(partial(self.messages.record_unknown, message, attempt_id, verdict, intended_at))
                if error is not None:  # Meta has spoken; other unknowns may still be settled while the caller waits
                    told = outcome(message, "failed", error=error, more_warnings=("outcome_unknown",))
                    return Told((message.reply, told))
        return _NOTHING

    async def _announce(self, items: Sequence[Item]) -> list[None]:
        await self.announcer.announce_sent([item for item in items if isinstance(item, SentMessage)])
        await self.announcer.announce_queued([item for item in items if isinstance(item, QueuedMessage)])
        await self.announcer.announce_failed([item for item in items if isinstance(item, FailedMessage)])
        return [None] * len(items)

    async def _announce_grouped(self, items: Sequence[SentMessage]) -> list[None]:
        await self.announcer.announce_grouped(items)
        return [None] * len(items)


def _unless_lost(recorded: Any, results: Sequence[Result]) -> Any:
    """What recording returned; a failure takes no other result with it.

    The documents say DISPATCHING (or GROUPED) then; when the lease ends, the sweeper takes them for unknown.
    """
    if not isinstance(recorded, BaseException):
        return recorded
    if not isinstance(recorded, Exception):
        raise recorded
    log.error("results_not_recorded", results=len(results), exc_info=recorded)
    return None
