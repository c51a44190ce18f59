"""What a caller may ask of the Responses API, and the errors it answers with."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class OpenAIError(Exception):
    """A refusal in OpenAI's envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class PromptReference(BaseModel):
    """A stored prompt."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class ResponseRequest(BaseModel):
    """`POST /v1/responses`; what the sandbox does not act on is taken and ignored, as an older API would."""

    model_config = ConfigDict(extra="allow")

    model: str | None = None
    input: str | list[dict[str, Any]] = Field(default_factory=list)
    instructions: str | None = None
    prompt: PromptReference | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, str] | None = None
    tools: list[dict[str, Any]] = Field(default_factory=list)
    max_output_tokens: int | None = Field(default=None, ge=16)
    stream: bool | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None

    def items(self) -> list[dict[str, Any]]:
        """The input as items."""
        if isinstance(self.input, str):
            return [{"role": "user", "content": self.input}] if self.input else []
        return self.input

    @property
    def conversation_id(self) -> str | None:
        """The conversation, however it was named."""
        return self.conversation.get("id") if isinstance(self.conversation, dict) else self.conversation


_ROLES = ("user", "assistant", "developer", "system")
_PARTS = ("input_text", "input_image", "input_file", "output_text", "refusal")


def parse(raw: bytes) -> ResponseRequest:
    """Read a request's body. Raises OpenAIError that names the parameter."""
    try:
        request = ResponseRequest.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        raise OpenAIError(400, f"Invalid value for '{param}': {first['msg']}", param=param) from error
    if request.model is None and request.prompt is None:
        raise OpenAIError(400, "Missing required parameter: 'model'.", param="model", code="missing_required_parameter")
    if request.previous_response_id and request.conversation:
        raise OpenAIError(400, "'previous_response_id' and 'conversation' exclude each other.", param="conversation")
    for index, item in enumerate(request.items()):
        _check_item(f"input[{index}]", item)
    return request


def _check_item(place: str, item: dict[str, Any]) -> None:
    kind = item.get("type", "message")
    if kind != "message":
        if kind not in {"function_call", "function_call_output", "reasoning", "item_reference"}:
            raise OpenAIError(400, f"Invalid value: '{kind}'.", param=f"{place}.type", code="invalid_value")
        return
    if item.get("role") not in _ROLES:
        raise OpenAIError(400, f"Invalid value: '{item.get('role')}'.", param=f"{place}.role", code="invalid_value")
    content = item.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise OpenAIError(400, "Expected a string or an array of parts.", param=f"{place}.content")
    for number, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") not in _PARTS:
            raise OpenAIError(400, "Not a part that a message may have.", param=f"{place}.content[{number}].type")


def text_of(item: dict[str, Any]) -> str:
    """What a message item says."""
    content = item.get("content", "")
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content if "text" in part)


def pictures_of(item: dict[str, Any]) -> int:
    """How many images a message item shows."""
    content = item.get("content", "")
    return 0 if isinstance(content, str) else sum(part.get("type") == "input_image" for part in content)
