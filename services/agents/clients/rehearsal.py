"""A first question, asked of nobody.

OpenAI's library builds its models when they are first used, which takes this process a good part of a second in which
it does nothing else: it had better be over before the first customer writes.
"""

import httpx2
import orjson
import structlog
from openai import AsyncOpenAI

from services.agents.clients.openai import OpenAIClient
from services.agents.domain.dialogue import ModelRequest, Said
from services.agents.domain.judging import ModelReply

log = structlog.get_logger()

_TIMEOUT_SECONDS = 10.0
_TEXT = {"type": "output_text", "text": "Hello", "annotations": []}
_MESSAGE = {"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [_TEXT]}
_RESPONSE = {"id": "resp_0", "object": "response", "status": "completed", "output": [_MESSAGE]}
_ANSWER = b"event: response.completed\ndata: %b\n\n" % orjson.dumps(
    {"type": "response.completed", "sequence_number": 0, "response": _RESPONSE}
)
_QUESTION = ModelRequest(
    model="none",
    instructions="Greet.",
    prompt_id=None,
    tools=(),
    said=(Said("user", "Hello"),),
    previous_response_id=None,
    customer="nobody",
)


async def rehearse() -> ModelReply | None:
    """Ask and be answered within this process. None if that fails, which keeps nobody from trying the real thing."""
    transport = httpx2.MockTransport(_answer)
    try:
        async with AsyncOpenAI(
            base_url="http://rehearsal.invalid/v1",
            api_key="none",
            max_retries=0,
            http_client=httpx2.AsyncClient(transport=transport),
        ) as api:
            return await OpenAIClient(api, _TIMEOUT_SECONDS).ask(_QUESTION, {}, _listen)
    except Exception as error:  # a library that has changed must not stop the service
        log.warning("rehearsal_failed", error=f"{type(error).__name__}: {error}")
        return None


def _answer(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=_ANSWER)


async def _listen(_text: str) -> None:
    """Nobody does."""
