"""Why an agent gave no answer of its own, in words for its operator, each with the remedy."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from shared.contracts.agents import AgentError

FailureCode = Literal[
    "no_model",
    "prompt_refused",
    "model_refused",
    "key_refused",
    "quota_exhausted",
    "rate_limited",
    "request_refused",
    "model_unavailable",
    "model_timeout",
    "model_declined",
    "model_failed",
    "empty_answer",
    "incomplete_answer",
    "answer_too_long",
    "tool_unknown",
    "budget_exhausted",
    "internal_error",
    "send_refused",
]

_WORDS: Mapping[FailureCode, str] = {
    "no_model": "No model is named. Give the prompt a model, or set OPENAI_MODEL.",
    "prompt_refused": (
        "OpenAI knows no prompt of this id (stored prompts are being switched off there). "
        "Register the prompt with its instructions: POST /admin/prompts."
    ),
    "model_refused": (
        "OpenAI does not offer this model, or no longer. Name another one in the prompt "
        "(PATCH /admin/prompts/:prompt_id) or in OPENAI_MODEL."
    ),
    "key_refused": "OpenAI does not take the API key. Set OPENAI_API_KEY.",
    "quota_exhausted": "The OpenAI account has no quota left. Check its plan and billing.",
    "rate_limited": "OpenAI turned too many requests away. Raise the account's limits, or lower AGENT_CONCURRENCY.",
    "request_refused": "OpenAI refused the request. Check the prompt's tools and model.",
    "model_unavailable": "OpenAI could not be reached, or had a fault. Check its status and OPENAI_BASE_URL.",
    "model_timeout": "The model did not answer in time. Choose a faster model, or raise OPENAI_TIMEOUT_SECONDS.",
    "model_declined": "The model declined to answer. Check what the prompt allows.",
    "model_failed": "The model stopped with a fault of its own.",
    "empty_answer": "The model answered nothing. Check the prompt's instructions.",
    "incomplete_answer": "The model's answer was cut off. Ask for shorter answers in the prompt.",
    "answer_too_long": "The model's answer was too long for a chat. Ask for shorter answers in the prompt.",
    "tool_unknown": (
        "The model called a function that nobody here carries out. Only hand_over_to_human and tools that OpenAI runs "
        "by itself can be used."
    ),
    "budget_exhausted": "The agent's daily budget is used up. Raise daily_budget, or wait until 00:00 UTC.",
    "internal_error": "The answer could not be worked out for a reason of ours; the log of agents says more.",
    "send_refused": "The answer could not be sent.",
}


class ModelError(Exception):
    """The model's API gave no usable answer. `detail` is the API's own text."""

    def __init__(
        self, code: FailureCode, detail: str | None = None, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code: FailureCode = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds  # None: asking again cannot help, or not soon


class ChainGoneError(Exception):
    """The response that should be continued is no longer there."""


def agent_error(code: FailureCode, at: datetime, detail: str | None = None) -> AgentError:
    """What GET agent shows as `last_error`."""
    said = f" It said: {detail[:300]}" if detail else ""
    return AgentError(code=code, message=_WORDS[code] + said, at=at)
