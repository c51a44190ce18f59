"""Samples of media headers, from where their owner keeps them to Meta: fetched through the guard, uploaded in time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from deploy.sandbox.app import build as build_sandbox
from deploy.sandbox.settings import Settings
from services.templates.clients.graph import Graph
from services.templates.clients.meta import MetaClient
from services.templates.clients.samples import LARGEST_SAMPLE, SampleClient
from shared.errors import InvalidInputError, UpstreamRejectedError
from shared.mongo import Database
from shared.outbound.addresses import AddressPolicy
from shared.outbound.guard import UrlGuard
from tests.templates.drafting import SOUND, create, details, draft, sound, submit
from tests.templates.stage import TOKEN, Stage, set_stage

PICTURE = b"\xff\xd8\xff a picture"


@dataclass
class Shop:
    """Somebody's web server."""

    url: str


async def picture(_request: web.Request) -> web.Response:
    return web.Response(body=PICTURE, content_type="image/jpeg")


async def page(_request: web.Request) -> web.Response:
    return web.Response(text="<html>", content_type="text/html")


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/picture.jpg")


async def empty(_request: web.Request) -> web.Response:
    return web.Response(body=b"", content_type="image/png")


async def packed(_request: web.Request) -> web.Response:
    return web.Response(body=b"\x1f\x8b", content_type="image/png", headers={"Content-Encoding": "gzip"})


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
    await response.prepare(request)
    for _ in range(LARGEST_SAMPLE // 65_536 + 10):
        await response.write(b"\0" * 65_536)
    return response


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A web server with a picture, and with what is none."""
    app = web.Application()
    handlers = {"picture.jpg": picture, "page": page, "moved": moved, "empty": empty, "packed": packed, "big": endless}
    app.add_routes([web.get(f"/{name}", handler) for name, handler in handlers.items()])
    async with TestServer(app) as server:
        yield Shop(str(server.make_url("/")))


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    """The sandbox as Meta."""
    nobody = f"http://127.0.0.1:{unused_port()}/webhooks/meta"
    settings = Settings.from_env({"META_APP_SECRET": "an app secret", "SANDBOX_WEBHOOK_URL": nobody})
    async with TestServer(build_sandbox(settings)) as server, aiohttp.ClientSession() as session:
        yield Graph(session, str(server.make_url("/v25.0")))


@pytest.fixture
async def samples(graph: Graph) -> AsyncIterator[SampleClient]:
    """A developer's machine: loopback may be called."""
    guard = UrlGuard(AddressPolicy(loopback_allowed=True))
    yield SampleClient(graph, guard, "app")
    await guard.resolver.close()


@pytest.fixture
async def stage(database: Database, graph: Graph, samples: SampleClient) -> Stage:
    """The service with the sandbox as Meta."""
    return await set_stage(database, MetaClient(graph), samples=samples)


def with_header(url: str) -> tuple[dict[str, Any], ...]:
    return {"type": "HEADER", "format": "IMAGE", "example": {"header_url": url}}, SOUND


async def test_a_template_with_a_picture_is_submitted_with_its_sample(stage: Stage, shop: Shop) -> None:
    await create(stage, sound(category="MARKETING", components=with_header(f"{shop.url}picture.jpg")))

    submitted = await submit(stage)

    assert submitted.status == "PENDING"
    stage.pass_time(700)
    assert (await stage.sync()).errors == ()
    header = (await details(stage)).template.components[0]
    assert header["example"]["header_handle"][0].startswith("4::")


async def test_the_dashboard_apis_own_sample_is_refused_by_meta_and_stays_a_draft(stage: Stage) -> None:
    await create(stage, draft())

    with pytest.raises(UpstreamRejectedError, match="Put text before the first and after the last") as refused:
        await submit(stage)

    template = (await details(stage)).template
    assert refused.value.details[0]["subcode"] == 2388299
    assert (template.status, template.status_reason) == ("DRAFT", refused.value.message)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("page", "leads to text/html; Meta takes image/jpeg, image/png, video/mp4, application/pdf"),
        ("moved", "answered 302 instead of the file itself"),
        ("missing", "answered 404 instead of the file itself"),
        ("empty", "leads to an empty file"),
        ("packed", "answered with compressed content"),
        ("big", "leads to more than 16 MB"),
    ],
)
async def test_a_link_that_leads_to_no_sample_is_refused(
    samples: SampleClient, shop: Shop, path: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await samples.upload(f"{shop.url}{path}", TOKEN)

    assert refused.value.message == f"example.header_url {words}"
    assert refused.value.details[0]["field"] == "example.header_url"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://shop.example.com/a.jpg", "must be an http or https URL with a host"),
        ("https://user:secret@shop.example.com/a.jpg", "must not contain a user name or password"),
        ("http://127.0.0.1/a.jpg", "could not be fetched"),
        ("https://169.254.169.254/latest/meta-data", "could not be fetched"),
        ("https://10.0.0.1/a.jpg", "could not be fetched"),
        ("https://[::ffff:10.0.0.1]/a.jpg", "could not be fetched"),
    ],
)
async def test_in_production_no_link_leads_into_our_own_network(graph: Graph, url: str, words: str) -> None:
    guard = UrlGuard(AddressPolicy())

    with pytest.raises(InvalidInputError, match=f"example.header_url {words}"):
        await SampleClient(graph, guard, "app").upload(url, TOKEN)

    await guard.resolver.close()
