"""What the pretended model does, switched by `PUT /_sandbox/openai` or by a word in the customer's text."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Behaviour = Literal["answer", "empty", "refuse", "hang", "incomplete", "fail", "break", "hand_over"]


class OpenAIFaults(BaseModel):
    """Everything that can be switched on; the defaults are a model that echoes at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    behaviour: Behaviour = Field(default="answer", description="what every response is like")
    answer: str | None = Field(default=None, description="the text of every answer instead of the echo")
    answer_characters: int | None = Field(default=None, ge=1, description="stretch answers to this length")
    latency_ms: float = Field(default=0, ge=0, description="before the first token")
    chunk_ms: float = Field(default=0, ge=0, description="between two pieces of a streamed answer")
    error_status: int | None = Field(default=None, ge=400, le=599, description="answer requests with this error")
    error_next: int | None = Field(default=None, ge=0, description="only the next so many of them")
    rate_limit_per_minute: int | None = Field(default=None, ge=0, description="requests; more is 429")
    forget_responses: bool = Field(default=False, description="no response is found any more")
    gone_status: Literal[400, 404] = Field(default=400, description="how a chain that is gone is refused")
    retired_prompts: list[str] = Field(default_factory=list, description="prompt ids that no longer exist")
    retired_models: list[str] = Field(default_factory=list, description="models that no longer exist")


class Wish(BaseModel):
    """What one response shall be like: the faults in force, overridden by the words of the customer's text."""

    model_config = ConfigDict(frozen=True)

    behaviour: Behaviour
    characters: int | None
    latency_ms: float
    error_status: int | None


_BEHAVIOUR_WORDS: Mapping[str, Behaviour] = {
    "sim_empty": "empty",
    "sim_refuse": "refuse",
    "sim_hang": "hang",
    "sim_incomplete": "incomplete",
    "sim_fail": "fail",
    "sim_break": "break",
    "sim_human": "hand_over",
}


def wish_of(faults: OpenAIFaults, text: str) -> Wish:
    """Read the magic words in what the customer wrote last: `sim_empty`, `sim_long_50000`, `sim_slow_1500ms`, …"""
    behaviour = next((each for word, each in _BEHAVIOUR_WORDS.items() if word in text), faults.behaviour)
    return Wish(
        behaviour=behaviour,
        characters=_number(text, r"sim_long_(\d+)") or faults.answer_characters,
        latency_ms=_number(text, r"sim_slow_(\d+)ms") or faults.latency_ms,
        error_status=_number(text, r"sim_error_([45]\d\d)"),
    )


def merged(faults: OpenAIFaults, change: Mapping[str, Any]) -> OpenAIFaults:
    """Apply a partial change. Raises pydantic.ValidationError."""
    return OpenAIFaults.model_validate(faults.model_dump() | dict(change))


def _number(text: str, pattern: str) -> int | None:
    match = re.search(pattern, text)
    return int(match[1]) if match else None
