"""The gateway and the webhooks service, asked directly and through nginx: the same answers, error by error."""

import io
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from multidict import CIMultiDict
from yarl import URL

from deploy.local.ports import free_ports
from services.webhooks.domain.signing import hex_signature
from services.webhooks.routes import BODY_LIMIT_BYTES, MetaRoutes
from shared.errors import BusUnavailableError, InvalidInputError
from shared.mongo import Client, Database
from shared.web.app import web_app
from shared.web.server import serving
from tests.gateway.conftest import Gateway, make_tenant
from tests.proxy.conftest import StartNginx
from tests.proxy.gateway import serving_gateway
from tests.proxy.nginx import Nginx
from tests.servers import fresh_name

APP_SECRET, VERIFY_TOKEN = "an app secret", "a verify token"
MIB = 1024 * 1024
HELLO = {"to": "+919876543210", "type": "text", "text": "Hello! ₹"}
META_ERROR = {
    "message": "(#131030) Recipient phone number not in allowed list",
    "code": 131030,
    "subcode": None,
    "type": "OAuthException",
    "details": None,
    "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
}
SEND = "/api/external/send-message/{phone}"
META_POST = b'{"object":"whatsapp_business_account","entry":[]}'

# Headers that belong to one connection or one moment, not to the answer.
OF_THE_MOMENT = ("Connection", "Keep-Alive", "Date")
# A time, and an id that is new for each message.
CHANGING = re.compile(rb'"timestamp":"[^"]*"|"message_id":"[0-9a-f]{24}"')


@dataclass(frozen=True)
class Ask:
    """A request, what the services behind it are told to do, and the status that must come of it."""

    status: int
    path: str = SEND
    method: str = "POST"
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = "tenant"
    outcome: Mapping[str, Any] = field(default_factory=dict)
    error: Any = None

    def raw(self) -> io.BytesIO | None:
        """The body's bytes, to be read once."""
        if self.body is None:
            return None
        return io.BytesIO(self.body if isinstance(self.body, bytes) else orjson.dumps(self.body))


def signed(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    """Meta's signature on a post."""
    return {"X-Hub-Signature-256": "sha256=" + hex_signature(body, secret)}


def shaking(token: str) -> str:
    """Meta's handshake."""
    return f"/webhooks/meta?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444"


ASKS = {
    "sent": Ask(200, body=HELLO),
    "sent with warnings": Ask(200, body=HELLO | {"priority": 1}, outcome={"warnings": ["window_closed"]}),
    "queued": Ask(202, body=HELLO, outcome={"status": "queued", "wa_message_id": None}),
    "missing field": Ask(400, body={"to": "+919876543210", "type": "interactive", "interactive": {"type": "carousel"}}),
    "no JSON": Ask(400, body=b'{"to":'),
    "no body": Ask(400),
    "messaging's refusal": Ask(400, body=HELLO, error=InvalidInputError("template.name: not approved")),
    "no key": Ask(401, body=HELLO, key=None),
    "unknown key": Ask(401, body=HELLO, key="wak_unknown"),
    "number of another": Ask(403, path="/api/external/send-message/cG5fb3RoZXI", body=HELLO),
    "missing permission": Ask(403, body=HELLO | {"type": "interactive"}, key="texter"),
    "no such route": Ask(404, path="/api/external/nothing/here?x=%2B1", method="GET"),
    "undecodable id": Ask(400, path="/api/external/send-message/%FF%2F", body=HELLO),
    "wrong method": Ask(405, method="PUT", body=HELLO),
    "looked at with HEAD": Ask(405, method="HEAD"),
    "body just too large": Ask(413, body=b" " * (MIB + 1)),
    "body far too large": Ask(413, body=b" " * (8 * MIB)),
    "too large and without a key": Ask(401, body=b" " * (8 * MIB), key=None),
    "not declared as JSON": Ask(415, body=HELLO, headers={"Content-Type": "text/plain"}),
    "refused by Meta": Ask(502, body=HELLO, outcome={"status": "failed", "wa_message_id": None, "error": META_ERROR}),
    "broker away": Ask(503, body=HELLO, error=BusUnavailableError("The broker is away")),
    "health": Ask(200, path="/healthz", method="GET", key=None),
    "handshake": Ask(200, path=shaking("a%20verify%20token"), method="GET", key=None),
    "handshake of a stranger": Ask(403, path=shaking("guess"), method="GET", key=None),
    "Meta's post": Ask(200, path="/webhooks/meta", body=META_POST, headers=signed(META_POST), key=None),
    "Meta's largest post": Ask(
        200, path="/webhooks/meta", body=b" " * 3 * MIB, headers=signed(b" " * 3 * MIB), key=None
    ),
    "a forged post": Ask(401, path="/webhooks/meta", body=META_POST, headers=signed(META_POST, "guess"), key=None),
    "a post too large": Ask(413, path="/webhooks/meta", body=b" " * (4 * MIB + 1), key=None),
}


@dataclass(frozen=True)
class Answer:
    """What a caller sees, without what differs between any two answers."""

    status: int
    reason: str | None
    headers: dict[str, list[str]]
    body: bytes


@dataclass(frozen=True)
class Doors:
    """The same services behind two doors: their own addresses, and the domain."""

    nginx: Nginx
    http: aiohttp.ClientSession
    gateway: Gateway
    tokens: Mapping[str, str]
    phone: str
    public: str
    webhooks: str

    async def ask(self, ask: Ask, *, through_nginx: bool) -> Answer:
        """One request through one of the doors."""
        own = self.webhooks if ask.path.startswith("/webhooks") else self.public
        base = self.nginx.https if through_nginx else own
        url = URL(base + ask.path.replace("{phone}", self.phone), encoded=True)
        headers = {"Content-Type": "application/json", "X-Request-Id": "req_the_same"} | dict(ask.headers)
        if ask.key is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(ask.key, ask.key)}"
        async with self.http.request(ask.method, url, data=ask.raw(), headers=headers, ssl=self.nginx.trust) as got:
            return Answer(got.status, got.reason, _lasting(got.headers), CHANGING.sub(b"", await got.read()))


def _lasting(headers: Mapping[str, str]) -> dict[str, list[str]]:
    every = CIMultiDict(headers)
    return {name.lower(): every.getall(name) for name in every if name not in OF_THE_MOMENT}


@pytest.fixture(scope="module")
async def database(mongodb_client: Client) -> AsyncIterator[Database]:
    """One database for all these requests: they leave each other alone."""
    name = fresh_name()
    yield mongodb_client[name]
    await mongodb_client.drop_database(name)


@pytest.fixture(scope="module")
async def doors(database: Database, nginx: StartNginx, http: aiohttp.ClientSession) -> AsyncIterator[Doors]:
    """The real applications with both doors open."""
    async with serving_gateway(database) as gateway, opened(gateway, nginx, http) as doors:
        yield doors


@asynccontextmanager
async def opened(gateway: Gateway, nginx: StartNginx, http: aiohttp.ClientSession) -> AsyncIterator[Doors]:
    """nginx before the gateway and a webhooks service."""
    tenant = await make_tenant(gateway)
    texter = await make_tenant(gateway, "usr_2", permissions=["send_text"])
    public_port = gateway.public.server.port
    webhooks_port, nowhere = free_ports(2)
    assert public_port is not None
    async with serving(_webhooks_app(), f"127.0.0.1:{webhooks_port}"):
        with nginx({4000: nowhere, 4001: public_port, 4002: webhooks_port}) as running:
            yield Doors(
                running,
                http,
                gateway,
                {"tenant": tenant.token, "texter": texter.token},
                tenant.encoded_phone_id,
                f"http://127.0.0.1:{public_port}",
                f"http://127.0.0.1:{webhooks_port}",
            )


def _webhooks_app() -> Any:
    async def take(_raw: bytes) -> None:
        return None

    routes = MetaRoutes(take, (APP_SECRET,), VERIFY_TOKEN).table()
    return web_app(routes, service="webhooks", body_limit_bytes=BODY_LIMIT_BYTES)


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
async def test_an_answer_is_the_same_through_nginx(doors: Doors, ask: Ask) -> None:
    doors.gateway.messaging.outcome, doors.gateway.messaging.error = dict(ask.outcome), ask.error

    directly = await doors.ask(ask, through_nginx=False)
    proxied = await doors.ask(ask, through_nginx=True)

    assert directly.status == ask.status
    assert proxied == directly


async def test_a_key_that_was_used_directly_is_replayed_through_nginx(doors: Doors) -> None:
    ask = Ask(200, body=HELLO, headers={"Idempotency-Key": "order-1"})

    doors.gateway.messaging.outcome, doors.gateway.messaging.error = {}, None
    before = len(doors.gateway.messaging.sends)

    await doors.ask(ask, through_nginx=False)
    directly = await doors.ask(ask, through_nginx=False)
    proxied = await doors.ask(ask, through_nginx=True)

    assert directly.headers["idempotent-replayed"] == ["true"]
    assert proxied == directly
    assert len(doors.gateway.messaging.sends) == before + 1
