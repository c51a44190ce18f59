"""Sends what a turn has stored, part by part, and ends the turn. Repeating any of it changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.agents.domain.failures import agent_error
from services.agents.domain.turns import Answer, Head, Turn
from services.agents.repositories.agents import AgentRepository
from services.agents.repositories.turns import TurnRepository
from shared.bus.port import Bus
from shared.clock import Clock
from shared.contracts.content import TextContent
from shared.contracts.conversations import HandOverConversation
from shared.contracts.messaging import MessageOutcome, SendMessage
from shared.crashpoints import crash_point
from shared.errors import ConflictError, InvalidInputError, NotFoundError

log = structlog.get_logger()

SEND_SECONDS = 20
HAND_OVER_SECONDS = 5
NEXT_TURN_AFTER = timedelta(milliseconds=100)  # for the news that outdated the answer, if they are still on their way
_EXPECTED = frozenset({"outdated", "window_closed", "opted_out"})  # nobody's fault


@dataclass(frozen=True, slots=True)
class Replying:
    """From a stored answer to a closed turn."""

    turns: TurnRepository
    agents: AgentRepository
    bus: Bus
    now: Clock

    async def send(self, turn: Turn, answer: Answer) -> datetime | None:
        """Send every part, hand over if asked to, close the turn. Returns when its conversation's next turn is due.

        An answer that messaging refuses as outdated is followed by the next turn, which looks whether anything is still
        to be said. What is raised (no broker, no reply in time) means: the same again, later.
        """
        for part in range(len(answer.parts)):
            refusal = await self._refusal(turn, answer, part)
            if refusal is not None:
                return await self._refused(turn, answer, part, refusal)
        crash_point("agents.sent")
        if answer.hand_over is not None:
            await self._hand_over(turn, answer.hand_over)
        if answer.response_id is not None:
            await self.agents.clear_error(turn.agent_id)
        return await self.turns.close(turn, head=_head(turn, answer), next_after=None)

    async def _refusal(self, turn: Turn, answer: Answer, part: int) -> str | None:
        """Why a part was not sent; None when it was, or will be."""
        try:
            outcome = await self.bus.request(_command(turn, answer, part), timeout_seconds=SEND_SECONDS)
        except (ConflictError, InvalidInputError, NotFoundError) as error:
            return error.code
        return _failure(outcome)

    async def _refused(self, turn: Turn, answer: Answer, part: int, refusal: str) -> datetime | None:
        log.info("answer_refused", turn_id=turn.turn_id, part=part, reason=refusal)
        if refusal not in _EXPECTED:
            await self.agents.record_error(turn.agent_id, agent_error("send_refused", self.now(), refusal))
        head = _head(turn, answer) if part else None  # a customer who got one part knows of the response
        next_after = NEXT_TURN_AFTER if refusal == "outdated" else None
        return await self.turns.close(turn, head=head, next_after=next_after)

    async def _hand_over(self, turn: Turn, note: str) -> None:
        command = HandOverConversation(conversation_id=turn.conversation_id, handled_by="human", by="agent", note=note)
        try:
            await self.bus.request(command, timeout_seconds=HAND_OVER_SECONDS)
        except NotFoundError:
            log.info("conversation_gone", conversation_id=turn.conversation_id)


def _command(turn: Turn, answer: Answer, part: int) -> SendMessage:
    return SendMessage(
        message_id=turn.reply_id(part),
        user_id=turn.user_id,
        phone_number_id=turn.phone_number_id,
        to=turn.recipient,
        content=TextContent(text=answer.parts[part]),
        source="agent",
        accepted_at=answer.at,
        conversation_id=turn.conversation_id,
        based_on_sequence=answer.sequence,
        response_id=answer.response_id,
    )


def _failure(outcome: MessageOutcome) -> str | None:
    if outcome.status != "failed":
        return None
    return outcome.failure or "failed"


def _head(turn: Turn, answer: Answer) -> Head | None:
    """The chain goes on from a model's answer; a fallback, which no model knows, leaves it where it was."""
    if answer.response_id is None:
        return None
    replies = (turn.reply_id(part) for part in range(len(answer.parts)))
    return Head(answer.response_id, frozenset((*answer.seen, *replies)))
