"""Listening: an application on one address for as long as a block lasts."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from shared.settings import parse_bind

_DRAIN_SECONDS = 25.0  # requests under way may finish; the supervisor kills after 30
_BACKLOG = 1024
_KEEPALIVE_SECONDS = 75.0  # longer than the 60 s for which the usual proxies keep a connection

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
First = Callable[[web.BaseRequest], Awaitable[web.StreamResponse | None]]  # answers, or leaves it to the application

log = structlog.get_logger()


class _MalformedInOneLine(logging.Filter):
    """What aiohttp logs about malformed HTTP quotes the caller's bytes and a traceback; one short line will do."""

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Error handling request") and record.exc_info and record.exc_info[0]:
            record.msg, record.args = "malformed request refused: %s", (record.exc_info[0].__name__,)
            record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
        return True


_server_log = logging.getLogger("aiohttp.server")
_server_log.addFilter(_MalformedInOneLine())


@asynccontextmanager
async def serving(app: web.Application, bind: str, *, first: First | None = None) -> AsyncIterator[None]:
    """Serve `app` on `host:port`. Leaving the block stops listening at once and lets requests under way finish.

    `first` is asked before the application, and spares those it answers the way through it: routes and middlewares.
    Raises ConfigurationError for a bind that is no address, and OSError when the port is taken.
    """
    host, port = parse_bind(bind)
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=_DRAIN_SECONDS,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        auto_decompress=False,  # no caller of ours compresses, and a few bytes can unpack to gigabytes
        logger=_server_log,
    )
    await runner.setup()
    if first is not None and runner.server is not None:
        runner.server.request_handler = _asking(first, runner.server.request_handler)
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        log.info("listening", bind=bind)
        yield
    finally:
        await runner.cleanup()


def _asking(first: First, application: Handler) -> Handler:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        answer = await first(request)
        return await application(request) if answer is None else answer

    return handler
