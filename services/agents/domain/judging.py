"""Whether what a model said can be told to a customer."""

from dataclasses import dataclass

import orjson

from services.agents.domain.dialogue import HAND_OVER
from services.agents.domain.failures import FailureCode, ModelError
from services.agents.domain.splitting import LONGEST_PART, MOST_PARTS, split

LONGEST_ANSWER = LONGEST_PART * MOST_PARTS
LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function that the model wants to be carried out."""

    name: str
    arguments: str  # JSON, as the model wrote it


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What came back from the model."""

    response_id: str
    text: str
    declined: str | None = None  # its words when it declines
    calls: tuple[FunctionCall, ...] = ()
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reply that can be told."""

    parts: tuple[str, ...]
    hand_over: str | None = None


def judge(reply: ModelReply) -> Verdict:
    """The parts to send, and the note when a person is to take over. Raises ModelError for what cannot be told."""
    if reply.declined is not None:
        raise ModelError("model_declined", reply.declined)
    hand_over = next((call for call in reply.calls if call.name == HAND_OVER), None)
    if hand_over is not None:
        note, message = _arguments(hand_over.arguments)
        return Verdict(_parts(reply.text or message), note[:LONGEST_NOTE] or "The agent asked for a person.")
    failure = _failure(reply)
    if failure is not None:
        raise ModelError(failure)
    return Verdict(_parts(reply.text))


def _failure(reply: ModelReply) -> FailureCode | None:
    if reply.cut_off:
        return "incomplete_answer"
    if not reply.text.strip():
        return "tool_unknown" if reply.calls else "empty_answer"
    return None


def _parts(text: str) -> tuple[str, ...]:
    parts = split(text)
    if len(parts) > MOST_PARTS:
        raise ModelError("answer_too_long", f"{len(text)} characters")
    return parts


def _arguments(text: str) -> tuple[str, str]:
    """Note and message; a model may write anything."""
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text, ""
    if not isinstance(values, dict):
        return text, ""
    return str(values.get("note") or ""), str(values.get("message") or "")
