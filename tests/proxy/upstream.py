"""A service behind nginx that remembers what reached it and answers as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str  # path and query, exactly as they stood in the first line
    headers: Mapping[str, str]
    body: bytes


async def accept(_request: web.Request) -> web.StreamResponse:
    """The answer unless a test wants another."""
    return web.Response(text="ok")


@dataclass
class Upstream:
    """One listener. `answer` may be replaced."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answer: Answer = accept
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Upstream"]:
        """A listener on a free port."""
        upstream = cls()
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", upstream._receive)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        upstream.port = runner.addresses[0][1]
        try:
            yield upstream
        finally:
            upstream.released.set()
            await runner.cleanup()

    def start_over(self) -> None:
        """Forget what was seen and what was asked for."""
        self.seen, self.answer, self.released = [], accept, asyncio.Event()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        target = request.raw_path
        self.seen.append(Seen(request.method, target, request.headers, await request.read()))
        return await self.answer(request)
