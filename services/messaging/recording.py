"""Writing down what calls to Meta showed, and telling those who wait for it.

Everything is recorded before anybody is told: while the broker is away telling takes long, and a result that is not
stored by the end of its lease counts as unknown.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from services.messaging.announcements import Announcer, Answer
from services.messaging.domain.messages import OutboundMessage, failed_item, outcome, sent_item
from services.messaging.domain.results import Accepted, Failed, Postponed, Unknown, Verdict
from services.messaging.repositories.messages import MessageRepository
from shared.contracts.messaging import FailedMessage, SentMessage
from shared.crashpoints import crash_point
from shared.insist import insist

Finished = tuple[OutboundMessage, Verdict]


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records verdicts, the accepted ones of a group in one update."""

    messages: MessageRepository
    announcer: Announcer

    async def record(self, finished: Sequence[Finished], attempt_id: str) -> None:
        """Store what became of an attempt's calls, then answer and announce it."""
        accepted = [(message, verdict) for message, verdict in finished if isinstance(verdict, Accepted)]
        others = [(message, verdict) for message, verdict in finished if not isinstance(verdict, Accepted)]
        sent, rest = await asyncio.gather(
            self._record_accepted(accepted),
            asyncio.gather(*(self._record_other(message, verdict, attempt_id) for message, verdict in others)),
        )
        crash_point("messaging.recorded")
        told = [outcome(message, "sent", wa_message_id=verdict.wa_message_id) for message, verdict in accepted]
        answers: list[Answer] = [(message.reply, answer) for (message, _), answer in zip(accepted, told, strict=True)]
        answers += [answer for answer, _ in rest if answer is not None]
        await self.announcer.answer(answers)
        await self.announcer.announce_sent(sent)
        await self.announcer.announce_failed([item for _, item in rest if item is not None])

    async def _record_accepted(self, accepted: Sequence[tuple[OutboundMessage, Accepted]]) -> list[SentMessage]:
        if not accepted:
            return []
        wamids = {message.id: verdict.wa_message_id for message, verdict in accepted}
        sent_at = await insist(lambda: self.messages.record_accepted(wamids))
        return [sent_item(message, verdict.wa_message_id, sent_at) for message, verdict in accepted]

    async def _record_other(
        self, message: OutboundMessage, verdict: Verdict, attempt_id: str
    ) -> tuple[Answer | None, FailedMessage | None]:
        """Record one outcome that is no acceptance; what is to be told of it now, if anything."""
        match verdict:
            case Failed(error=error):
                failed_at = await insist(partial(self.messages.record_failed, message.id, attempt_id, verdict))
                if failed_at is not None:
                    failure = f"meta_{error.code}"
                    told = outcome(message, "failed", error=error, failure=failure)
                    return (message.reply, told), failed_item(message, failure, error, failed_at)
            case Postponed():
                await insist(partial(self.messages.record_postponed, message, attempt_id, verdict))
            case Unknown(error=error):
                await insist(partial(self.messages.record_unknown, message, attempt_id, verdict))
                if error is not None:  # Meta has spoken; other unknowns may still be settled while the caller waits
                    told = outcome(message, "failed", error=error, more_warnings=("outcome_unknown",))
                    return (message.reply, told), None
        return None, None
