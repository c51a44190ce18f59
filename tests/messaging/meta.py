"""A stand-in for Meta that does exactly what a test scripts, over real HTTP on a free port."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Call:
    """One post of a message, as it arrived."""

    number: int  # counted from 1
    meta_phone_number_id: str
    authorization: str
    body: dict[str, Any]

    @property
    def opaque(self) -> str:
        """Our own string, which Meta carries back in statuses."""
        return str(self.body["biz_opaque_callback_data"])

    @property
    def wamid(self) -> str:
        """What an accepting answer would call it."""
        return f"wamid.{self.number}"


Act = Callable[[web.Request, Call], Awaitable[web.StreamResponse]]


async def accept(request: web.Request, call: Call) -> web.StreamResponse:
    """Take the message."""
    return web.json_response({"messaging_product": "whatsapp", "messages": [{"id": call.wamid}]})


async def cut(request: web.Request, call: Call) -> web.StreamResponse:
    """Act, but cut the connection before the answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(request: web.Request, call: Call) -> web.StreamResponse:
    """Never answer; cancelled when the caller gives up."""
    await asyncio.Event().wait()
    return web.Response()


def refuse(code: int, status: int = 400, message: str = "refused") -> Act:
    """Answer with an error of Meta's own."""

    async def act(request: web.Request, call: Call) -> web.StreamResponse:
        error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
        return web.json_response({"error": error}, status=status)

    return act


def answer(status: int, body: bytes, content_type: str = "application/json") -> Act:
    """Answer with anything at all."""

    async def act(request: web.Request, call: Call) -> web.StreamResponse:
        return web.Response(status=status, body=body, content_type=content_type)

    return act


def held(until: asyncio.Event, then: Act = accept) -> Act:
    """Wait before answering."""

    async def act(request: web.Request, call: Call) -> web.StreamResponse:
        await until.wait()
        return await then(request, call)

    return act


@dataclass
class MetaStandIn:
    """Accepts everything, unless the script says otherwise for the next calls."""

    script: deque[Act] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    subscriptions: list[str] = field(default_factory=list)  # WABA ids in the order they were asked for
    subscription_answers: deque[tuple[int, bytes]] = field(default_factory=deque)
    _runner: web.AppRunner | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def will(self, *acts: Act) -> None:
        """Do these for the next calls, one each."""
        self.script.extend(acts)

    def opaques(self) -> list[str]:
        """The opaque strings of all calls, in the order they came."""
        return [call.opaque for call in self.calls]

    async def start(self) -> None:
        """Listen; a second time on the same port."""
        app = web.Application()
        app.router.add_post("/v25.0/{number}/messages", self._send)
        app.router.add_post("/v25.0/{waba}/subscribed_apps", self._subscribe)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port: connections are refused from now on."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _send(self, request: web.Request) -> web.StreamResponse:
        call = Call(
            len(self.calls) + 1,
            request.match_info["number"],
            request.headers["Authorization"],
            orjson.loads(await request.read()),
        )
        self.calls.append(call)
        act = self.script.popleft() if self.script else accept
        return await act(request, call)

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        self.subscriptions.append(request.match_info["waba"])
        status, body = self.subscription_answers.popleft() if self.subscription_answers else (200, b'{"success":true}')
        return web.Response(status=status, body=body, content_type="application/json")
