"""A response as the stream of events in which OpenAI tells it."""

from collections.abc import Iterator
from typing import Any

import orjson

Event = dict[str, Any]
Item = dict[str, Any]

_PIECE = 12  # characters of one delta


def opening(response: Item) -> list[Event]:
    """What is told before the model has thought."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    return [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]


def middle(output: list[Item]) -> Iterator[Event]:
    """The output items, piece by piece."""
    for index, item in enumerate(output):
        begun: Item = {"content": []} if item["type"] == "message" else {"arguments": ""}
        begun_item = {**item, "status": "in_progress", **begun}
        yield {"type": "response.output_item.added", "output_index": index, "item": begun_item}
        place = {"item_id": item["id"], "output_index": index}
        yield from _content(item, place) if item["type"] == "message" else _arguments(item, place)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}


def closing(response: Item) -> Event:
    """How it ended; the event is called as the status is."""
    return {"type": f"response.{response['status']}", "response": response}


def encoded(event: Event, number: int) -> bytes:
    """One server-sent event."""
    body = orjson.dumps({**event, "sequence_number": number})
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), body)


def is_delta(event: Event) -> bool:
    """Whether the model needs time for it."""
    return bool(event["type"].endswith(".delta"))


def _content(item: Item, place: Item) -> Iterator[Event]:
    for number, part in enumerate(item["content"]):
        here = {**place, "content_index": number}
        key = "refusal" if part["type"] == "refusal" else "text"
        name = "response.refusal" if key == "refusal" else "response.output_text"
        rest: Item = {} if key == "refusal" else {"logprobs": []}
        yield {"type": "response.content_part.added", **here, "part": {**part, key: ""}}
        for piece in _pieces(part[key]):
            yield {"type": f"{name}.delta", **here, "delta": piece, **rest}
        yield {"type": f"{name}.done", **here, key: part[key], **rest}
        yield {"type": "response.content_part.done", **here, "part": part}


def _arguments(item: Item, place: Item) -> Iterator[Event]:
    for piece in _pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    yield {
        "type": "response.function_call_arguments.done",
        **place,
        "arguments": item["arguments"],
        "name": item["name"],
    }


def _pieces(text: str) -> Iterator[str]:
    step = max(_PIECE, len(text) // 400)  # a very long answer in fewer, longer pieces
    return (text[start : start + step] for start in range(0, len(text), step))
