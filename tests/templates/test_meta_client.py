"""Reading Meta's list: page by page, and what each kind of trouble is called."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from services.templates.clients.graph import Graph
from services.templates.clients.meta import MetaClient
from shared.errors import UpstreamRejectedError, UpstreamUnavailableError

Answer = Callable[[], web.StreamResponse]
FIELDS = ("id", "name")
TOKEN = "EAAsecrettoken"


@dataclass
class GraphScript:
    """Answers the calls one after another, and keeps what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The next answer."""
        self.queries.append(dict(request.query))
        self.paths.append(request.path)
        self.authorizations.append(request.headers.get("Authorization"))
        return self.answers.pop(0)()


@pytest.fixture
def script() -> GraphScript:
    """What Meta will say."""
    return GraphScript()


@pytest.fixture
async def client(script: GraphScript) -> AsyncIterator[MetaClient]:
    """A client of a server that follows the script."""
    app = web.Application()
    app.router.add_get("/{path:.*}", script.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield MetaClient(Graph(session, str(server.make_url("/v25.0"))), page_size=2)


def page(*ids: str, after: str | None = None, last: bool = False) -> Answer:
    """One page of a list; cursors stand on the last one too, `next` does not."""
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after or "end"}}
    if not last:
        paging["next"] = f"https://graph.example/?access_token={TOKEN}&after={after}"
    return lambda: web.json_response({"data": [{"id": one} for one in ids], "paging": paging})


def refusal(status: int, **error: Any) -> Answer:
    """Meta's error envelope."""
    return lambda: web.json_response(
        {"error": {"message": f"(#{error['code']}) No", "type": "OAuthException"} | error}, status=status
    )


async def test_every_page_is_read_by_its_cursor(client: MetaClient, script: GraphScript) -> None:
    script.answers = [page("1", "2", after="c2"), page("3", "4", after="c4"), page("5", last=True)]

    entries = await client.list_templates("102", TOKEN, FIELDS)

    assert [one["id"] for one in entries] == ["1", "2", "3", "4", "5"]
    assert script.queries == [
        {"fields": "id,name", "limit": "2"},
        {"fields": "id,name", "limit": "2", "after": "c2"},
        {"fields": "id,name", "limit": "2", "after": "c4"},
    ]
    assert set(script.paths) == {"/v25.0/102/message_templates"}
    assert set(script.authorizations) == {f"Bearer {TOKEN}"}


async def test_an_account_without_templates_is_an_empty_list(client: MetaClient, script: GraphScript) -> None:
    script.answers = [lambda: web.json_response({"data": []})]

    assert await client.list_templates("102", TOKEN, FIELDS) == []


async def test_a_lost_cursor_means_starting_over(client: MetaClient, script: GraphScript) -> None:
    lost = refusal(400, code=131059)
    script.answers = [page("1", after="c1"), lost, page("1", after="c1"), page("2", last=True)]

    entries = await client.list_templates("102", TOKEN, FIELDS)

    assert [one["id"] for one in entries] == ["1", "2"]


async def test_a_cursor_that_is_lost_again_is_trouble_on_metas_side(client: MetaClient, script: GraphScript) -> None:
    script.answers = [page("1", after="c1"), refusal(400, code=131059)] * 2

    with pytest.raises(UpstreamUnavailableError, match="keeps changing"):
        await client.list_templates("102", TOKEN, FIELDS)


async def test_a_refusal_is_told_with_metas_own_explanation(client: MetaClient, script: GraphScript) -> None:
    script.answers = [
        refusal(400, code=100, error_subcode=33, error_data={"details": "Object with ID '102' does not exist"})
    ]

    with pytest.raises(UpstreamRejectedError, match="Object with ID '102' does not exist") as caught:
        await client.list_templates("102", TOKEN, FIELDS)

    assert caught.value.details == [
        {
            "message": "(#100) No",
            "code": 100,
            "subcode": 33,
            "type": "OAuthException",
            "details": "Object with ID '102' does not exist",
        }
    ]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(refusal(500, code=131000), id="a fault of Meta's"),
        pytest.param(refusal(503, code=2), id="overloaded"),
        pytest.param(lambda: web.Response(status=502, text="<html>Bad gateway</html>"), id="not Meta's words"),
        pytest.param(lambda: web.Response(text="<html>"), id="no JSON"),
        pytest.param(lambda: web.json_response([]), id="not an object"),
        pytest.param(lambda: web.json_response({"list": []}), id="no data"),
        pytest.param(lambda: web.json_response({"data": [], "paging": {"next": "x"}}), id="no cursor"),
        pytest.param(
            lambda: web.Response(status=302, headers={"Location": "http://elsewhere.example"}), id="sent away"
        ),
    ],
)
async def test_trouble_on_metas_side_is_called_unavailable(
    client: MetaClient, script: GraphScript, answer: Answer
) -> None:
    script.answers = [answer]

    with pytest.raises(UpstreamUnavailableError):
        await client.list_templates("102", TOKEN, FIELDS)


async def test_a_budget_that_is_used_up_says_when_to_come_back(client: MetaClient, script: GraphScript) -> None:
    script.answers = [refusal(400, code=80008)]

    with pytest.raises(UpstreamUnavailableError) as caught:
        await client.list_templates("102", TOKEN, FIELDS)

    assert caught.value.retry_after_seconds == 60


async def test_a_list_that_goes_round_in_circles_is_left(client: MetaClient, script: GraphScript) -> None:
    script.answers = [page("1", after="c1"), page("2", after="c1")]

    with pytest.raises(UpstreamUnavailableError, match="repeats"):
        await client.list_templates("102", TOKEN, FIELDS)


async def test_nobody_there_is_unavailable() -> None:
    async with aiohttp.ClientSession() as session:
        client = MetaClient(Graph(session, f"http://127.0.0.1:{unused_port()}/v25.0"))

        with pytest.raises(UpstreamUnavailableError, match="could not be reached"):
            await client.list_templates("102", TOKEN, FIELDS)


async def test_neither_errors_nor_logs_hold_the_token(
    client: MetaClient, script: GraphScript, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script.answers = [page("1", after="c1"), lambda: web.Response(status=502)]

    with pytest.raises(UpstreamUnavailableError) as caught:
        await client.list_templates("102", TOKEN, FIELDS)

    assert TOKEN not in f"{caught.value!r} {caught.value.details} {client!r} {caplog.text}"
