"""The sandbox answers as OpenAI's Responses API does, asked by OpenAI's own library."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseCompletedEvent, ResponseFunctionToolCall, ResponseTextDeltaEvent

from tests.eventually import eventually
from tests.sandbox.conftest import Sandbox

HAND_OVER: Any = {
    "type": "function",
    "name": "hand_over_to_human",
    "description": "Let a person answer.",
    "parameters": {"type": "object", "properties": {"note": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's library, talking to the sandbox."""
    url = str(sandbox.client.make_url("/v1"))
    async with AsyncOpenAI(api_key="sk-test", base_url=url, max_retries=0, timeout=30) as client:
        yield client


async def switch(sandbox: Sandbox, **faults: Any) -> None:
    status, _ = await sandbox.call("PUT", "/_sandbox/openai", faults)
    assert status == 200


async def ask(client: AsyncOpenAI, text: str = "Hello", **more: Any) -> Response:
    response: Response = await client.responses.create(model="any-model", input=text, **more)
    return response


async def test_the_same_question_gets_the_same_answer(client: AsyncOpenAI) -> None:
    first, second = await ask(client), await ask(client)

    assert first.output_text == second.output_text == "You wrote: Hello"
    assert first.status == "completed"


async def test_a_streamed_answer_arrives_in_pieces_that_make_the_whole(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(model="any-model", input="Good morning to you", stream=True)
    events = [event async for event in stream]

    deltas = [event.delta for event in events if isinstance(event, ResponseTextDeltaEvent)]
    last = events[-1]
    assert isinstance(last, ResponseCompletedEvent)
    assert len(deltas) > 1
    assert "".join(deltas) == last.response.output_text == "You wrote: Good morning to you"
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_a_chain_remembers_what_was_said(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    first = await ask(client, "One")
    second = await ask(client, "Two", previous_response_id=first.id)

    assert second.previous_response_id == first.id
    assert second.output_text == "You wrote: Two"


@pytest.mark.parametrize("status", [400, 404])
async def test_a_chain_that_is_gone_is_refused(client: AsyncOpenAI, sandbox: Sandbox, status: int) -> None:
    first = await ask(client)
    await switch(sandbox, forget_responses=True, gone_status=status)

    with pytest.raises(openai.APIStatusError) as refused:
        await ask(client, previous_response_id=first.id)

    assert refused.value.status_code == status
    assert refused.value.code == "previous_response_not_found"


async def test_a_customer_who_asks_for_a_human_makes_the_model_call_the_function(client: AsyncOpenAI) -> None:
    response = await ask(client, "I want a human", tools=[HAND_OVER])

    [call] = response.output
    assert isinstance(call, ResponseFunctionToolCall)
    assert (call.name, call.arguments) == (
        "hand_over_to_human",
        '{"note":"The customer wrote: I want a human"}',
    )


async def test_a_chain_with_an_unanswered_function_call_is_refused(client: AsyncOpenAI) -> None:
    response = await ask(client, "I want a human", tools=[HAND_OVER])

    with pytest.raises(openai.BadRequestError, match="No tool output found"):
        await ask(client, previous_response_id=response.id)


async def test_an_unseen_prompt_is_adopted_and_a_retired_one_refused(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    adopted = await client.responses.create(prompt={"id": "pmpt_any"}, input="Hello")
    await switch(sandbox, retired_prompts=["pmpt_any"])

    with pytest.raises(openai.NotFoundError, match="Prompt with id 'pmpt_any' not found"):
        await client.responses.create(prompt={"id": "pmpt_any"}, input="Hello")
    assert adopted.output_text == "You wrote: Hello"


async def test_a_retired_model_is_refused(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    await switch(sandbox, retired_models=["any-model"])

    with pytest.raises(openai.NotFoundError) as refused:
        await ask(client)

    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


async def test_beyond_the_rate_there_is_429_with_a_time_to_wait(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    await switch(sandbox, rate_limit_per_minute=1)
    await ask(client)

    with pytest.raises(openai.RateLimitError) as refused:
        await ask(client)

    assert refused.value.response.headers["retry-after"] == "1"


async def test_an_error_can_be_asked_for_a_number_of_times(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    await switch(sandbox, error_status=503, error_next=1)

    with pytest.raises(openai.InternalServerError):
        await ask(client)
    assert (await ask(client)).status == "completed"


@pytest.mark.parametrize(
    ("word", "text", "status"),
    [
        ("sim_empty", "", "completed"),
        ("sim_refuse", "", "completed"),
        ("sim_incomplete", "You wrote: sim_incomplete", "incomplete"),
        ("sim_fail", "", "failed"),
    ],
)
async def test_a_magic_word_makes_a_bad_answer(client: AsyncOpenAI, word: str, text: str, status: str) -> None:
    response = await ask(client, word)

    assert (response.output_text, response.status) == (text, status)


async def test_an_answer_has_the_length_that_was_asked_for(client: AsyncOpenAI) -> None:
    assert len((await ask(client, "sim_long_50000")).output_text) == 50_000


async def test_a_caller_that_leaves_stops_the_model(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    async def outcomes() -> list[str]:
        seen = await sandbox.get("/_sandbox/openai/requests")
        return [each["outcome"] for each in seen["requests"]]

    async def cancelled() -> bool:
        return await outcomes() == ["cancelled"]

    waiting = asyncio.create_task(ask(client, "sim_hang"))
    await eventually(outcomes)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    await eventually(cancelled)


async def test_a_streamed_request_shows_when_its_first_token_was_told(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    await ask(client, "Whole")
    stream = await client.responses.create(model="any-model", input="Streamed", stream=True)
    [event async for event in stream]

    whole, streamed = (await sandbox.get("/_sandbox/openai/requests"))["requests"]
    assert whole["first_token_at"] is None
    assert streamed["at"] <= streamed["first_token_at"]


async def test_a_stream_can_break_in_the_middle(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(model="any-model", input="sim_break", stream=True)

    with pytest.raises((openai.APIError, httpx2.RemoteProtocolError, httpx2.ReadError)):
        [event async for event in stream]


async def test_a_conversation_keeps_what_was_said(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create()
    response = await ask(client, "One", conversation=conversation.id)

    assert response.status == "completed"
    with pytest.raises(openai.NotFoundError):
        await ask(client, "One", conversation="conv_unknown")


async def test_a_request_without_model_and_prompt_is_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(input="Hello")

    assert refused.value.param == "model"


async def test_reset_forgets_requests_and_faults(client: AsyncOpenAI, sandbox: Sandbox) -> None:
    await switch(sandbox, behaviour="empty")
    await ask(client)

    await sandbox.call("POST", "/_sandbox/reset")

    assert (await sandbox.get("/_sandbox/openai/requests")) == {"requests": []}
    assert (await sandbox.get("/_sandbox/openai"))["behaviour"] == "answer"


async def test_a_fault_that_there_is_not_is_refused(sandbox: Sandbox) -> None:
    status, body = await sandbox.call("PUT", "/_sandbox/openai", {"mood": "bad"})

    assert (status, body["error"]["field"]) == (400, "mood")
