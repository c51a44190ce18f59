"""Gateway, messaging and templates as they really start, over RabbitMQ and MongoDB, with the sandbox for Meta."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer, unused_port

from deploy.sandbox.app import build
from deploy.sandbox.settings import Settings as SandboxSettings
from shared.mongo import Database
from tests.gateway.conftest import ADMIN_SECRET, ALL_PERMISSIONS, admin_token
from tests.servers import RealServers
from tests.started import service_environ, started

SERVICES = ("messaging", "templates", "gateway")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller gets."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Product:
    """The product from outside: both listeners, and the sandbox's controls."""

    http: aiohttp.ClientSession
    private: str
    public: str
    sandbox: str

    async def call(
        self, method: str, url: str, body: Any = None, *, token: str | None = None, raw: bytes | None = None
    ) -> Answer:
        """One request, with a JSON body or with raw bytes in its place."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        sent: dict[str, Any] = {"json": body} if raw is None and body is not None else {"data": raw}
        async with self.http.request(method, url, headers=headers, **sent) as answer:
            return Answer(answer.status, await answer.json())

    async def made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a POST of the operator's, or of the dashboard's, has made."""
        token = admin_token() if path.startswith("/admin") else None
        answer = await self.call("POST", self.private + path, body, token=token)
        assert answer.status in {200, 201}, answer
        return dict(answer.body["data"])

    async def add_tenant(self, **number: Any) -> "Tenant":
        """A user with a number in an account of its own, its templates synced, and a key for everything."""
        unique = secrets.token_hex(4)
        user_id, waba_id = f"usr_{unique}", str(secrets.randbits(48))
        await self.made("/api/v1/users", {"user_id": user_id, "email": f"{user_id}@example.com"})
        asked = {
            "user_id": user_id,
            "platform": "whatsapp",
            "meta_phone_number_id": str(secrets.randbits(48)),
            "access_token": f"EAA{unique}",
            "waba_id": waba_id,
        }
        made = await self.made("/api/v1/phone-numbers", asked | number)
        tenant = Tenant(self, user_id, made["id"], made["meta_phone_number_id"], waba_id)
        if made["platform"] == "whatsapp":
            await tenant.sync()
        return tenant


@dataclass(frozen=True, slots=True)
class Key:
    """An API key and the number that it is for."""

    product: Product
    encoded_phone_id: str
    token: str
    key_id: str

    async def send(self, body: Any, query: str = "", *, private: bool = False) -> Answer:
        """Post a message."""
        base = self.product.private if private else self.product.public
        url = f"{base}/api/external/send-message/{self.encoded_phone_id}{query}"
        return await self.product.call("POST", url, body, token=self.token)

    async def discover(self, rest: str = "", *, private: bool = False) -> Answer:
        """Ask for templates."""
        base = self.product.private if private else self.product.public
        url = f"{base}/api/external/templates/{self.encoded_phone_id}{rest}"
        return await self.product.call("GET", url, token=self.token)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A user with a number."""

    product: Product
    user_id: str
    phone_number_id: str
    meta_phone_number_id: str
    waba_id: str

    async def key(self, *permissions: str) -> Key:
        """A new key, with these permissions or all."""
        asked = {
            "user_id": self.user_id,
            "phone_number_id": self.phone_number_id,
            "name": "Back end",
            "permissions": list(permissions or ALL_PERMISSIONS),
        }
        made = await self.product.made("/admin/api-keys", asked)
        return Key(self.product, made["encoded_phone_id"], made["token"], made["key_id"])

    async def register(self, template: Mapping[str, Any]) -> str:
        """Have a template at Meta as it stands, in place of its namesake; its id there."""
        body = {"waba_id": self.waba_id, **template}
        answer = await self.product.call("POST", f"{self.product.sandbox}/_sandbox/templates", body)
        assert answer.status == 200, answer
        return str(answer.body["id"])

    async def sync(self) -> dict[str, Any]:
        """Bring the account's templates over from Meta."""
        asked = {"user_id": self.user_id, "phone_number_id": self.phone_number_id}
        return await self.product.made("/api/v1/templates/sync", asked)

    async def posted(self) -> list[dict[str, Any]]:
        """Every message of this number that Meta took, as it was posted, oldest first."""
        answer = await self.product.call("GET", f"{self.product.sandbox}/_sandbox/messages")
        mine = [each for each in answer.body["messages"] if each["phone_number_id"] == self.meta_phone_number_id]
        return [dict(each["body"]) for each in mine]


@asynccontextmanager
async def running(servers: RealServers, rabbit: str, database: Database) -> AsyncIterator[Product]:
    """The product, ready, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        nobody = f"http://127.0.0.1:{unused_port()}/webhooks/meta"
        settings = SandboxSettings.from_env({"META_APP_SECRET": "an app secret", "SANDBOX_WEBHOOK_URL": nobody})
        sandbox = str((await stack.enter_async_context(TestServer(build(settings)))).make_url("")).rstrip("/")
        public = f"127.0.0.1:{unused_port()}"
        environ = await stack.enter_async_context(service_environ(servers, rabbit, database)) | {
            "ENVIRONMENT": "local",
            "META_GRAPH_URL": sandbox,
            "GATEWAY_PUBLIC_BIND": public,
            "ADMIN_JWT_SECRET": ADMIN_SECRET,
            "API_KEY_PEPPER": "a pepper that is more than thirty-two bytes long",
        }
        urls = [await stack.enter_async_context(started(service, environ)) for service in SERVICES]
        http = await stack.enter_async_context(aiohttp.ClientSession())
        product = Product(http, urls[-1], f"http://{public}", sandbox)
        await product.call("PUT", f"{sandbox}/_sandbox/faults", {"status_webhooks": False})
        yield product
