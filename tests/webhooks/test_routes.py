"""Meta's side over HTTP: the handshake, signatures, limits, and what is stored."""

import hashlib
import hmac
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse, ClientSession
from aiohttp.test_utils import unused_port

from services.webhooks.routes import BODY_LIMIT_BYTES, MetaRoutes
from shared.errors import ServiceUnavailableError
from shared.web.app import web_app
from shared.web.server import serving
from tests.webhooks.stage import InboundStage, meta_post, status

BODY = meta_post(status(1))


def signature(raw: bytes, key: str = "app-secret") -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()}


@dataclass
class Listener:
    client: ClientSession
    stage: InboundStage

    async def post(self, raw: bytes, headers: dict[str, str] | None = None) -> ClientResponse:
        body = raw if len(raw) < 2**16 else io.BytesIO(raw)
        return await self.client.post(
            "/webhooks/meta", data=body, headers=signature(raw) if headers is None else headers
        )

    async def get(self, **query: str) -> ClientResponse:
        known = {"hub.mode": "subscribe", "hub.verify_token": "let me in", "hub.challenge": "1158201444"}
        return await self.client.get("/webhooks/meta", params=known | {f"hub.{key}": query[key] for key in query})


@asynccontextmanager
async def served(routes: MetaRoutes, *, at_once: bool) -> AsyncIterator[ClientSession]:
    """The routes as they are served, or by the application alone, as what comes in pieces is."""
    app = web_app(routes.table(), service="webhooks", body_limit_bytes=BODY_LIMIT_BYTES)
    bind = f"127.0.0.1:{unused_port()}"
    async with (
        serving(app, bind, first=routes.take_at_once if at_once else None),
        ClientSession(f"http://{bind}") as client,
    ):
        yield client


@pytest.fixture(params=[True, False], ids=["at_once", "by_the_application"])
async def meta(inbound: InboundStage, request: pytest.FixtureRequest) -> AsyncIterator[Listener]:
    routes = MetaRoutes(inbound.inbox.take, ("new-secret", "app-secret"), "let me in")
    async with served(routes, at_once=request.param) as client:
        yield Listener(client, inbound)


async def test_the_handshake_echoes_the_challenge_and_nothing_else(meta: Listener) -> None:
    answer = await meta.get()

    assert (answer.status, answer.content_type, await answer.text()) == (200, "text/plain", "1158201444")


@pytest.mark.parametrize(
    "query", [{"verify_token": "guess"}, {"verify_token": "é"}, {"mode": "unsubscribe"}, {"challenge": ""}]
)
async def test_a_handshake_that_does_not_know_the_token_is_refused(meta: Listener, query: dict[str, str]) -> None:
    answer = await meta.get(**query)

    assert answer.status == 403


async def test_a_signed_post_is_stored_byte_for_byte_before_it_is_answered(meta: Listener) -> None:
    raw = BODY.replace(b"/", rb"\/") + b"\n "

    answer = await meta.post(raw)

    (stored,) = await meta.stage.stored()
    assert (answer.status, await answer.read()) == (200, b"")
    assert bytes(stored["raw"]) == raw
    assert stored["_id"] == hashlib.sha256(raw).hexdigest()


async def test_both_app_secrets_are_accepted_while_they_rotate(meta: Listener) -> None:
    answers = [await meta.post(BODY, signature(BODY, secret)) for secret in ("new-secret", "app-secret")]

    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    "headers", [{}, {"X-Hub-Signature-256": "sha256=00"}, {"X-Hub-Signature-256": "é"}, signature(BODY, "guess")]
)
async def test_a_wrong_or_missing_signature_is_refused_and_nothing_is_stored(
    meta: Listener, headers: dict[str, str]
) -> None:
    answer = await meta.post(BODY, headers)

    assert answer.status == 401
    assert await meta.stage.stored() == []


async def test_a_body_of_four_mebibytes_passes_and_a_larger_one_is_refused(meta: Listener) -> None:
    assert (await meta.post(b" " * BODY_LIMIT_BYTES)).status == 200

    answer = await meta.post(b" " * (BODY_LIMIT_BYTES + 1))

    assert answer.status == 413
    assert len(await meta.stage.stored()) == 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_meta_is_told_to_come_again_when_the_post_cannot_be_stored(at_once: bool) -> None:
    tries: list[bytes] = []

    async def take(raw: bytes) -> None:
        tries.append(raw)
        raise ServiceUnavailableError("no database")

    async with served(MetaRoutes(take, ("app-secret",), "let me in"), at_once=at_once) as client:
        answer = await client.post("/webhooks/meta", data=BODY, headers=signature(BODY))

        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert tries == [BODY]


async def test_a_post_that_comes_in_pieces_is_taken_by_the_application(inbound: InboundStage) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield BODY[:10]
        yield BODY[10:]

    routes = MetaRoutes(inbound.inbox.take, ("app-secret",), "let me in")
    async with served(routes, at_once=True) as client:
        answer = await client.post("/webhooks/meta", data=pieces(), headers=signature(BODY))

    assert answer.status == 200
    assert len(await inbound.stored()) == 1


async def test_the_routes_never_show_their_secrets_in_a_log_line() -> None:
    async def take(_raw: bytes) -> None:
        return None

    assert "app-secret" not in repr(MetaRoutes(take, ("app-secret",), "let me in"))
