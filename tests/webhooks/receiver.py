"""A vendor's receiver on a port of its own, which answers as a test says and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[["Post"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Post:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    request: web.Request = field(repr=False)


async def accept(_post: Post) -> web.StreamResponse:
    """What a healthy receiver does."""
    return web.Response(text="ok")


def answering(status: int, text: str = "", **headers: str) -> Answer:
    """Always the same answer."""

    async def answer(_post: Post) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers={key.replace("_", "-"): headers[key] for key in headers})

    return answer


@dataclass
class Receiver:
    """`answers` by path; other paths are answered 200."""

    port: int = 0
    posts: list[Post] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/hook") -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}{path}"

    def to(self, path: str) -> list[Post]:
        """What came to one path, in order."""
        return [post for post in self.posts if post.path == path]

    async def hang(self, _post: Post) -> web.StreamResponse:
        """Answer only once `released` is set."""
        await self.released.wait()
        return web.Response()

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Receiver"]:
        """A receiver on a free port for as long as the block lasts."""
        receiver = cls()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", receiver._receive)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.port = runner.addresses[0][1]
        try:
            yield receiver
        finally:
            receiver.released.set()
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        post = Post(request.path, dict(request.headers), await request.read(), request)
        self.posts.append(post)
        return await self.answers.get(request.path, accept)(post)
