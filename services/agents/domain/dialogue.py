"""What a model is told: a conversation's messages, who said what, and the instructions it follows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

from services.agents.domain.turns import SILENT_TYPES
from shared.contracts.agents import Prompt
from shared.contracts.conversations import ContextMessage

Role = Literal["user", "assistant", "developer"]

HAND_OVER = "hand_over_to_human"
HAND_OVER_TOOL: dict[str, Any] = {
    "type": "function",
    "name": HAND_OVER,
    "description": (
        "Let a person of the business take over this conversation. Call it when the customer asks for a person, or "
        "when you cannot help. You will not hear of the customer again until the person hands back."
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "note": {"type": "string", "description": "For the colleague: what the customer wants, what was tried."},
            "message": {"type": "string", "description": "For the customer, in their language: what happens next."},
        },
        "required": ["note", "message"],
        "additionalProperties": False,
    },
    "strict": True,
}

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Said:
    """One message as the model is told it."""

    role: Role
    text: str
    picture: str | None = None  # a media id


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to the model: a registered prompt's content, or the id of one that OpenAI keeps."""

    model: str | None
    instructions: str | None
    prompt_id: str | None
    tools: tuple[dict[str, Any], ...]
    said: tuple[Said, ...]
    previous_response_id: str | None
    customer: str  # a name for OpenAI's abuse watch that says nothing about the person


def instructions_of(prompt: Prompt) -> str:
    """The prompt's instructions with its variables filled in; a variable without a value stays as it is written."""
    values: Mapping[str, str] = prompt.variables
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), prompt.instructions)


def tools_of(prompt: Prompt) -> tuple[dict[str, Any], ...]:
    """The prompt's tools, and handing over unless it describes that itself."""
    has_own = any(tool.get("name") == HAND_OVER for tool in prompt.tools)
    return prompt.tools if has_own else (*prompt.tools, HAND_OVER_TOOL)


def is_owed_an_answer(messages: Sequence[ContextMessage], seen: AbstractSet[str]) -> bool:
    """Whether the customer has written something that neither the model knows nor a person has answered."""
    for message in reversed(messages):
        if message.author == "human":
            return False
        if message.author == "customer" and message.message_id not in seen and message.type not in SILENT_TYPES:
            return True
    return False


def told(messages: Iterable[ContextMessage], seen: AbstractSet[str], *, with_pictures: bool) -> tuple[Said, ...]:
    """What the model does not know yet, oldest first."""
    return tuple(_said(message, with_pictures) for message in messages if message.message_id not in seen)


def _said(message: ContextMessage, with_pictures: bool) -> Said:
    text = message.text or f"[{message.type}]"
    match message.author:
        case "customer":
            picture = message.media_id if with_pictures and message.type in {"image", "sticker"} else None
            return Said("user", text, picture)
        case "agent":
            return Said("assistant", text)
        case "human":
            return Said("developer", f"A colleague wrote to the customer: {text}")
        case "business":
            return Said("developer", f"The business sent the customer this message: {text}")
