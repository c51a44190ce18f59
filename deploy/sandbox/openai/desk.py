"""Takes requests for responses, remembers chains and conversations, and keeps what it was asked."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ..clock import iso
from .answers import asked, new_id, output_of
from .faults import OpenAIFaults, Wish, wish_of
from .requests import OpenAIError, ResponseRequest, text_of

Item = dict[str, Any]
KEPT_REQUESTS = 10_000


@dataclass(slots=True)
class Asked:
    """One request as the sandbox saw it; `outcome` becomes completed, failed, incomplete, refused or cancelled."""

    request: ResponseRequest
    at: float
    response_id: str | None = None
    outcome: str = "open"
    first_token_at: float | None = None  # when the first piece of a streamed answer was about to be told

    def view(self) -> Item:
        """For `GET /_sandbox/openai/requests`."""
        asked_for = self.request.model_dump(exclude_none=True)
        return {
            "at": iso(self.at),
            "first_token_at": iso(self.first_token_at) if self.first_token_at is not None else None,
            "response_id": self.response_id,
            "outcome": self.outcome,
            "request": asked_for,
        }


@dataclass(frozen=True, slots=True)
class Thought:
    """A response that is going to be told, and how."""

    asked: Asked
    response: Item
    wish: Wish


@dataclass(slots=True)
class ResponseDesk:
    """The pretended model's memory."""

    faults: OpenAIFaults = field(default_factory=OpenAIFaults)
    requests: deque[Asked] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    responses: dict[str, tuple[Item, list[Item]]] = field(default_factory=dict)  # with all items that led to it
    conversations: dict[str, list[Item]] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)

    def reset(self) -> None:
        """Forget everything."""
        self.faults = OpenAIFaults()
        for memory in (self.requests, self.responses, self.conversations, self._recent):
            memory.clear()

    def think(self, request: ResponseRequest) -> Thought:
        """Decide on the response. Raises OpenAIError."""
        entry = Asked(request, time.time())
        self.requests.append(entry)
        try:
            self._take_rate()
            self._check_names(request)
            items = [*self._history(request), *request.items()]
            wish = self._wish(items)
            output = output_of(request, items, self.faults, wish)
        except OpenAIError:
            entry.outcome = "refused"
            raise
        response = _response(request, output, wish)
        entry.response_id = response["id"]
        return Thought(entry, response, wish)

    def keep(self, thought: Thought) -> None:
        """The response was told to its end: later ones may go on from it."""
        request, response = thought.asked.request, thought.response
        thought.asked.outcome = response["status"]
        if request.store is False or response["status"] != "completed":
            return
        told = [*self._history(request), *request.items(), *response["output"]]
        self.responses[response["id"]] = (response, told)
        if request.conversation_id is not None:
            self.conversations[request.conversation_id] = told

    def new_conversation(self, items: list[Item]) -> Item:
        """A conversation that begins with some items."""
        conversation_id = new_id("conv")
        self.conversations[conversation_id] = items
        return {"id": conversation_id, "object": "conversation", "created_at": int(time.time()), "metadata": {}}

    def get_response(self, response_id: str) -> Item:
        """A stored response. Raises OpenAIError."""
        if self.faults.forget_responses or response_id not in self.responses:
            raise OpenAIError(404, f"Response with id '{response_id}' not found.")
        return self.responses[response_id][0]

    def delete_response(self, response_id: str) -> Item:
        """Forget a response. Raises OpenAIError."""
        self.get_response(response_id)
        del self.responses[response_id]
        return {"id": response_id, "object": "response", "deleted": True}

    def _history(self, request: ResponseRequest) -> list[Item]:
        if request.conversation_id is not None:
            if request.conversation_id not in self.conversations:
                raise OpenAIError(404, f"Conversation with id '{request.conversation_id}' not found.")
            return self.conversations[request.conversation_id]
        before = request.previous_response_id
        if before is None:
            return []
        if self.faults.forget_responses or before not in self.responses:
            raise OpenAIError(
                self.faults.gone_status,
                f"Previous response with id '{before}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        history = self.responses[before][1]
        _check_calls_are_answered([*history, *request.items()])
        return history

    def _wish(self, items: list[Item]) -> Wish:
        wish = wish_of(self.faults, " ".join(map(text_of, asked(items))))
        if wish.error_status is not None:
            raise _error(wish.error_status)
        faults = self.faults
        if faults.error_status is not None and faults.error_next != 0:
            if faults.error_next is not None:
                self.faults = faults.model_copy(update={"error_next": faults.error_next - 1})
            raise _error(faults.error_status)
        return wish

    def _check_names(self, request: ResponseRequest) -> None:
        if request.prompt is not None and request.prompt.id in self.faults.retired_prompts:
            raise OpenAIError(404, f"Prompt with id '{request.prompt.id}' not found.")
        if request.model in self.faults.retired_models:
            message = f"The model `{request.model}` has been deprecated or does not exist."
            raise OpenAIError(404, message, param="model", code="model_not_found")

    def _take_rate(self) -> None:
        limit, now = self.faults.rate_limit_per_minute, asyncio.get_running_loop().time()
        if limit is None:
            return
        while self._recent and self._recent[0] <= now - 60:
            self._recent.popleft()
        if len(self._recent) >= limit:
            raise _error(429)
        self._recent.append(now)


def _check_calls_are_answered(items: list[Item]) -> None:
    answered = {item.get("call_id") for item in items if item.get("type") == "function_call_output"}
    for item in items:
        if item.get("type") == "function_call" and item["call_id"] not in answered:
            raise OpenAIError(400, f"No tool output found for function call {item['call_id']}.", param="input")


def _error(status: int) -> OpenAIError:
    if status == 429:
        message, headers = "Rate limit reached for requests.", {"retry-after": "1", "retry-after-ms": "1000"}
        return OpenAIError(429, message, kind="requests", code="rate_limit_exceeded", headers=headers)
    if status == 401:
        return OpenAIError(401, "Incorrect API key provided.", code="invalid_api_key")
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return OpenAIError(status, "The server had an error while processing your request.", kind=kind)


def _response(request: ResponseRequest, output: list[Item], wish: Wish) -> Item:
    ends: dict[str, Item] = {
        "incomplete": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        "fail": {"status": "failed", "error": {"code": "server_error", "message": "The model failed."}, "output": []},
    }
    words = sum(len(text_of(item).split()) for item in output)
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "model": request.model or "sandbox-model",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": request.previous_response_id,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": request.tools,
        "top_p": 1.0,
        "metadata": request.metadata or {},
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": words,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": words + 1,
        },
        **ends.get(wish.behaviour, {}),
    }
