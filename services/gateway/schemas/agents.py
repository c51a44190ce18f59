"""Bodies about agents and the prompts they follow."""

import re
from typing import Annotated, Any

import orjson
from pydantic import Field

from services.gateway.schemas.changes import ChangeBody
from services.gateway.schemas.checked import Checked, matching
from services.gateway.schemas.fields import NOT_BLANK, WHOLE, Body, Identifier, Name
from shared.web.field_errors import field_error

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}", re.ASCII)
_LONGEST_DEBOUNCE_MS = 60_000
_LARGEST_BUDGET = 1_000_000


def _variable_names(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if not _VARIABLE.fullmatch(name):
            raise field_error("must have names of 1 to 64 letters, digits or _, not beginning with a digit")
    return value


def _ordinary_numbers(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        orjson.dumps(value)  # as agents will, which knows numbers of 64 bits
    except TypeError:
        raise field_error("holds a number that is too long") from None
    return value


FallbackText = Annotated[str, Field(min_length=1, max_length=1000), NOT_BLANK]
DailyBudget = Annotated[int, Field(ge=0, le=_LARGEST_BUDGET), WHOLE]
Instructions = Annotated[str, Field(min_length=1, max_length=100_000), NOT_BLANK]
Model = Annotated[str, matching(_MODEL, "must be the name of a model, with letters, digits or _ . : / -")]
Variables = Annotated[
    dict[str, Annotated[str, Field(max_length=10_000)]],
    Field(max_length=100),
    Checked(_variable_names, {"propertyNames": {"pattern": f"^{_VARIABLE.pattern}$"}}),
]
Tools = Annotated[list[dict[str, Any]], Field(max_length=64), Checked(_ordinary_numbers, {})]


class CreateAgentBody(Body):
    """A new agent."""

    user_id: Identifier
    """Whose agent it is."""
    phone_number_id: Identifier
    """Our id of the number that it is to answer on."""
    prompt_id: Identifier
    """The prompt that it follows: one registered under `/admin/prompts`, else OpenAI's."""
    name: Name
    """What people call it."""


class ChangeAgentBody(ChangeBody):
    """What to change; what is left out stays as it is."""

    name: Name = ""
    """What people call it."""
    prompt_id: Identifier = ""
    """The prompt that it follows."""
    debounce_ms: Annotated[int, Field(ge=0, le=_LONGEST_DEBOUNCE_MS), WHOLE] | None = None
    """How long it waits for more messages before it answers, in milliseconds; null, as configured."""
    fallback_text: FallbackText | None = None
    """What customers are told when it cannot answer; null, as configured."""
    daily_budget: DailyBudget | None = None
    """How many answers it may give in a day (UTC); null, as many as it likes."""


class CreatePromptBody(Body):
    """A new prompt."""

    user_id: Identifier
    """Whose prompt it is."""
    prompt_id: Identifier
    """The id that agents name."""
    instructions: Instructions
    """What the model is told to be; `{{name}}` stands for a variable."""
    model: Model | None = None
    """The model that answers; left out, the configured one."""
    variables: Variables = Field(default_factory=dict)
    """Values for `{{name}}` in the instructions."""
    tools: Tools = Field(default_factory=list)
    """Tools as OpenAI's Responses API takes them."""


class ChangePromptBody(ChangeBody):
    """What to change; what is left out stays as it is."""

    instructions: Instructions = ""
    """What the model is told to be."""
    model: Model | None = None
    """The model that answers; null, the configured one."""
    variables: Variables = Field(default_factory=dict)
    """All values for `{{name}}` in the instructions."""
    tools: Tools = Field(default_factory=list)
    """All tools."""
