"""The pretended model: the same input always gives the same output."""

import re
import secrets
from typing import Any

import orjson

from .faults import OpenAIFaults, Wish
from .requests import ResponseRequest, pictures_of, text_of

Item = dict[str, Any]

_ASKS_FOR_A_HUMAN = re.compile(r"\b(human|real person|someone real)\b", re.IGNORECASE)
_REFUSAL = "I'm sorry, but I can't help with that."


def new_id(prefix: str) -> str:
    """An id as OpenAI forms them."""
    return f"{prefix}_{secrets.token_hex(24)}"


def asked(items: list[Item]) -> list[Item]:
    """The user's messages since the model spoke last."""
    since: list[Item] = []
    for item in items:
        if item.get("role") == "assistant":
            since.clear()
        elif item.get("role") == "user":
            since.append(item)
    return since


def output_of(request: ResponseRequest, items: list[Item], faults: OpenAIFaults, wish: Wish) -> list[Item]:
    """The output items of a response to `items`."""
    if wish.behaviour == "empty":
        return []
    if wish.behaviour == "refuse":
        return [_message([{"type": "refusal", "refusal": _REFUSAL}])]
    text = answer_to(items, faults, wish)
    tool = _hand_over_tool(request, items, wish)
    if tool is not None:
        return [_call(tool, items)]
    return [_message([{"type": "output_text", "text": text, "annotations": [], "logprobs": []}])]


def answer_to(items: list[Item], faults: OpenAIFaults, wish: Wish) -> str:
    """An echo of what was asked, so that a reader sees what the model was told; or the text that was set."""
    messages = asked(items)
    said = " / ".join(filter(None, map(text_of, messages)))
    text = faults.answer if faults.answer is not None else f"You wrote: {said}"
    pictures = sum(map(pictures_of, messages))
    if pictures and faults.answer is None:
        text += f" (with {pictures} picture{'s' if pictures > 1 else ''})"
    return stretched(text, wish.characters)


def stretched(text: str, characters: int | None) -> str:
    """A text of exactly so many characters, made of sentences."""
    if characters is None:
        return text
    filler = " This sentence only makes the answer longer."
    return (text + filler * (characters // len(filler) + 1))[:characters]


def _hand_over_tool(request: ResponseRequest, items: list[Item], wish: Wish) -> Item | None:
    """The offered function that hands over to a human, when the customer asks for one."""
    tool = next((each for each in request.tools if "human" in str(each.get("name", ""))), None)
    said = " ".join(map(text_of, asked(items)))
    return tool if wish.behaviour == "hand_over" or _ASKS_FOR_A_HUMAN.search(said) else None


def _call(tool: Item, items: list[Item]) -> Item:
    said = " / ".join(map(text_of, asked(items)))
    properties = tool.get("parameters", {}).get("properties", {})
    values = {"note": f"The customer wrote: {said}", "message": "A colleague will answer you here."}
    arguments = {name: values.get(name, said) for name in properties}
    return {
        "id": new_id("fc"),
        "type": "function_call",
        "status": "completed",
        "call_id": new_id("call"),
        "name": tool["name"],
        "arguments": orjson.dumps(arguments).decode(),
    }


def _message(content: list[Item]) -> Item:
    return {"id": new_id("msg"), "type": "message", "status": "completed", "role": "assistant", "content": content}
