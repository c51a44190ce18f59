"""Bodies about web chat channels."""

import re
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.gateway.schemas.agents import DailyBudget
from services.gateway.schemas.changes import ChangeBody
from services.gateway.schemas.checked import matching
from services.gateway.schemas.fields import EMPTY_IS_NONE, NOT_BLANK, Body, Identifier, Name
from shared.web.field_errors import field_error

ONE_OF = "Provide either prompt_id or agent_id, not both"

_ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?", re.ASCII)


def _only(filled: str, left_open: str) -> JsonDict:
    is_open: JsonDict = {"anyOf": [{"type": "null"}, {"const": ""}]}
    return {"required": [filled], "properties": {filled: {"type": "string", "minLength": 1}, left_open: is_open}}


Color = Annotated[str, matching(_COLOR, "must be a colour such as #3B82F6")]
Origin = Annotated[str, matching(_ORIGIN, "must be an origin such as https://shop.example.com, in lower case")]
Language = Annotated[str, matching(_LANGUAGE, "must be a language such as en or pt-BR")]
QuickReply = Annotated[str, Field(min_length=1, max_length=80), NOT_BLANK]
Greeting = Annotated[str, Field(min_length=1, max_length=500), NOT_BLANK]


class CreateWebchatChannelBody(Body):
    """A new web chat channel: with a prompt of its own, or with that of an agent."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [_only("prompt_id", "agent_id"), _only("agent_id", "prompt_id")]}
    )

    user_id: Identifier
    """Whose channel it is."""
    name: Name
    """What visitors see above the chat."""
    prompt_id: Annotated[Identifier | None, EMPTY_IS_NONE] = None
    """The prompt that its agent follows."""
    agent_id: Annotated[Identifier | None, EMPTY_IS_NONE] = None
    """The agent whose prompt is copied; later changes of it are not followed."""

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        if (self.prompt_id is None) == (self.agent_id is None):
            raise field_error("", sentence=ONE_OF)
        return self


class ThemeBody(Body):
    """How the widget looks; what is left out stays as it is."""

    primary_color: Color | None = None
    """The colour of its button and of the visitor's bubbles."""
    secondary_color: Color | None = None
    """The colour of the agent's bubbles."""
    mode: Literal["auto", "light", "dark"] | None = None
    """Light or dark; auto follows the visitor's system."""
    position: Literal["right", "left"] | None = None
    """The corner that it stands in."""


class ChangeWebchatChannelBody(ChangeBody):
    """What to change; what is left out stays as it is."""

    name: Name = ""
    """What visitors see above the chat."""
    allowed_origins: Annotated[list[Origin], Field(max_length=50)] = Field(default_factory=list)
    """Sites that may show it; none, every site."""
    theme: ThemeBody = ThemeBody()
    """How it looks."""
    greeting: Greeting | None = None
    """What it says first; null, the greeting of its language."""
    quick_replies: Annotated[list[QuickReply], Field(max_length=10)] = Field(default_factory=list)
    """What visitors may tap instead of writing."""
    language: Language | None = None
    """The language of its texts; null, the visitor's."""
    daily_budget: DailyBudget | None = None
    """How many answers its agent may give in a day (UTC); null, as many as it likes."""
