"""OpenAI's Responses API, through OpenAI's own library. Time limits and repetitions are ours: it has neither."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, Omit, omit
from openai.types.responses import Response, ResponseFunctionToolCall, ResponseOutputMessage, ResponseStreamEvent

from services.agents.domain.dialogue import ModelRequest, Said
from services.agents.domain.failures import ChainGoneError, FailureCode, ModelError
from services.agents.domain.judging import LONGEST_ANSWER, FunctionCall, ModelReply
from services.agents.settings import AgentsSettings

CONNECT_SECONDS = 5.0
END_SECONDS = 0.25  # the customer waits meanwhile
LONGEST_WAIT_SECONDS = 20.0  # longer than a customer should wait for a repetition
MAX_OUTPUT_TOKENS = 8_000

OnText = Callable[[str], Awaitable[None]]  # told the whole text so far
Pictures = Mapping[str, str]  # data URLs by media id


@dataclass(frozen=True, slots=True)
class OpenAIClient:
    """The model."""

    api: AsyncOpenAI
    timeout_seconds: float

    async def ask(self, request: ModelRequest, pictures: Pictures, on_text: OnText) -> ModelReply:
        """Have the model answer; leaving this call (by cancellation, too) stops it there.

        Raises ChainGoneError when `previous_response_id` is no longer known, ModelError for everything else.
        """
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return await self._streamed(request, pictures, on_text)
        except (TimeoutError, openai.APITimeoutError) as error:
            raise ModelError("model_timeout") from error
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except (openai.APIError, httpx2.HTTPError) as error:
            raise ModelError("model_unavailable", type(error).__name__, retry_after_seconds=1) from error

    async def _streamed(self, request: ModelRequest, pictures: Pictures, on_text: OnText) -> ModelReply:
        text = ""
        async with await self.api.responses.create(
            stream=True,
            model=_given(request.model),
            instructions=_given(request.instructions),
            prompt={"id": request.prompt_id} if request.prompt_id is not None else omit,
            tools=_given(list(request.tools) or None),
            input=[_item(said, pictures) for said in request.said],
            previous_response_id=_given(request.previous_response_id),
            safety_identifier=request.customer,
            max_output_tokens=MAX_OUTPUT_TOKENS,
        ) as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    text += event.delta
                    if len(text) > LONGEST_ANSWER:  # nobody will read it: stop paying for it
                        raise ModelError("answer_too_long", f"more than {LONGEST_ANSWER} characters")
                    await on_text(text)
                elif event.type in {"response.completed", "response.incomplete", "response.failed"}:
                    await _read_out(stream)
                    return _reply(event.response)
                elif event.type == "error":
                    raise ModelError("model_failed", event.message, retry_after_seconds=1)
        raise ModelError("model_unavailable", "the stream ended early", retry_after_seconds=1)


async def _read_out(stream: AsyncStream[ResponseStreamEvent]) -> None:
    """Read the end of the answer, which follows at once: only then can its connection carry the next question.

    A new one costs a TCP and a TLS handshake. Who does not end the answer is left.
    """
    with suppress(TimeoutError, openai.APIError, httpx2.HTTPError):
        async with asyncio.timeout(END_SECONDS):
            async for _ in stream:
                pass


def _given(value: Any) -> Any | Omit:
    return omit if value is None else value


def _item(said: Said, pictures: Pictures) -> Any:
    picture = pictures.get(said.picture) if said.picture else None
    if picture is None:
        return {"role": said.role, "content": said.text}
    parts = [{"type": "input_text", "text": said.text}, {"type": "input_image", "image_url": picture, "detail": "auto"}]
    return {"role": said.role, "content": parts}


def _reply(response: Response) -> ModelReply:
    if response.status == "failed":
        raise ModelError("model_failed", response.error.message if response.error else None, retry_after_seconds=1)
    calls = [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]
    messages = [item for item in response.output if isinstance(item, ResponseOutputMessage)]
    declined = [part.refusal for message in messages for part in message.content if part.type == "refusal"]
    return ModelReply(
        response_id=response.id,
        text=response.output_text,
        declined=declined[0] if declined else None,
        calls=tuple(FunctionCall(call.name, call.arguments) for call in calls),
        cut_off=response.status == "incomplete",
    )


def _refusal(error: openai.APIStatusError) -> ModelError | ChainGoneError:
    """What a status means. OpenAI answers a chain that is gone with 400, some stand-ins with 404."""
    if error.code == "previous_response_not_found" or error.param == "previous_response_id":
        return ChainGoneError()
    if error.status_code >= 500 or error.status_code in {408, 409}:
        return ModelError("model_unavailable", _said(error), retry_after_seconds=_retry_after(error))
    if error.status_code == 429:
        if error.code == "insufficient_quota":
            return ModelError("quota_exhausted", _said(error))
        wait = _retry_after(error)
        return ModelError(
            "rate_limited", _said(error), retry_after_seconds=wait if wait <= LONGEST_WAIT_SECONDS else None
        )
    return ModelError(_refused(error), _said(error))


def _refused(error: openai.APIStatusError) -> FailureCode:
    if error.status_code in {401, 403}:
        return "key_refused"
    if error.param == "model" or "model" in (error.code or ""):
        return "model_refused"
    if error.param == "prompt" or (error.status_code == 404 and "prompt" in error.message.lower()):
        return "prompt_refused"
    return "request_refused"


def _said(error: openai.APIStatusError) -> str | None:
    """OpenAI's own words; never the whole body, and never a key."""
    message = error.body.get("message") if isinstance(error.body, dict) else None
    return str(message) if message and error.status_code not in {401, 403} else None


def _retry_after(error: openai.APIStatusError) -> float:
    try:
        return max(0.1, float(error.response.headers.get("retry-after", "1")))
    except ValueError:
        return 1.0


@asynccontextmanager
async def openai_client(settings: AgentsSettings) -> AsyncIterator[OpenAIClient]:
    """A client for the life of the service, with one pool of connections."""
    timeout = httpx2.Timeout(settings.openai_timeout_seconds, connect=CONNECT_SECONDS)
    async with AsyncOpenAI(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value(),
        max_retries=0,
        timeout=timeout,
    ) as api:
        yield OpenAIClient(api, settings.openai_timeout_seconds)
