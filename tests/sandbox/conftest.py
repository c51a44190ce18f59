"""A sandbox on a free port and a product that takes its webhooks, for every test."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings
from tests.eventually import eventually

APP_SECRET = "an app secret"
VERIFY_TOKEN = "a verify token"
TOKEN = "EAAtest"
NUMBER = "106540352242922"
WABA = "102290129340398"
RECIPIENT = "+14155550123"


@dataclass
class Product:
    """Stands where the product's webhook listener is; answers with the statuses it was given, then 200."""

    answers: list[int] = field(default_factory=list)
    posts: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.answers and (status := self.answers.pop(0)) != 200:
            self.refused.append(body)
            return web.Response(status=status)
        self.posts.append((body, dict(request.headers)))
        return web.Response()

    async def handshake(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != VERIFY_TOKEN:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    def entries(self) -> list[dict[str, Any]]:
        return [entry for body, _ in self.posts for entry in orjson.loads(body)["entry"]]

    def values(self, name: str) -> list[dict[str, Any]]:
        return [change["value"] for entry in self.entries() for change in entry["changes"] if change["field"] == name]

    def statuses(self) -> list[dict[str, Any]]:
        return [status for value in self.values("messages") for status in value.get("statuses", [])]

    def status_names(self) -> list[str]:
        return [status["status"] for status in self.statuses()]

    def template_events(self) -> list[str]:
        return [value["event"] for value in self.values("message_template_status_update")]


@dataclass
class Sandbox:
    """The sandbox as its callers see it."""

    client: TestClient[web.Request, web.Application]
    product: Product

    async def call(self, method: str, path: str, json: Any = None, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.client.request(method, path, json=json, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def send(self, content: dict[str, Any], *, token: str = TOKEN, number: str = NUMBER) -> tuple[int, Any]:
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": RECIPIENT} | content
        return await self.call("POST", f"/v23.0/{number}/messages", body, token)

    async def send_text(self, to: str = RECIPIENT, **more: Any) -> tuple[int, Any]:
        return await self.send({"to": to, "type": "text", "text": {"body": "Hello"}} | more)

    async def send_template(self, name: str, components: Any = None, language: str = "en_US") -> tuple[int, Any]:
        template: dict[str, Any] = {"name": name, "language": {"code": language}}
        if components is not None:
            template["components"] = components
        return await self.send({"type": "template", "template": template})

    async def set_faults(self, **change: Any) -> Any:
        _, faults = await self.call("PUT", "/_sandbox/faults", change)
        return faults

    async def get(self, path: str) -> Any:
        _, body = await self.call("GET", path)
        return body

    async def has_status_names(self, *names: str) -> None:
        """Wait until the product has heard exactly these, told in this order: on their connections posts overtake."""

        async def heard() -> bool:
            messages = (await self.get("/_sandbox/messages"))["messages"]
            assert [status["status"] for message in messages for status in message["statuses"]] == list(names)
            assert sorted(self.product.status_names()) == sorted(names)
            return True

        await eventually(heard)


def signature(body: bytes) -> str:
    return "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
async def product() -> AsyncIterator[tuple[Product, str]]:
    """The product's listener and its address."""
    product = Product()
    app = web.Application()
    app.add_routes([web.post("/webhooks/meta", product.receive), web.get("/webhooks/meta", product.handshake)])
    async with TestServer(app) as server:
        yield product, str(server.make_url("/webhooks/meta"))


@pytest.fixture
async def sandbox(product: tuple[Product, str]) -> AsyncIterator[Sandbox]:
    """A calm sandbox that posts to `product`."""
    listener, url = product
    settings = Settings(
        host="127.0.0.1", port=0, app_secret=APP_SECRET, verify_token=VERIFY_TOKEN, webhook_url=url, app_id="1234"
    )
    async with TestClient(TestServer(build(settings))) as client:
        yield Sandbox(client, listener)


Answer = tuple[int, Any]


def error_of(answer: Answer) -> dict[str, Any]:
    """The error of a refused call."""
    _, body = answer
    error: dict[str, Any] = body["error"]
    return error


def details_of(answer: Answer) -> str | None:
    """`error_data.details`, or None where Meta gives none."""
    details: str | None = error_of(answer).get("error_data", {}).get("details")
    return details
