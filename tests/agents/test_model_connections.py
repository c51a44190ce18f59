"""The way to the model: rehearsed before anybody asks, and one connection for one question after the other."""

import asyncio

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.agents.clients.openai import openai_client
from services.agents.clients.rehearsal import rehearse
from services.agents.domain.dialogue import ModelRequest, Said
from services.agents.settings import AgentsSettings

REQUEST = ModelRequest(
    model="gpt-test",
    instructions="Echo.",
    prompt_id=None,
    tools=(),
    said=(Said("user", "Hello", None),),
    previous_response_id=None,
    customer="customer_1",
)
ANSWERED = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
LAST_EVENT = b"event: response.completed\ndata: %b\n\n" % orjson.dumps(
    {"type": "response.completed", "sequence_number": 1, "response": ANSWERED}
)


async def nobody(text: str) -> None:
    """Nobody watches."""


async def connections_of_two_questions(*, ends: bool) -> int:
    connections, over = set(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        connections.add(request.transport)
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(LAST_EVENT)
        if not ends:
            await over.wait()
        return response

    app = web.Application()
    app.router.add_post("/v1/responses", answer)
    async with TestServer(app) as server:
        settings = {"amqp_url": "amqp://x", "mongodb_url": "mongodb://x", "master_keys": "none", "openai_api_key": "x"}
        settings |= {"openai_base_url": str(server.make_url("/v1"))}
        async with openai_client(AgentsSettings.model_validate(settings)) as model:
            replies = [await model.ask(REQUEST, {}, nobody) for _ in range(2)]
        over.set()
    assert [reply.response_id for reply in replies] == ["resp_1", "resp_1"]
    return len(connections)


async def test_the_connection_of_an_answer_carries_the_next_question() -> None:
    assert await connections_of_two_questions(ends=True) == 1


async def test_an_answer_that_is_complete_counts_even_where_the_model_never_ends_it() -> None:
    assert await connections_of_two_questions(ends=False) == 2


async def test_the_rehearsal_is_answered_as_the_model_would_answer() -> None:
    reply = await rehearse()

    assert reply is not None
    assert (reply.response_id, reply.text) == ("resp_0", "Hello")
